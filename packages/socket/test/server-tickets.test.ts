import { randomBytes } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { onTicketKey } from '../src/engine/node-internals.ts'
import type { TicketKey, TicketKeyFunction } from '../src/index.ts'
import { echoing, ourServer, visit } from './server-support.ts'
import { identity } from './support.ts'

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
