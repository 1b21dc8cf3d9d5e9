import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createSecureContext } from 'node:tls'
import { SessionCache } from '@x/session-cache'
import { Agent, request } from 'undici'
import { describe, expect, it } from 'vitest'
import { onTicketKey, renewTickets } from '../src/engine/node-internals.ts'
import { connect, connector, type TicketKey, type TicketKeyFunction } from '../src/index.ts'
import { echoing, ourServer, visit } from './server-support.ts'
import { authority, identity } from './support.ts'

const newKey = (): TicketKey => ({ name: randomBytes(16), key: randomBytes(32) })

/** A ring of keys as a program would keep it: the first is the current one. */
class Ring {
  keys: TicketKey[] = [newKey()]
  readonly asked: (string | undefined)[] = []
  readonly answer: TicketKeyFunction = (name) => {
    this.asked.push(name === undefined ? undefined : Buffer.from(name).toString('hex'))
    const [current] = this.keys
    if (name === undefined) return current
    const found = this.keys.find((key) => Buffer.compare(key.name, name) === 0)
    return found === undefined || current === undefined ? undefined : { name: current.name, key: found.key }
  }
  rotate(): void {
    this.keys = [newKey(), ...this.keys.slice(0, 1)]
  }
}

async function serving(ticketKeys: TicketKeyFunction | Uint8Array) {
  const server = await ourServer({ ticketKeys })
  echoing(server)
  return server
}

const keySources = [
  ['random', undefined],
  ['48 bytes', randomBytes(48)],
  ['a function', new Ring().answer],
] as const

describe.each(keySources)('renewal of tickets, with keys from %s', (_source, ticketKeys) => {
  const keys = ticketKeys === undefined ? {} : { ticketKeys }

  it('lets a client that uses each once resume 19 of 20', async () => {
    await using server = await ourServer(keys)
    server.on('connection', (socket) => socket.end('hello'))
    const options = { host: 'localhost', port: server.port, ca: authority.ca, sessionCache: new SessionCache() }
    let resumed = 0
    for (let i = 0; i < 20; i++) {
      const socket = await connect({ ...options, minVersion: 'TLSv1.3' })
      if (socket.sessionReused) resumed++
      socket.resume()
      await once(socket, 'close')
    }
    expect(resumed).toBe(19)
  })

  it('lets undici resume 19 of 20, behind http.Server', async () => {
    await using server = await ourServer(keys)
    const http = createServer((_request, response) => response.setHeader('connection', 'close').end('hello'))
    const resumed: boolean[] = []
    server.on('connection', (socket) => {
      resumed.push(socket.sessionReused)
      http.emit('connection', socket)
    })
    const dispatcher = new Agent({ connect: connector({ ca: authority.ca, sessionCache: new SessionCache() }) })
    for (let i = 0; i < 20; i++) {
      const { body } = await request(`https://localhost:${server.port}`, { dispatcher })
      expect(await body.text()).toBe('hello')
    }
    await dispatcher.close()
    expect(resumed).toEqual([false, ...Array<boolean>(19).fill(true)])
  })

  it('is none where clients are asked for certificates', async () => {
    await using server = await ourServer({ ...keys, requestCert: 'optional', ca: authority.ca })
    echoing(server)
    const first = await visit(server.port, { minVersion: 'TLSv1.3' })
    const second = await visit(server.port, { minVersion: 'TLSv1.3', session: first.session })
    expect([first.tickets, second.reused, second.tickets]).toEqual([2, true, 0])
  })
})

it('where Node has no callback for ticket keys, its own answer stays', () => {
  expect(() => renewTickets({ context: {} }, Buffer.alloc(48))).not.toThrow()
})

