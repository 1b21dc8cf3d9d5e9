import { constants } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type LookupFunction, Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { SessionCache, type SessionEntry, type SessionStore } from '@x/session-cache'
import { describe, expect, it, vi } from 'vitest'
import { tcpHandle, verifyError } from '../src/engine/node-internals.ts'
import { connect, type ConnectOptions, dial } from '../src/index.ts'
import { authority, rejection, tcpServer, tlsServer, visit } from './support.ts'

// A client whose engine makes the connection itself, as most do: no transport is given, and none is wanted back.
const ca = authority.ca
const host = '127.0.0.1'
const versions = ['TLSv1.2', 'TLSv1.3'] as const

/** A name with two addresses, at the first of which nobody listens. */
const twofold: LookupFunction = (_name, _options, done) =>
  done(null, [
    { address: '::1', family: 6 },
    { address: '127.0.0.1', family: 4 },
  ])

describe.each(versions)('the engine connects by itself, %s', (version) => {
  const limits = { minVersion: version, maxVersion: version, ca }

  it('and counts what is on the wire, as the other side does, also when it is closed', async () => {
    await using server = await tlsServer()
    const accepted = once(server.server, 'connection') as Promise<[Socket]>
    const socket = await connect({ host, port: server.port, ...limits })
    const [raw] = await accepted
    socket.write('x'.repeat(10_000))
    expect((await socket.readBytes(10_000)).length).toBe(10_000)
    expect(socket.bytesWritten).toBe(raw.bytesRead)
    expect(socket.bytesRead).toBe(raw.bytesWritten)
    expect(socket.bytesRead).toBeGreaterThan(11_000)
    const { bytesRead } = socket
    socket.destroy()
    await once(socket, 'close')
    expect(socket.bytesRead).toBe(bytesRead)
  })

  it('keeps name, ALPN and session where a first address does not answer', async () => {
    const asked: (string | false | null | undefined)[] = []
    await using server = await tlsServer({ ALPNProtocols: ['imap'] }, (socket) => {
      asked.push(socket.servername, socket.alpnProtocol)
      socket.pipe(socket)
    })
    const options = {
      ...limits,
      host: 'localhost',
      port: server.port,
      lookup: twofold,
      autoSelectFamily: true,
      ALPNProtocols: ['imap'],
      sessionCache: new SessionCache(),
    }
    expect((await visit(options)).sessionReused).toBe(false)
    const again = await visit(options)
    expect(again.sessionReused).toBe(true)
    // a server of OpenSSL does not tell the name of a resumed connection in TLS 1.2
    expect(asked).toEqual(['localhost', 'imap', version === 'TLSv1.2' ? false : 'localhost', 'imap'])
  })

  it('offers a session from a store that has to be waited for', async () => {
    await using server = await tlsServer()
    const cache = new SessionCache()
    const sessionCache: SessionStore = {
      add: (key, entry) => cache.add(key, entry),
      get: async (key) => {
        await new Promise(setImmediate)
        return cache.get(key)
      },
      delete: (key, entry) => cache.delete(key, entry),
    }
    const options = { ...limits, host, port: server.port, sessionCache }
    expect((await visit(options)).sessionReused).toBe(false)
    expect((await visit(options)).sessionReused).toBe(true)
  })

  /** Has the store answer when told so. */
  function answeringWhenTold(cache: SessionCache): {
    readonly sessionCache: SessionStore
    readonly answer: () => void
  } {
    let answer = (): void => undefined
    const told = new Promise<void>((resolve) => (answer = resolve))
    const { sessionCache } = answering(cache, () => told)
    return { sessionCache, answer }
  }

  function answering(cache: SessionCache, until: () => Promise<unknown>): { readonly sessionCache: SessionStore } {
    const get = async (key: string): Promise<SessionEntry | undefined> => {
      const found = cache.get(key) // taken out in TLS 1.3
      await until()
      return found
    }
    const add: SessionStore['add'] = (key, entry) => cache.add(key, entry)
    return { sessionCache: { add, get, delete: (key, entry) => cache.delete(key, entry) } }
  }

  /** A cache that has sessions for a port where nobody listens any more. */
  async function deserted(): Promise<{ readonly cache: SessionCache; readonly options: ConnectOptions }> {
    const cache = new SessionCache()
    const options = { ...limits, host, sessionKey: 'the same wherever it listens' }
    await using server = await tlsServer()
    await visit({ ...options, port: server.port, sessionCache: cache })
    expect(cache.size).toBeGreaterThan(0)
    return { cache, options: { ...options, port: server.port } }
  }

  it.each(['at once', 'later', 'when the connection has failed', 'when there is a connection, closed'] as const)(
    'keeps a session that could not be offered, from a store that answers %s',
    async (when) => {
      const { cache, options } = await deserted()
      const before = cache.size
      if (when === 'at once' || when === 'later') {
        const { sessionCache } = when === 'at once' ? { sessionCache: cache } : answering(cache, async () => undefined)
        expect((await rejection(connect({ ...options, sessionCache })))['code']).toBe('ECONNREFUSED')
      } else if (when === 'when the connection has failed') {
        const { sessionCache, answer } = answeringWhenTold(cache)
        expect((await rejection(connect({ ...options, sessionCache })))['code']).toBe('ECONNREFUSED')
        answer()
      } else {
        await using server = await tcpServer(() => undefined)
        const { sessionCache, answer } = answeringWhenTold(cache)
        const socket = dial({ ...options, port: server.port, sessionCache })
        await once(socket, 'connect')
        socket.destroy()
        answer()
      }
      await vi.waitFor(() => expect(cache.size).toBe(before))
    },
  )

  it.each([new Error('of the store'), undefined])(
    'tells why there is no connection also where the entry to give back cannot be read: %o',
    async (thrown) => {
      const { cache, options } = await deserted()
      const [, kept] = [...cache.entries()][0] as [string, SessionEntry]
      let reads = 0
      const hostile = Object.defineProperty({ ...kept, protocol: kept.protocol }, 'protocol', {
        get: () => {
          if (reads++ > 0) throw thrown
          return kept.protocol
        },
      })
      for (const get of [() => hostile, async () => hostile]) {
        reads = 0
        const sessionCache: SessionStore = { add: () => undefined, get, delete: () => undefined }
        expect((await rejection(connect({ ...options, sessionCache })))['code']).toBe('ECONNREFUSED')
        expect(reads).toBe(2)
      }
    },
  )
})

