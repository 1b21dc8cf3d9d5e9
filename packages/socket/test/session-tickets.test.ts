import { once } from 'node:events'
import { createServer as createHttpsServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { SessionCache } from '@x/session-cache'
import { readTicket } from '@x/session-cache/tls'
import { Agent, request } from 'undici'
import { describe, expect, it } from 'vitest'
import { coreOf } from '../src/facade.ts'
import { connect, connector, type ConnectOptions, listen, type SecureSocket } from '../src/index.ts'
import { authority, identity, rejection, tlsServer } from './support.ts'

const ca = authority.ca
const versions = ['TLSv1.2', 'TLSv1.3'] as const

interface Key {
  readonly name: Buffer
  readonly key: Buffer
}

/** Node emits no event for a session of more octets (SSL::kMaxSessionSize). */
const MAX_REPORTED = 10_240

describe.each(versions)('sessions too large for an event, %s', (version) => {
  // the ticket holds the client's certificate
  const names = Array.from({ length: 400 }, (_, at) => `client-${at}.with-a-long-name.example.org`)
  const client = authority.issue({ names, purpose: 'client' })
  const limits = { minVersion: version, maxVersion: version }
  const server = { ...limits, ca, requestCert: true }
  const shown = { host: 'localhost', ca, cert: client.cert, key: client.key, ...limits }

  async function greeted(options: ConnectOptions): Promise<SecureSocket> {
    const socket = await connect(options)
    socket.write('ping')
    await once(socket, 'data')
    return socket
  }

  const ends: readonly (readonly [string, (socket: SecureSocket) => void])[] = [
    ['in order', (socket) => socket.end()],
    ['abruptly', (socket) => socket.destroy()],
  ]
  it.each(ends)('are kept where the connection ends %s', async (_how, end) => {
    await using listening = await tlsServer(server)
    const sessionCache = new SessionCache()
    const options = { ...shown, port: listening.port, sessionCache }
    const reused: boolean[] = []
    for (let i = 0; i < 3; i++) {
      const socket = await greeted(options)
      reused.push(socket.sessionReused)
      end(socket)
      if (!socket.closed) await once(socket, 'close')
      for (const [, { session }] of sessionCache.entries()) expect(session.length).toBeGreaterThan(MAX_REPORTED)
    }
    // a node:tls server sends no ticket on resumption, and the one that was used is not kept again
    expect(reused).toEqual(version === 'TLSv1.2' ? [false, true, true] : [false, true, false])
  })

  it('are kept where nothing but the end comes', async () => {
    await using listening = await tlsServer(server, (socket) => {
      setImmediate(() => socket.end()) // before Node 26 a server that ends at once sends no ticket in TLS 1.3
    })
    const sessionCache = new SessionCache()
    const options = { ...shown, port: listening.port, sessionCache }
    for (const reused of [false, true]) {
      const socket = await connect(options)
      expect(socket.sessionReused).toBe(reused)
      socket.resume()
      await once(socket, 'close')
    }
  })

  it('are kept where the server speaks before its ticket', async () => {
    // its own certificate makes the session large
    const { cert, key } = authority.issue(['localhost', ...names])
    await using listening = await tlsServer({ ...limits, cert, key }, (socket) => {
      socket.resume().write('220 ready')
    })
    const sessionCache = new SessionCache()
    const options = { host: 'localhost', ca, ...limits, port: listening.port, sessionCache }
    for (const reused of [false, true]) {
      const socket = await connect(options)
      expect(socket.sessionReused).toBe(reused)
      await once(socket, 'data')
      socket.end()
      await once(socket, 'close')
      for (const [, { session }] of sessionCache.entries()) expect(readTicket(session)?.id).toBeDefined()
    }
  })

  it('are not kept of a peer that is refused', async () => {
    await using listening = await tlsServer(server, (socket) => socket.end('data'))
    const sessionCache = new SessionCache()
    const verify = { name: 'elsewhere.example.org' }
    await rejection(connect({ ...shown, port: listening.port, sessionCache, verify }))
    expect(sessionCache.size).toBe(0)
  })
})

describe.each(versions)('connections that can leave TLS, %s', (version) => {
  it('resume, and are judged by the entry', async () => {
    await using server = await tlsServer({ minVersion: version, maxVersion: version })
    const options = { host: 'localhost', port: server.port, ca, sessionCache: new SessionCache(), stoppable: true }
    for (const proven of ['now', 'earlier']) {
      const socket = await connect(options)
      expect(socket.sessionReused).toBe(proven === 'earlier')
      expect(socket.verification?.outcomes.chain).toMatchObject({ result: 'passed', evidence: { proven } })
      socket.write('ping')
      await once(socket, 'data')
      socket.destroy()
    }
  })
})

interface Case {
  readonly version: (typeof versions)[number]
  readonly tickets: ConnectOptions['tickets']
  readonly least: number
  readonly most: number
}

const cases: readonly Case[] = [
  { version: 'TLSv1.2', tickets: 'once', least: 19, most: 19 },
  { version: 'TLSv1.3', tickets: 'again', least: 18, most: 19 },
  { version: 'TLSv1.3', tickets: 'once', least: 12, most: 13 },
]

describe.each(cases)('of 20 connections with tickets: $tickets, $version', ({ version, tickets, least, most }) => {
  const options: ServerOptions = { cert: identity.cert, key: identity.key, minVersion: version, maxVersion: version }

  it(`undici resumes ${least} to ${most}`, async () => {
    const resumed: boolean[] = []
    const server = createHttpsServer(options, (_request, response) => {
      response.setHeader('connection', 'close').end('hello')
    })
    server.on('secureConnection', (socket) => resumed.push(socket.isSessionReused())).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const origin = `https://localhost:${(server.address() as AddressInfo).port}`
    const dispatcher = new Agent({
      connect: connector({ ca, sessionCache: new SessionCache(), ...(tickets !== undefined && { tickets }) }),
    })
    for (let i = 0; i < 20; i++) {
      const { body } = await request(origin, { dispatcher })
      expect(await body.text()).toBe('hello')
    }
    await dispatcher.close()
    server.close()
    expect(resumed).toHaveLength(20)
    expect(resumed.filter(Boolean).length).toBeGreaterThanOrEqual(least)
    expect(resumed.filter(Boolean).length).toBeLessThanOrEqual(most)
  })
})

describe.each(versions)('the peer’s certificate, %s', (version) => {
  it('is in every entry that is kept, and in nothing that is offered', async () => {
    await using server = await tlsServer({ minVersion: version, maxVersion: version })
    const sessionCache = new SessionCache()
    const options = { host: 'localhost', port: server.port, ca, sessionCache, tickets: 'again' } as const
    const der = identity.certificate.raw
    for (let i = 0; i < 4; i++) {
      const socket = await connect(options)
      expect(socket.sessionReused).toBe(i > 0)
      socket.write('ping')
      await once(socket, 'data')
      // OpenSSL's own has what was offered
      expect(coreOf(socket).tlsEngine?.tls.getSession()?.includes(der)).toBe(i === 0)
      expect(socket.peerCertificates()[0]?.raw).toEqual(der)
      socket.destroy()
      const kept = [...sessionCache.entries()].map(([, { session }]) => Buffer.from(session).includes(der))
      expect([kept.length > 0, kept.every(Boolean)]).toEqual([true, true])
    }
  })
})

describe('tickets', () => {
  it('that a server of TLS 1.2 sends in place of the one resumed by are kept, though Node emits no event', async () => {
    const keys = [1, 2].map((fill) => ({ name: Buffer.alloc(16, fill), key: Buffer.alloc(32, fill) })) as [Key, Key]
    let current = keys[0]
    const ticketKeys = (name?: Uint8Array): Key | undefined => {
      const found = name === undefined ? current : keys.find((one) => one.name.equals(name))
      return found && { name: current.name, key: found.key }
    }
    await using server = await listen({ host: '127.0.0.1', cert: identity.cert, key: identity.key, ticketKeys })
    server.on('connection', (socket) => void socket.on('error', () => undefined).end('hello'))
    const sessionCache = new SessionCache()
    const port = (server.address() as AddressInfo).port
    const ids = new Set<string>()
    const evidences = new Set<string>()
    for (const [at, size] of [1, 2, 3, 4].entries()) {
      if (at === 2) current = keys[1]
      const socket = await connect({ host: 'localhost', port, ca, sessionCache, maxVersion: 'TLSv1.2' })
      expect(socket.sessionReused).toBe(at > 0)
      socket.resume()
      await once(socket, 'close')
      for (const [, { session, evidence }] of sessionCache.entries()) {
        ids.add(Buffer.from(readTicket(session)?.id ?? []).toString('hex'))
        evidences.add(JSON.stringify(evidence))
      }
      expect([at, ids.size]).toEqual([at, size])
    }
    expect(evidences.size).toBe(1) // the verdict grows no younger with the ticket
  })

  it("'again' keeps the verdict's age and refuses what has changed, as 'once' does", async () => {
    await using server = await tlsServer({ minVersion: 'TLSv1.3' })
    const sessionCache = new SessionCache()
    const options = { host: 'localhost', port: server.port, ca, sessionCache, tickets: 'again' } as const
    const seen = new Set<unknown>()
    for (let i = 0; i < 6; i++) {
      const socket = await connect(options)
      expect(socket.sessionReused).toBe(i > 0)
      socket.write('ping')
      await once(socket, 'data')
      socket.destroy()
      for (const [, { evidence }] of sessionCache.entries()) seen.add(JSON.stringify(evidence))
      expect(sessionCache.size).toBe(2)
    }
    expect(seen.size).toBe(1)
    const refusal = await rejection(connect({ ...options, verify: { name: 'elsewhere.example.org' } }))
    expect(refusal).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID', check: 'name' })
  })

  it('are a word, and of clients', async () => {
    const wrong = { host: 'localhost', port: 1, tickets: 'always' } as unknown as ConnectOptions
    expect(await rejection(connect(wrong))).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE', message: /tickets/ })
  })
})

describe('a ticket that is offered again and again', () => {
  it.each(versions)('is kept once, %s', async (version) => {
    await using server = await tlsServer({ minVersion: version, maxVersion: version })
    const sessionCache = new SessionCache()
    const options = { host: 'localhost', port: server.port, ca, sessionCache, tickets: 'again' as const }
    const sizes: number[] = []
    for (let i = 0; i < 6; i++) {
      const socket = await connect(options)
      expect(socket.sessionReused).toBe(i > 0)
      socket.write('ping')
      await once(socket, 'data')
      socket.destroy()
      await once(socket, 'close')
      sizes.push(sessionCache.size)
    }
    expect(new Set(sizes).size).toBe(1)
  })
})
