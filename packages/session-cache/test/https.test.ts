import { once } from 'node:events'
import { createServer, get, type RequestOptions, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { TestCa } from '@x-testing/test-ca'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { SessionAgent } from '../src/https.ts'
import { SessionCache } from '../src/index.ts'
import { type PeerEvidence, sessionPeer, type SharingOptions } from '../src/tls.ts'
import { renewTickets } from './peers.ts'

const ca = new TestCa()
const stranger = new TestCa()
const identity = ca.server('localhost')

describe('SessionAgent', () => {
  let server: Server
  let base: RequestOptions
  let sockets: TLSSocket[] = []

  beforeAll(async () => {
    server = createServer({ cert: identity.cert, key: identity.key }, (request, response) =>
      response.end(`you asked for ${request.url ?? ''}`),
    )
    renewTickets(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    base = { host: '127.0.0.1', port: (server.address() as AddressInfo).port, servername: 'localhost', ca: ca.ca }
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })
  afterEach(() => void (sockets = []))

  async function request(agent: SessionAgent, options: RequestOptions = {}): Promise<string> {
    const sent = get({ ...base, agent, ...options })
    sent.once('socket', (socket) => sockets.push(socket as TLSSocket))
    const [response] = (await once(sent, 'response')) as [AsyncIterable<Buffer>]
    let text = ''
    for await (const chunk of response) text += chunk.toString()
    return text
  }
  const make = (
    options: ConstructorParameters<typeof SessionAgent>[0] = {},
    sharing: Partial<SharingOptions> = {},
  ): SessionAgent => new SessionAgent(options, { store: new SessionCache<PeerEvidence>(), ...sharing })
  const resumed = (): boolean[] => sockets.map((socket) => sessionPeer(socket)?.resumed ?? false)

  it('resumes 19 of 20 requests on connections of their own, whatever they ask for', async () => {
    const agent = make()
    for (let i = 0; i < 20; i++)
      expect(await request(agent, { path: `/${i}`, headers: { 'x-number': i } })).toBe(`you asked for /${i}`)
    expect(new Set(sockets).size).toBe(20)
    expect(resumed().filter(Boolean)).toHaveLength(19)
    expect(agent).toMatchObject({ maxCachedSessions: 0 })
  })

  it('keeps connections alive, and takes their sessions', async () => {
    const store = new SessionCache<PeerEvidence>()
    const agent = make({ keepAlive: true }, { store })
    for (let i = 0; i < 3; i++) await request(agent)
    expect(new Set(sockets).size).toBe(1)
    expect(store.size).toBeGreaterThan(0)
    agent.destroy()
  })

  it.each([false, true])(
    'does not pass by a check of identity at the second request (keepAlive %s)',
    async (keepAlive) => {
      const agent = make({ keepAlive })
      await request(agent)
      const pin = (): Error => Object.assign(new Error('wrong pin'), { code: 'ERR_PIN' })
      await expect(request(agent, { checkServerIdentity: pin })).rejects.toMatchObject({ code: 'ERR_PIN' })
      await expect(request(agent, { ca: stranger.ca })).rejects.toMatchObject({
        code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      })
      await expect(request(agent, { servername: 'wrong.test' })).rejects.toMatchObject({
        code: 'ERR_TLS_CERT_ALTNAME_INVALID',
      })
      await expect(request(agent, { headers: { host: 'wrong.test' }, servername: undefined })).rejects.toMatchObject({
        code: 'ERR_TLS_CERT_ALTNAME_INVALID',
      })
      await request(agent)
      expect(resumed().at(-1)).toBe(!keepAlive)
      agent.destroy()
    },
  )

  it('does not give a connection on which nothing was verified to a request that verifies', async () => {
    const agent = make({ keepAlive: true })
    await request(agent, { rejectUnauthorized: false, ca: stranger.ca })
    await expect(request(agent, { ca: stranger.ca })).rejects.toMatchObject({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' })
    agent.destroy()
  })

  it('takes options of the agent and URLs, and reports errors of the connection', async () => {
    const { port, ...rest } = base
    const agent = make(rest as object)
    const sent = get(new URL(`https://localhost:${String(port)}/a?b#c`), { agent })
    const [response] = (await once(sent, 'response')) as [AsyncIterable<Buffer>]
    let text = ''
    for await (const chunk of response) text += chunk.toString()
    expect(text).toBe('you asked for /a?b')
    await expect(request(agent, { port: 1 })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('refuses options that cannot be judged, and misuse', () => {
    expect(() => get({ ...base, agent: make(), checkServerIdentity: Promise.resolve() as never })).toThrow(
      expect.objectContaining({ code: 'ERR_SESSION_PARAMETER' }),
    )
    expect(() => new SessionAgent({}, {} as SharingOptions)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    )
  })
})
