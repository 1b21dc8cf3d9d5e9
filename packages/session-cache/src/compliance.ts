import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { SessionEntry } from './session-entry.ts'
import type { SessionStore } from './session-store.ts'
import { trustKey } from './trust-key.ts'

/** One thing that a store must hold to. `run` rejects (an AssertionError) where it does not. */
export interface ComplianceCase {
  readonly name: string
  run(): Promise<void>
}

/** Makes a store that takes its time from `now`, in milliseconds since 1970. Several stores may share what is behind them. */
export type MakeStore = (now: () => number) => SessionStore | Promise<SessionStore>

type Check = (store: SessionStore, clock: Clock) => Promise<void>

/**
 * The rules of `SessionStore` as cases for any test runner: `for (const { name, run } of sessionStoreCases(make)) it(name, run)`.
 * Each case makes a store of its own and uses keys that no other run has used.
 */
export function sessionStoreCases(make: MakeStore): ComplianceCase[] {
  return Object.entries(checks).map(([name, check]) => ({
    name,
    run: async () => {
      const clock = new Clock()
      await check(await make(() => clock.now), clock)
    },
  }))
}

class Clock {
  now: number = Date.UTC(2030, 0, 1)
}

const checks: Readonly<Record<string, Check>> = {
  'an unknown key has no session': async (store) => {
    assert.equal(await store.get(newKey()), undefined)
    await store.delete(newKey())
  },
  'a session comes back as it was added': async (store, clock) => {
    const key = newKey()
    const entry = newEntry(clock, { name: undefined, evidence: { verdict: 'verified', at: 5, list: [true, null] } })
    await store.add(key, entry)
    same(await store.get(key), entry)
  },
  'a TLS 1.3 session is handed out once': async (store, clock) => {
    const key = newKey()
    await store.add(key, newEntry(clock))
    assert.notEqual(await store.get(key), undefined)
    assert.equal(await store.get(key), undefined)
  },
  'of calls at the same time only one gets a TLS 1.3 session': async (store, clock) => {
    const key = newKey()
    const entries = [newEntry(clock), newEntry(clock), newEntry(clock)]
    for (const entry of entries) await store.add(key, entry)
    const found = (await Promise.all(Array.from({ length: 10 }, async () => store.get(key)))).filter(
      (entry) => entry !== undefined,
    )
    const sessions = new Set(found.map(({ session }) => Buffer.from(session).toString('hex')))
    assert.equal(found.length, 3)
    assert.equal(sessions.size, 3)
  },
  'a protocol that the store does not know is handed out once': async (store, clock) => {
    const key = newKey()
    await store.add(key, newEntry(clock, { protocol: 'TLSv1.4' }))
    assert.notEqual(await store.get(key), undefined)
    assert.equal(await store.get(key), undefined)
  },
  'a TLS 1.2 session is handed out again and again': async (store, clock) => {
    const key = newKey()
    const entry = newEntry(clock, { protocol: 'TLSv1.2' })
    await store.add(key, entry)
    for (let i = 0; i < 3; i++) same(await store.get(key), entry)
  },
  'the newest session comes first': async (store, clock) => {
    for (const protocol of ['TLSv1.2', 'TLSv1.3']) {
      const key = newKey()
      const entries = [newEntry(clock, { protocol }), newEntry(clock, { protocol })] as const
      for (const entry of entries) await store.add(key, entry)
      same(await store.get(key), entries[1])
    }
  },
  'keys are kept apart': async (store, clock) => {
    const [one, two] = [newKey(), newKey()]
    const [first, second] = [newEntry(clock), newEntry(clock)]
    await store.add(one, first)
    await store.add(two, second)
    same(await store.get(two), second)
    assert.equal(await store.get(two), undefined)
    same(await store.get(one), first)
  },
  'nothing is handed out at its expiry or later': async (store, clock) => {
    for (const protocol of ['TLSv1.2', 'TLSv1.3']) {
      const [before, at, after] = [newKey(), newKey(), newKey()]
      const start = clock.now
      for (const key of [before, at, after]) await store.add(key, newEntry(clock, { protocol, expires: start + 1000 }))
      clock.now = start + 999
      assert.notEqual(await store.get(before), undefined)
      clock.now = start + 1000
      assert.equal(await store.get(at), undefined)
      clock.now = start + 5000
      assert.equal(await store.get(after), undefined)
      clock.now = start
    }
  },
  'delete(key) drops every session of that key and of no other': async (store, clock) => {
    const [key, other] = [newKey(), newKey()]
    await store.add(key, newEntry(clock))
    await store.add(key, newEntry(clock, { protocol: 'TLSv1.2' }))
    await store.add(other, newEntry(clock))
    await store.delete(key)
    assert.equal(await store.get(key), undefined)
    assert.notEqual(await store.get(other), undefined)
  },
  'delete(key, session) drops that session': async (store, clock) => {
    for (const protocol of ['TLSv1.2', 'TLSv1.3']) {
      const key = newKey()
      const [kept, dropped] = [newEntry(clock, { protocol }), newEntry(clock, { protocol })]
      await store.add(key, kept)
      await store.add(key, dropped)
      await store.delete(key, dropped)
      const found = await store.get(key)
      if (found !== undefined) same(found, kept)
    }
  },
  'a key can be used again after delete': async (store, clock) => {
    const key = newKey()
    const entry = newEntry(clock)
    await store.add(key, newEntry(clock))
    await store.delete(key)
    await store.add(key, entry)
    same(await store.get(key), entry)
    assert.equal(await store.get(key), undefined)
  },
}

/** As `trustKey` makes them, so that a store which keeps process-local keys to itself is tested where it matters. */
function newKey(): string {
  return trustKey({ compliance: randomUUID() })
}

function newEntry(clock: Clock, changes: Partial<SessionEntry> = {}): SessionEntry {
  const session = Buffer.from(randomUUID())
  const chain = [Uint8Array.of(0x30, 1, 0), Uint8Array.of(0x30, 0)]
  return {
    session,
    protocol: 'TLSv1.3',
    expires: clock.now + 60_000,
    chain,
    name: 'example.org',
    evidence: 'verified',
    ...changes,
  }
}

function same(found: SessionEntry | undefined, expected: SessionEntry): void {
  assert.notEqual(found, undefined, 'no session was handed out')
  const plain = ({ session, chain, ...rest }: SessionEntry): unknown => ({
    ...rest,
    session: Buffer.from(session).toString('hex'),
    chain: chain.map((der) => Buffer.from(der).toString('hex')),
  })
  assert.deepEqual(plain(found as SessionEntry), plain(expected))
}
