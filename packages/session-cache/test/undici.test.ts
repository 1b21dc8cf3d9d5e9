import { once } from 'node:events'
import { createServer as createPlainServer } from 'node:http'
import { createSecureServer } from 'node:http2'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { SecureVersion } from 'node:tls'
import { TestCa } from '@x-testing/test-ca'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Agent, request } from 'undici'
import { SessionCache } from '../src/index.ts'
import type { PeerEvidence, SharingOptions } from '../src/tls.ts'
import { connector } from '../src/undici.ts'
import { renewTickets } from './peers.ts'

const ca = new TestCa()
const stranger = new TestCa()
const identity = ca.server('localhost', '127.0.0.1')

describe.each<
  [string, { version: SecureVersion; renews: boolean; tickets: 'once' | 'again'; least: number; most: number }]
>([
  ['TLS 1.2', { version: 'TLSv1.2', renews: false, tickets: 'once', least: 18, most: 20 }],
  [
    'TLS 1.3, a server that renews its tickets',
    { version: 'TLSv1.3', renews: true, tickets: 'once', least: 18, most: 20 },
  ],
  [
    'TLS 1.3, a server on node:tls, tickets used again',
    { version: 'TLSv1.3', renews: false, tickets: 'again', least: 18, most: 20 },
  ],
  [
    'TLS 1.3, a server on node:tls, tickets used once',
    { version: 'TLSv1.3', renews: false, tickets: 'once', least: 12, most: 13 },
  ],
])('undici over %s', (_name, { version, renews, tickets, least, most }) => {
  let server: Server
  let origin: string
  const resumed: boolean[] = []

  beforeAll(async () => {
    server = createServer(
      { cert: identity.cert, key: identity.key, minVersion: version, maxVersion: version },
      (_request, response) => {
        response.setHeader('connection', 'close')
        response.end('hello')
      },
    )
    if (renews) renewTickets(server)
    server.on('secureConnection', (socket) => void resumed.push(socket.isSessionReused()))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => server.close())

  it(`resumes at least ${least} of 20 connections one after the other`, async () => {
    const dispatcher = new Agent({
      connect: connector({ ca: ca.ca }, { store: new SessionCache<PeerEvidence>(), tickets }),
    })
    for (let i = 0; i < 20; i++) {
      const { body } = await request(origin, { dispatcher })
      expect(await body.text()).toBe('hello')
    }
    await dispatcher.close()
    const count = resumed.filter(Boolean).length
    expect(resumed).toHaveLength(20)
    expect(count).toBeGreaterThanOrEqual(least)
    expect(count).toBeLessThanOrEqual(most)
  })

  it('refuses under another policy what was accepted before, with the same store', async () => {
    const store = new SessionCache<PeerEvidence>()
    const through = async (options: Parameters<typeof connector>[0]): Promise<number> => {
      const dispatcher = new Agent({ connect: connector(options, { store }) })
      try {
        const { body, statusCode } = await request(origin, { dispatcher })
        await body.dump()
        return statusCode
      } finally {
        await dispatcher.close()
      }
    }
    expect(await through({ ca: ca.ca })).toBe(200)
    await expect(through({ ca: stranger.ca })).rejects.toMatchObject({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' })
    await expect(through({ ca: ca.ca, servername: 'wrong.test' })).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    })
  })
})

describe('connector', () => {
  const sharing: SharingOptions = { store: new SessionCache<PeerEvidence>() }

  it('connects without TLS where the origin says http', async () => {
    const server = createPlainServer((_request, response) => response.end('plain')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const dispatcher = new Agent({ connect: connector({}, sharing) })
    const { port } = server.address() as AddressInfo
    expect(await (await request(`http://127.0.0.1:${port}`, { dispatcher })).body.text()).toBe('plain')
    server.closeAllConnections()
    server.close()
    await expect(request(`http://127.0.0.1:1`, { dispatcher })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await dispatcher.close()
  })

  it('speaks HTTP/2 where asked to', async () => {
    const server = createSecureServer({ cert: identity.cert, key: identity.key }).listen(0, '127.0.0.1')
    server.on('stream', (stream) => stream.end('second'))
    await once(server, 'listening')
    const dispatcher = new Agent({
      allowH2: true,
      connect: connector({ ca: ca.ca, ALPNProtocols: ['h2', 'http/1.1'] }, sharing),
    })
    const { port } = server.address() as AddressInfo
    expect(await (await request(`https://127.0.0.1:${port}`, { dispatcher })).body.text()).toBe('second')
    await dispatcher.destroy()
    server.close()
  })

  it.each(['host', 'port', 'path', 'socket', 'session'])(
    'refuses the option %s, which comes from the request',
    (name) => {
      expect(() => connector({ [name]: 'x' }, sharing)).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
      )
    },
  )
})
