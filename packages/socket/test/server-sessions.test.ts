import { constants, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { ConnectionOptions } from 'node:tls'
import {
  type ByteStore,
  EncryptedSessionStore,
  SessionCache,
  type SessionEntry,
  type SessionStore,
} from '@x/session-cache'
import { createAuthority } from '@x/utils'
import { describe, expect, it } from 'vitest'
import type { ListenOptions } from '../src/index.ts'
import { echoing, ourServer, visit } from './server-support.ts'
import { authority, identity } from './support.ts'

/** A client of TLS 1.2 that takes no tickets. */
const byId = { maxVersion: 'TLSv1.2', secureOptions: constants.SSL_OP_NO_TICKET } as const satisfies ConnectionOptions
const shared = Buffer.alloc(48, 3)

async function serving(sessionCache: SessionStore, options: ListenOptions = {}) {
  const server = await ourServer({ sessionCache, ticketKeys: shared, ...options })
  echoing(server)
  return server
}

/** A store that counts, and may lie. */
class Spy implements SessionStore {
  readonly cache = new SessionCache()
  readonly calls: string[] = []
  onGet: (entry: SessionEntry | undefined) => unknown = (entry) => entry

  add(key: string, entry: SessionEntry): void {
    this.calls.push('add')
    this.cache.add(key, entry)
  }
  get(key: string): SessionEntry | undefined {
    this.calls.push('get')
    return this.onGet(this.cache.get(key)) as SessionEntry | undefined
  }
  delete(key: string): void {
    this.cache.delete(key)
  }
}

/** Lists in memory, as a database outside the process would have them. */
function memory(): ByteStore & { readonly lists: Map<string, Uint8Array[]> } {
  const lists = new Map<string, Uint8Array[]>()
  return {
    lists,
    put: (name, bytes, { keep }) => void lists.set(name, [bytes, ...(lists.get(name) ?? [])].slice(0, keep)),
    take: (name) => lists.get(name)?.shift(),
    peek: (name) => lists.get(name)?.[0],
    delete: (name) => void lists.delete(name),
  }
}

describe('sessions that are known by their id', () => {
  it.each([{}, { stoppable: true }])('resume at every server that shares the store (%o)', async (engine) => {
    const sessionCache = new SessionCache()
    await using one = await serving(sessionCache, { ...engine, ticketKeys: randomBytes(48) })
    await using other = await serving(sessionCache, { ...engine, ticketKeys: randomBytes(48) })
    const first = await visit(one.port, byId)
    expect(first).toMatchObject({ answer: 'ping', reused: false, protocol: 'TLSv1.2' })
    const { session } = first
    expect(await visit(other.port, { ...byId, session })).toMatchObject({ answer: 'ping', reused: true })
    expect(await visit(one.port, { ...byId, session })).toMatchObject({ answer: 'ping', reused: true })
  })

  it('resume out of an encrypted store outside the process, and not once it was altered', async () => {
    const store = memory()
    const key = randomBytes(32)
    await using one = await serving(new EncryptedSessionStore({ store, key }))
    await using other = await serving(new EncryptedSessionStore({ store, key }))
    const { session } = await visit(one.port, byId)
    expect((await visit(other.port, { ...byId, session })).reused).toBe(true)
    const errors: unknown[] = []
    other.on('sessionCacheError', (error) => errors.push(error))
    for (const list of store.lists.values()) for (const bytes of list) bytes[40] = (bytes[40] as number) ^ 1
    expect(await visit(other.port, { ...byId, session })).toMatchObject({ answer: 'ping', reused: false })
    expect(errors).toMatchObject([{ code: 'ERR_SECURE_SOCKET_SESSION_STORE', cause: { code: 'ERR_SESSION_TAMPERED' } }])
  })

  it('are not asked for where the client has tickets', async () => {
    const spy = new Spy()
    await using server = await serving(spy)
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const limits = { minVersion: version, maxVersion: version }
      const { session } = await visit(server.port, limits)
      expect((await visit(server.port, { ...limits, session })).reused).toBe(true)
    }
    expect(spy.calls).toEqual([])
  })

  it('are used where the server itself makes no tickets of TLS 1.2', async () => {
    const spy = new Spy()
    const limits = { maxVersion: 'TLSv1.2' } as const
    await using server = await serving(spy, { ...limits, secureOptions: constants.SSL_OP_NO_TICKET })
    const { session } = await visit(server.port, limits)
    expect((await visit(server.port, { ...limits, session })).reused).toBe(true)
    expect(spy.calls).toEqual(['add', 'get'])
  })

  it('outlive certificates that are replaced, and end with the policy', async () => {
    const sessionCache = new SessionCache()
    await using server = await serving(sessionCache, { hosts: { '': { cert: identity.cert, key: identity.key } } })
    const { session } = await visit(server.port, byId)
    await server.setHosts({ '': { cert: [identity.cert, identity.cert], key: identity.key } })
    expect((await visit(server.port, { ...byId, session })).reused).toBe(true)
    await server.setHosts({ '': { cert: identity.cert, key: identity.key, ALPNProtocols: ['other'] } })
    expect(await visit(server.port, { ...byId, session })).toMatchObject({ answer: 'ping', reused: false })
  })

  it('keep who the client is', async () => {
    const sessionCache = new SessionCache()
    await using server = await serving(sessionCache, { requestCert: true, ca: authority.ca })
    const { cert, key } = authority.issue({ names: 'client', purpose: 'client' })
    const { session } = await visit(server.port, { ...byId, cert, key })
    const accepted = once(server, 'connection')
    expect((await visit(server.port, { ...byId, session })).reused).toBe(true)
    const [socket] = (await accepted) as unknown[]
    expect(socket).toMatchObject({ sessionReused: true, authorized: true })
  })

  it('are not kept of clients with a pre-shared key: each handshake uses it', async () => {
    const spy = new Spy()
    const [identity, psk] = ['client', randomBytes(32)]
    await using server = await serving(spy, { psk: { identity, key: psk } })
    const suite = { pskCallback: () => ({ identity, psk }), ciphers: 'ECDHE-PSK-CHACHA20-POLY1305' }
    const client = { ...byId, ...suite, checkServerIdentity: () => undefined }
    const { session } = await visit(server.port, client)
    const accepted = once(server, 'connection')
    expect(await visit(server.port, { ...client, session })).toMatchObject({ answer: 'ping', reused: false })
    expect(await accepted).toMatchObject([{ pskIdentity: identity }])
    expect(spy.calls).toEqual([])
  })
})

