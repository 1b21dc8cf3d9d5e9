import { getEventListeners } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { OcspCache, type OcspStore } from '@x/ocsp'
import { SessionCache } from '@x/session-cache'
import { createAuthority } from '@x/utils'
import { describe, expect, it } from 'vitest'
import { connect, type ConnectOptions, startTls } from '../src/index.ts'
import { authority, identity, tcpServer, type TestServer, tlsServer } from './support.ts'

/** How many failures of each kind: 1,000 in CI and with `LEAK_RUNS=1000`. */
const RUNS = Number(process.env['LEAK_RUNS'] ?? (process.env['CI'] === undefined ? 100 : 1_000))
const AT_ONCE = 25

/** What keeps the process alive, counted by kind: sockets, servers, timers, requests. */
async function resources(): Promise<Record<string, number>> {
  for (let at = 0; at < 20; at++) await turn() // what is closed is let go of in later turns
  const counts: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) if (kind !== 'Immediate') counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}

/** Milliseconds. */
const PATIENCE = 5_000

/**
 * No more of anything than before; less may be, since the test runner has timers of its own. What has been given up may take a busy machine a while: a lookup is a
 * thread's that cannot be called back. A timer that is left, of 30 s, is there after it all the same.
 */
async function expectNoMore(before: Record<string, number>): Promise<void> {
  const end = performance.now() + PATIENCE
  let more: string[] = []
  do {
    const after = await resources()
    more = Object.keys(after).filter((kind) => (after[kind] ?? 0) > (before[kind] ?? 0))
  } while (more.length > 0 && performance.now() < end)
  expect(more).toEqual([])
}

interface Kind {
  readonly code: string | RegExp
  readonly server: () => Promise<TestServer>
  readonly options: (server: TestServer) => ConnectOptions
}

const trusted = authority.ca
const good = (): Promise<TestServer> => tlsServer()
const never: OcspStore = { get: () => new Promise(() => undefined), put: () => undefined }
const to = ({ port }: TestServer): { host: string; port: number; ca: string } => ({
  host: 'localhost',
  port,
  ca: trusted,
})

const kinds: Readonly<Record<string, Kind>> = {
  'a connection refused': {
    code: 'ECONNREFUSED',
    server: good,
    options: (server) => ({ ...to(server), port: 1 }),
  },
  'a name that does not resolve': {
    code: 'ENOTFOUND',
    server: good,
    options: (server) => ({
      ...to(server),
      lookup: (_host, _options, done) => done(Object.assign(new Error('no'), { code: 'ENOTFOUND' }), '', 4),
    }),
  },
  'an option that is wrong': {
    code: 'ERR_INVALID_ARG_VALUE',
    server: good,
    options: (server) => ({ ...to(server), verfy: {} }) as ConnectOptions,
  },
  'credentials that do not fit': {
    code: 'ERR_SECURE_SOCKET_CREDENTIALS',
    server: good,
    options: (server) => ({ ...to(server), cert: identity.cert, key: authority.key }),
  },
  'a peer that closes': {
    code: /^(ECONNRESET|ERR_SECURE_SOCKET_HANDSHAKE_INTERRUPTED)$/,
    server: () => tcpServer((socket) => socket.end()),
    options: to,
  },
  'a peer that speaks no TLS': {
    code: /^ERR_SSL_/,
    server: () => tcpServer((socket) => socket.write('220 welcome\r\n')),
    options: to,
  },
  'a silent peer': {
    code: 'ERR_SECURE_SOCKET_HANDSHAKE_TIMEOUT',
    server: () => tcpServer(() => undefined),
    options: (server) => ({ ...to(server), handshakeTimeout: 1 }),
  },
  'no common version': {
    code: /^ERR_SSL_/,
    server: () => tlsServer({ maxVersion: 'TLSv1.2' }),
    options: (server) => ({ ...to(server), minVersion: 'TLSv1.3' }),
  },
  'an unknown CA': {
    code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    server: good,
    options: (server) => ({ ...to(server), ca: strange }),
  },
  'another name': {
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    server: good,
    options: (server) => ({ ...to(server), verify: { name: 'other.example.org' } }),
  },
  'a pin': {
    code: 'ERR_SECURE_SOCKET_FINGERPRINT_MISMATCH',
    server: good,
    options: (server) => ({ ...to(server), verify: { fingerprints: [], forceFingerprints: true } }),
  },
  'a callback that says no': {
    code: 'ERR_SECURE_SOCKET_CALLBACK_REFUSED',
    server: good,
    options: (server) => ({ ...to(server), verify: { callback: () => Promise.resolve(false) } }),
  },
  'a callback that never answers': {
    code: 'ERR_SECURE_SOCKET_CHECK_TIMEOUT',
    server: good,
    options: (server) => ({
      ...to(server),
      verify: { callback: () => new Promise<boolean>(() => undefined), callbackTimeout: 1 },
    }),
  },
  'no status under must': {
    code: 'ERR_OCSP_STAPLE_MISSING',
    server: good,
    options: (server) => ({ ...to(server), revocation: { staple: 'must', cache: new OcspCache() } }),
  },
  'a list that is missing': {
    code: 'UNABLE_TO_GET_CRL',
    server: good,
    options: (server) => ({ ...to(server), revocation: { crlDepth: 'chain' } }),
  },
  'a cache that never answers': {
    code: /^ERR_SECURE_SOCKET_HANDSHAKE_TIMEOUT$/,
    server: good,
    options: (server) => ({ ...to(server), revocation: { cache: never }, handshakeTimeout: 100 }),
  },
  'a refused peer whose sessions are asked for': {
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    server: good,
    options: (server) => ({ ...to(server), sessionCache: new SessionCache(), verify: { name: 'other.example.org' } }),
  },
  'a refused peer, record by record': {
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    server: good,
    options: (server) => ({ ...to(server), stoppable: true, verify: { name: 'other.example.org' } }),
  },
}
const strange = createAuthority('stranger').ca