it('this Node can ask for ticket keys', () => {
  expect(
    onTicketKey(createSecureContext({ cert: identity.cert, key: identity.key }), () => ({ verdict: 'reject' })),
  ).toBe(true)
  expect(onTicketKey({ context: {} }, () => ({ verdict: 'reject' }))).toBe(false)
})

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('ticket keys by function, %s', (version) => {
  const limits = { minVersion: version, maxVersion: version } as const

  it('serve several servers, and are asked without a name for a new ticket', async () => {
    const ring = new Ring()
    await using one = await serving(ring.answer)
    await using other = await serving(ring.answer)
    const { session } = await visit(one.port, limits)
    expect(ring.asked.every((name) => name === undefined)).toBe(true)
    expect(await visit(other.port, { ...limits, session })).toMatchObject({ reused: true, answer: 'ping' })
    expect(ring.asked).toContain(Buffer.from(ring.keys[0]?.name ?? []).toString('hex'))
  })

  it('rotate: the old one still opens and is renewed, the one before it no longer', async () => {
    const ring = new Ring()
    await using server = await serving(ring.answer)
    const first = await visit(server.port, limits)
    ring.rotate()
    const second = await visit(server.port, { ...limits, session: first.session })
    expect(second.reused).toBe(true)
    ring.rotate() // now only the renewed ticket has a key
    expect((await visit(server.port, { ...limits, session: second.session })).reused).toBe(true)
    expect(await visit(server.port, { ...limits, session: first.session })).toMatchObject({
      reused: false,
      answer: 'ping',
    })
  })

  it('of a host that asks for client certificates are not renewed: what was proven once is not believed for ever', async () => {
    const ring = new Ring()
    await using server = await ourServer({ ticketKeys: ring.answer, requestCert: true, ca: authority.ca })
    echoing(server)
    const { cert, key } = authority.issue({ names: 'client', purpose: 'client' })
    const shown = { ...limits, cert, key }
    const first = await visit(server.port, shown)
    const asked = (): number => ring.asked.filter((name) => name === undefined).length
    const made = asked()
    ring.rotate()
    const second = await visit(server.port, { ...shown, session: first.session })
    expect([second.reused, second.answer, asked()]).toEqual([true, 'ping', made])
    ring.rotate() // the key is gone, and the ticket with it
    expect(await visit(server.port, { ...shown, session: first.session })).toMatchObject({
      reused: false,
      answer: 'ping',
    })
  })

  const broken: readonly [string, (name?: Uint8Array) => unknown][] = [
    ['a Promise', (name) => Promise.resolve(name === undefined ? fixed : fixed)],
    ['a rejected Promise', () => Promise.reject(new Error('no'))],
    ['a throw', () => expect.unreachable()],
    ['nothing', () => undefined],
    ['a short key', () => ({ ...fixed, key: Buffer.alloc(16) })],
    ['a long name', () => ({ ...fixed, name: Buffer.alloc(17) })],
    ['a string', () => ({ ...fixed, key: 'k'.repeat(32) })],
    ['48 bytes', () => Buffer.alloc(48)],
  ]
  const fixed = newKey()

  it.each(broken)('%s to decrypt rejects the ticket, and the handshake is a full one', async (_what, answer) => {
    let works = true
    await using server = await serving((name) => (works ? fixed : (answer(name) as TicketKey)))
    const { session } = await visit(server.port, limits)
    expect((await visit(server.port, { ...limits, session })).reused).toBe(true)
    works = false
    expect(await visit(server.port, { ...limits, session })).toMatchObject({ reused: false, answer: 'ping' })
  })

  it.each(broken)('%s to encrypt makes a ticket that resumes nowhere', async (what, answer) => {
    let works = false
    await using server = await serving((name) => (works ? fixed : (answer(name) as TicketKey)))
    const reported: unknown[] = []
    server.on('ticketKeyError', (error) => reported.push((error as { code?: unknown }).code))
    const { session, answer: echoed } = await visit(server.port, limits)
    expect(echoed).toBe('ping')
    expect(reported.length).toBeGreaterThan(0)
    if (what !== 'a throw') expect(reported[0]).toBe('ERR_SECURE_SOCKET_TICKET_KEY')
    works = true
    expect(await visit(server.port, { ...limits, session })).toMatchObject({ reused: false, answer: 'ping' })
  })

  it('as 48 bytes serve several servers; random ones by default do not', async () => {
    const keys = randomBytes(48)
    await using one = await serving(keys)
    await using other = await serving(keys)
    const { session } = await visit(one.port, limits)
    expect((await visit(other.port, { ...limits, session })).reused).toBe(true)
    await using third = await ourServer()
    echoing(third)
    expect((await visit(third.port, { ...limits, session })).reused).toBe(false)
  })

  it('outlive certificates that are replaced', async () => {
    await using server = await ourServer({ hosts: { '': { cert: identity.cert, key: identity.key } } })
    echoing(server)
    const { session } = await visit(server.port, limits)
    await server.setHosts({ '': { cert: [identity.cert, identity.cert], key: identity.key } })
    expect((await visit(server.port, { ...limits, session })).reused).toBe(true)
  })
})