describe('a store of sessions that goes wrong costs a full handshake', () => {
  const throwing = { get: () => expect.unreachable() }
  const wrong: readonly [string, (entry: SessionEntry | undefined) => unknown][] = [
    ['throws', () => expect.unreachable()],
    ['rejects', () => Promise.reject(new Error('down'))],
    ['has garbage for a session', (entry) => entry && { ...entry, session: randomBytes(200) }],
    ['has no session', (entry) => entry && { ...entry, session: 'text' }],
    ['has one that cannot be looked at', (entry) => entry && Object.defineProperty({ ...entry }, 'session', throwing)],
    ['has an empty session', (entry) => entry && { ...entry, session: Buffer.alloc(0) }],
    ['has another form', () => 'text'],
    ['has null', () => null],
    ['has an expired one', (entry) => entry && { ...entry, expires: Date.now() - 1 }],
    ['has one of no time', (entry) => entry && { ...entry, expires: Number.NaN }],
    ['has one of another version', (entry) => entry && { ...entry, protocol: 'TLSv1.3' }],
    ['has no evidence', (entry) => entry && { ...entry, evidence: undefined }],
    ['has another id', (entry) => entry && { ...entry, evidence: { ...Object(entry.evidence), id: '00' } }],
    ['has another scope', (entry) => entry && { ...entry, evidence: { ...Object(entry.evidence), scope: 'x1.' } }],
  ]

  it.each(wrong)('%s', async (_what, onGet) => {
    const spy = new Spy()
    await using server = await serving(spy)
    const { session } = await visit(server.port, byId)
    expect((await visit(server.port, { ...byId, session })).reused).toBe(true)
    spy.onGet = onGet
    expect(await visit(server.port, { ...byId, session })).toMatchObject({ answer: 'ping', reused: false })
    expect(spy.calls.filter((call) => call === 'get')).toHaveLength(2)
  })

  it('does not keep what is added', async () => {
    const broken: SessionStore = {
      add: () => Promise.reject(new Error('full')),
      get: () => undefined,
      delete: () => undefined,
    }
    await using server = await serving(broken)
    const errors: unknown[] = []
    server.on('sessionCacheError', (error) => errors.push(error))
    const { session, answer } = await visit(server.port, byId)
    expect(answer).toBe('ping')
    expect((await visit(server.port, { ...byId, session })).reused).toBe(false)
    expect(errors.length).toBeGreaterThan(0)
  })

  it('never answers', async () => {
    const spy = new Spy()
    await using server = await serving(spy)
    const errors: unknown[] = []
    server.on('sessionCacheError', (error) => errors.push(error))
    const { session } = await visit(server.port, byId)
    spy.onGet = () => new Promise(() => undefined)
    expect(await visit(server.port, { ...byId, session })).toMatchObject({ answer: 'ping', reused: false })
    expect(errors).toMatchObject([{ code: 'ERR_SECURE_SOCKET_SESSION_STORE' }])
  })

  it('never answers, and the client is gone meanwhile', async () => {
    let answer: ((entry: SessionEntry | undefined) => void) | undefined
    const spy = new Spy()
    await using server = await serving(spy)
    const { session } = await visit(server.port, byId)
    spy.onGet = (entry) =>
      new Promise((resolve) => {
        answer = () => resolve(entry)
        server.closeAllConnections()
      })
    expect((await visit(server.port, { ...byId, session })).error).toBeDefined()
    answer?.(undefined)
    spy.onGet = (entry) => entry
    expect((await visit(server.port, { ...byId, session })).reused).toBe(true)
  })
})