/** Runs until all have failed, some at a time. */
async function repeat(once: () => Promise<unknown>): Promise<void> {
  let left = RUNS
  const worker = async (): Promise<void> => {
    while (left-- > 0) await once()
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    const { code, name } = error as { code?: unknown; name?: unknown }
    return name === 'AbortError' ? name : code
  }
  return 'accepted'
}

describe(`after ${RUNS} failures nothing is left behind`, () => {
  it.each(Object.entries(kinds))(
    '%s',
    async (_what, { code, server: start, options }) => {
      await using server = await start()
      const signal = new AbortController().signal
      const closed = new Set<Socket>()
      server.server.on('connection', (socket: Socket) => {
        closed.add(socket)
        socket.once('close', () => closed.delete(socket))
      })
      expect(await codeOf(connect({ ...options(server), signal }))).toMatch(code)
      const before = await resources()
      await repeat(async () => {
        const got = await codeOf(connect({ ...options(server), signal }))
        if (typeof got !== 'string' || !(typeof code === 'string' ? got === code : code.test(got)))
          throw new Error(`failed otherwise: ${String(got)}`)
      })
      while (closed.size > 0) await turn()
      await expectNoMore(before)
      expect(getEventListeners(signal, 'abort')).toEqual([])
    },
    60_000,
  )

  it('an abort, at whatever moment', async () => {
    await using server = await tlsServer()
    const open = new Set<Socket>()
    server.server.on('connection', (socket: Socket) => {
      open.add(socket)
      socket.once('close', () => open.delete(socket))
    })
    const before = await resources()
    let runs = 0
    await repeat(async () => {
      const abort = new AbortController()
      const connecting = codeOf(connect({ ...to(server), signal: abort.signal }).then((socket) => socket.destroy()))
      for (let turns = runs++ % 12; turns > 0; turns--) await turn()
      abort.abort()
      expect(['AbortError', 'ABORT_ERR', 'accepted']).toContain(await connecting)
    })
    while (open.size > 0) await turn()
    await expectNoMore(before)
  }, 60_000)

  it('a refused upgrade leaves no listener on a transport, which is closed', async () => {
    await using server = await tlsServer()
    const raw = connectTcp(server.port, '127.0.0.1')
    const names = raw.eventNames().filter((name) => name !== 'error')
    expect(await codeOf(startTls(await ready(raw), { host: 'other.example.org', ca: trusted }))).toBe(
      'ERR_TLS_CERT_ALTNAME_INVALID',
    )
    expect(raw.destroyed).toBe(true)
    expect(raw.listenerCount('data') + raw.listenerCount('readable')).toBe(0)
    expect(names.length).toBeLessThanOrEqual(raw.eventNames().length + 1)
  })
})

function ready(socket: Socket): Promise<Socket> {
  return new Promise((resolve, reject) => socket.once('connect', () => resolve(socket)).once('error', reject))
}