describe('the engine connects by itself', () => {
  it('closes by RST where told so', async () => {
    const codes: unknown[] = []
    await using server = await tlsServer({}, (socket) => socket.resume())
    server.server.on('connection', (raw: Socket) =>
      raw.on('error', ({ code }: NodeJS.ErrnoException) => codes.push(code)),
    )
    const accepted = once(server.server, 'connection') as Promise<[Socket]>
    const socket = await connect({ host, port: server.port, ca })
    const [raw] = await accepted
    socket.resetAndDestroy()
    await once(raw, 'close')
    expect(socket.destroyed).toBe(true)
    expect(raw.destroyed).toBe(true)
  })

  it('leaves no handle behind where it is to be closed by RST while it connects', async () => {
    await using server = await tlsServer({}, (socket) => socket.resume())
    const handles = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length
    const before = handles()
    const socket = dial({ host: 'localhost', port: server.port, ca })
    socket.resetAndDestroy()
    await once(socket, 'close')
    await vi.waitFor(() => expect(handles()).toBe(before))
  })

  it.each([
    ['ERR_SSL_NO_CIPHERS_AVAILABLE', { ciphers: 'TLS_AES_128_GCM_SHA256', maxVersion: 'TLSv1.2' }],
    ['ERR_SSL_NO_PROTOCOLS_AVAILABLE', { secureOptions: constants.SSL_OP_NO_TLSv1_2 | constants.SSL_OP_NO_TLSv1_3 }],
  ] as const)('tells why OpenSSL does not even say hello: %s', async (code, options) => {
    await using server = await tlsServer()
    const error = await rejection(connect({ host, port: server.port, ca, ...options }))
    expect([error['code'], error['phase']]).toEqual([code, 'handshake'])
    expect(server.received()).toBe('')
  })

  it('sets what net.connect would set: Nagle off, keep-alive as told', async () => {
    await using server = await tlsServer()
    const noDelay = vi.spyOn(Socket.prototype, 'setNoDelay')
    const keepAlive = vi.spyOn(Socket.prototype, 'setKeepAlive')
    try {
      const mine = (spy: { mock: { contexts: unknown[]; calls: unknown[][] } }): unknown[][] =>
        spy.mock.calls.filter((_call, at) => {
          const socket = spy.mock.contexts[at]
          return socket instanceof TLSSocket && !('server' in socket && Boolean(socket.server))
        })
      const socket = await connect({ host, port: server.port, ca, keepAlive: true, keepAliveInitialDelay: 5_000 })
      expect(mine(noDelay as never)).toEqual([[true]])
      expect(mine(keepAlive as never)).toEqual([[true, 5_000]])
      socket.destroy()
      noDelay.mockClear()
      ;(await connect({ host, port: server.port, ca, noDelay: false })).destroy()
      expect(mine(noDelay as never)).toEqual([])
    } finally {
      noDelay.mockRestore()
      keepAlive.mockRestore()
    }
  })

  it('leaves nothing behind where it is closed while it connects', async () => {
    const silent = createServer().listen(0, host)
    await once(silent, 'listening')
    const controller = new AbortController()
    const lookup: LookupFunction = () => controller.abort() // and never answers
    const refused = await rejection(connect({ host: 'localhost', port: 1, ca, lookup, signal: controller.signal }))
    expect(refused.name).toBe('AbortError')
    silent.close()
  })

  it('is not a way around the gate: nothing that is written before the verdict is on the wire', async () => {
    const seen: Buffer[] = []
    await using server = await tcpServer((socket) => socket.on('data', (chunk: Buffer) => seen.push(chunk)))
    const failed = rejection(connect({ host, port: server.port, ca, handshakeTimeout: 100 }))
    expect((await failed)['code']).toBe('ERR_SECURE_SOCKET_HANDSHAKE_TIMEOUT')
    expect(Buffer.concat(seen)[0]).toBe(22) // the hello, and nothing else
  })

  it('asks Node for what lies below, and does without', () => {
    expect(tcpHandle({} as never)).toBeUndefined()
    expect(tcpHandle({ _handle: null } as never)).toBeUndefined()
    expect(tcpHandle({ _handle: { _parent: {} } } as never)).toBeUndefined()
  })

  it('counts a peer as not verified where Node cannot be asked', () => {
    const unverified = { code: 'ERR_SECURE_SOCKET_CHECK_FAILED', reason: undefined }
    for (const _handle of [undefined, null, {}]) {
      expect(verifyError({ _handle, authorized: true } as never, false)).toEqual(unverified)
      expect(verifyError({ _handle, authorized: false } as never, true)).toEqual(unverified)
      expect(verifyError({ _handle, authorized: false, authorizationError: 'X' } as never, true)?.code).toBe('X')
    }
    const said = { _handle: { verifyError: () => null }, authorized: false, authorizationError: 'X' }
    expect(verifyError(said as never, true)?.code).toBe('X')
    expect(verifyError(said as never, false)).toBeUndefined()
  })
})
