import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, type ConnectionOptions, createServer } from 'node:tls'
import { TestCa } from '@x-testing/test-ca'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { peerIn, readTicket, withoutPeer, withPeer } from '../src/tls.ts'

const authority = new TestCa()
const { cert, key, certificate } = authority.server('localhost')
const der = certificate.raw

/** A session of this Node and its OpenSSL, and whether what is made of it resumes. */
async function serve<T>(
  version: 'TLSv1.2' | 'TLSv1.3',
  use: (
    visit: (session?: Buffer, more?: ConnectionOptions) => Promise<{ session: Buffer; reused: boolean }>,
  ) => Promise<T>,
): Promise<T> {
  const limits = { minVersion: version, maxVersion: version }
  const server = createServer({ cert, key, ...limits }, (socket) => {
    socket.on('error', () => undefined).once('data', () => socket.end('hello')) // one that ends at once sends no ticket before Node 26
  })
  server.on('tlsClientError', () => undefined).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  try {
    return await use(async (session, more = {}) => {
      const options = { host: '127.0.0.1', port, servername: 'localhost', ca: authority.root.cert, ...limits, ...more }
      const socket = connect(session === undefined ? options : { ...options, session })
      let last: Buffer | undefined
      socket.on('session', (received: Buffer) => (last = received))
      socket.write('hello')
      await once(socket, 'data')
      const reused = socket.isSessionReused()
      last ??= socket.getSession()
      socket.destroy()
      return { session: last as Buffer, reused }
    })
  } finally {
    server.close()
  }
}

describe('the certificate in a session', () => {
  it('is left out and put back, octet by octet', async () => {
    await serve('TLSv1.3', async (visit) => {
      const { session } = await visit()
      expect(session.includes(der)).toBe(true)
      const bare = withoutPeer(session) as Buffer
      expect(bare.includes(der)).toBe(false)
      expect(peerIn(session)).toEqual(der)
      expect(peerIn(bare)).toBeUndefined()
      expect(session.length - bare.length).toBeGreaterThan(der.length)
      expect(readTicket(bare)).toEqual(readTicket(session))
      expect(withPeer(bare, der)).toEqual(session)
      expect(withoutPeer(bare)).toBeUndefined()
      expect(withPeer(session, der)).toBeUndefined()
    })
  })

  it('is not needed to resume in TLS 1.3; what comes of that has none either', async () => {
    await serve('TLSv1.3', async (visit) => {
      const { session } = await visit()
      const resumed = await visit(withoutPeer(session))
      expect(resumed.reused).toBe(true)
      expect(resumed.session.includes(der)).toBe(false)
      const whole = withPeer(resumed.session, der) as Buffer
      expect(whole.includes(der)).toBe(true)
    })
  })

  it('is needed in TLS 1.2 by the check of Node alone', async () => {
    await serve('TLSv1.2', async (visit) => {
      const { session } = await visit()
      expect((await visit(session)).reused).toBe(true)
      await expect(visit(withoutPeer(session))).rejects.toMatchObject({ code: 'UNABLE_TO_GET_ISSUER_CERT' })
      const resumed = await visit(withoutPeer(session), { rejectUnauthorized: false })
      expect(resumed.reused).toBe(true)
      expect(resumed.session.includes(der)).toBe(false)
      expect((withPeer(resumed.session, der) as Buffer).includes(der)).toBe(true)
    })
  })

  it('is found in nothing else, in bounded time', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        withoutPeer(bytes)
        withPeer(bytes, der)
        peerIn(bytes)
      }),
    )
    for (const bytes of [[], [0x30], [0x30, 0], [0x30, 0x80, 0, 0], [0x30, 0x84, 0xff, 0xff, 0xff, 0xff]]) {
      expect(withoutPeer(Uint8Array.from(bytes))).toBeUndefined()
      expect(withPeer(Uint8Array.from(bytes), der)).toBeUndefined()
    }
  })
})