describe('a session that belongs elsewhere never resumes, whatever the store says', () => {
  const stranger = createAuthority('stranger')
  const ours = authority.issue({ names: 'client', purpose: 'client' })
  const entryPolicies: readonly [string, ListenOptions, ConnectionOptions, ListenOptions, object][] = [
    [
      'earned without a certificate, where one is required',
      {},
      {},
      { requestCert: true, ca: authority.ca },
      { answer: '', reused: false },
    ],
    [
      'earned under other CAs',
      { requestCert: true, ca: authority.ca },
      { cert: ours.cert, key: ours.key },
      { requestCert: true, ca: stranger.ca },
      { answer: '', reused: false },
    ],
    [
      'earned with a certificate, where none is asked for',
      { requestCert: true, ca: authority.ca },
      { cert: ours.cert, key: ours.key },
      {},
      { answer: 'ping', reused: false },
    ],
    [
      'of another host',
      { hosts: one('a.example') },
      { servername: 'a.example' },
      { hosts: one('') },
      { reused: false },
    ],
  ]
  function one(name: string): NonNullable<ListenOptions['hosts']> {
    return { [name]: { cert: identity.cert, key: identity.key } }
  }

  it.each(entryPolicies)('%s', async (_what, earned, by, at, result) => {
    const first = new Spy()
    await using here = await serving(first, earned)
    const host = { checkServerIdentity: () => undefined, ...by }
    const { session } = await visit(here.port, { ...byId, ...host })
    const [stored] = [...first.cache.entries()]
    expect(stored).toBeDefined()
    // the worst store there is: it answers with that session for every key, and makes the evidence fit
    const lying = new Spy()
    let asked: unknown
    lying.onGet = () => {
      asked = true
      return { ...stored?.[1], evidence: fitting }
    }
    const fitting = { scope: '', id: '' }
    await using there = await serving(lying, at)
    const learned = new Spy()
    await using same = await serving(learned, at)
    await visit(same.port, { ...byId, cert: ours.cert, key: ours.key, checkServerIdentity: () => undefined })
    const [own] = [...learned.cache.entries()]
    fitting.scope = String(Object(own?.[1].evidence).scope)
    fitting.id = String(Object(stored?.[1].evidence).id)
    // the same name, or a client on Node 22 and later does not offer the session
    const { servername = 'localhost' } = by
    const options = { ...byId, servername, session, checkServerIdentity: () => undefined }
    expect(await visit(there.port, options)).toMatchObject(result)
    expect(asked).toBe(true)
  })
})
