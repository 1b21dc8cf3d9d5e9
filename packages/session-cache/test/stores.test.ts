import { createSecretKey, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  type ByteStore,
  EncryptedSessionStore,
  type EncryptedSessionStoreOptions,
  SessionCache,
  type SessionEntry,
  type SessionStore,
  trustKey,
} from '../src/index.ts'
import { sessionStoreCases } from '../src/compliance.ts'
import { entry, MemoryByteStore } from './entries.ts'

const key = randomBytes(32)
const shared = new MemoryByteStore()

describe.each<[string, (now: () => number) => SessionStore]>([
  ['SessionCache', (now) => new SessionCache({ now })],
  ['EncryptedSessionStore', (now) => new EncryptedSessionStore({ store: shared, key, now })],
  [
    'EncryptedSessionStore while keys are rotated',
    (now) => new EncryptedSessionStore({ store: shared, key: [randomBytes(32), key], now }),
  ],
])('%s does what a SessionStore must', (_name, make) => {
  for (const { name, run } of sessionStoreCases(make)) it(name, run)
})

describe('the compliance cases', () => {
  const correct = (now: () => number): SessionCache => new SessionCache({ now })
  const kept = new SessionCache({ now: () => 0 })
  it.each<[string, (now: () => number) => Partial<SessionStore>]>([
    [
      'a TLS 1.3 session is handed out once',
      () => ({
        get: (name) => [...kept.entries()].find(([found]) => found === name)?.[1],
        add: (name, item) => kept.add(name, item),
      }),
    ],
    [
      'a protocol that the store does not know is handed out once',
      (now) => {
        const cache = correct(now)
        return {
          add: (name, item) =>
            cache.add(name, { ...item, protocol: item.protocol === 'TLSv1.4' ? 'TLSv1.2' : item.protocol }),
          get: (name) => cache.get(name),
        }
      },
    ],
    [
      'of calls at the same time only one gets a TLS 1.3 session',
      (now) => {
        const cache = correct(now)
        return {
          add: (name, item) => cache.add(name, item),
          get: async (name) => {
            const found = [...cache.entries()].filter(([kept]) => kept === name).at(-1)?.[1]
            await Promise.resolve()
            return cache.get(name) ?? found
          },
        }
      },
    ],
    [
      'nothing is handed out at its expiry or later',
      () => {
        const cache = correct(() => 0)
        return { add: (name, item) => cache.add(name, item), get: (name) => cache.get(name) }
      },
    ],
    [
      'keys are kept apart',
      (now) => {
        const cache = correct(now)
        return { add: (_n, item) => cache.add('all', item), get: () => cache.get('all') }
      },
    ],
    [
      'the newest session comes first',
      (now) => {
        const cache = correct(now)
        const lists = new Map<string, SessionEntry[]>()
        return {
          add: (name, item) => {
            lists.set(name, [...(lists.get(name) ?? []), item])
          },
          get: (name) => {
            const item = lists.get(name)?.shift()
            return item ?? cache.get(name)
          },
        }
      },
    ],
    [
      'a TLS 1.2 session is handed out again and again',
      (now) => {
        const cache = correct(now)
        return {
          add: (name, item) => cache.add(name, { ...item, protocol: 'TLSv1.3' }),
          get: (name) => cache.get(name),
        }
      },
    ],
    [
      'delete(key) drops every session of that key and of no other',
      (now) => {
        const cache = correct(now)
        return { add: (name, item) => cache.add(name, item), get: (name) => cache.get(name), delete: () => undefined }
      },
    ],
    [
      'delete(key, session) drops that session',
      (now) => {
        const cache = correct(now)
        return { add: (name, item) => cache.add(name, item), get: (name) => cache.get(name), delete: () => undefined }
      },
    ],
    [
      'a session comes back as it was added',
      (now) => {
        const cache = correct(now)
        return { add: (name, item) => cache.add(name, { ...item, chain: [] }), get: (name) => cache.get(name) }
      },
    ],
  ])('notice a store in which not "%s"', async (name, make) => {
    const broken = (now: () => number): SessionStore => ({
      delete: () => undefined,
      add: () => undefined,
      get: () => undefined,
      ...make(now),
    })
    const found = sessionStoreCases(broken).find((one) => one.name === name)
    await expect(found?.run()).rejects.toMatchObject({ name: 'AssertionError' })
  })
})

describe('EncryptedSessionStore', () => {
  const portable = trustKey({ host: 'example.org' })
  const other = trustKey({ host: 'example.net' })
  const make = (store: ByteStore, changes: Partial<EncryptedSessionStoreOptions> = {}): EncryptedSessionStore =>
    new EncryptedSessionStore({ store, key, now: () => 0, ...changes })

  it('keeps sessions whose key holds a function, or was not made by trustKey, in the process', async () => {
    const outside = new MemoryByteStore()
    const store = make(outside)
    for (const local of [trustKey({ check: () => undefined }), 'example.org:443']) {
      const item = entry()
      await store.add(local, item)
      expect(outside.lists.size).toBe(0)
      expect(await store.get(local)).toBe(item)
      await store.add(local, item)
      await store.delete(local)
      expect(await store.get(local)).toBeUndefined()
    }
  })

  it('shows nothing of session, name or key in the store', async () => {
    const outside = new MemoryByteStore()
    const item = entry({ session: Buffer.from('the ticket itself'), name: 'secret.example.org' })
    await make(outside).add(portable, item)
    const [[name, [bytes]]] = [...outside.lists] as [[string, [Uint8Array]]]
    const text = Buffer.from(bytes).toString('latin1') + name
    for (const secret of [
      'the ticket itself',
      Buffer.from(item.session).toString('base64'),
      'secret.example',
      portable.slice(3),
    ]) {
      expect(text).not.toContain(secret)
    }
    expect(name).toMatch(/^tls-session:[A-Za-z0-9_-]{43}$/)
  })

  it('refuses every byte changed, and every cut', async () => {
    const outside = new MemoryByteStore()
    const store = make(outside)
    await store.add(portable, entry())
    const [[name, [bytes]]] = [...outside.lists] as [[string, [Uint8Array]]]
    for (let i = 0; i < bytes.length; i++) {
      const changed = Uint8Array.from(bytes)
      changed[i] = (changed[i] as number) ^ 1
      for (const bad of [changed, bytes.subarray(0, i)]) {
        outside.lists.set(name, [bad])
        await expect(store.get(portable)).rejects.toMatchObject({ code: 'ERR_SESSION_TAMPERED' })
      }
    }
  })

  it.each(['TLSv1.2', 'TLSv1.3'])('refuses a session moved to the name of another key (%s)', async (protocol) => {
    const outside = new MemoryByteStore()
    const store = make(outside)
    await store.add(portable, entry({ protocol }))
    const [from, list] = [...outside.lists][0] as [string, Uint8Array[]]
    await store.add(other, entry({ protocol }))
    const to = [...outside.lists.keys()].find((name) => name !== from) as string
    outside.lists.set(to, list)
    await expect(store.get(other)).rejects.toMatchObject({ code: 'ERR_SESSION_TAMPERED' })
    expect(await store.get(other)).toBeUndefined()
  })

  it('refuses a single-use session moved among those used many times', async () => {
    const outside = new MemoryByteStore()
    const store = make(outside)
    await store.add(portable, entry())
    const [[, list]] = [...outside.lists] as [[string, Uint8Array[]]]
    const copy = [...list]
    await store.add(portable, entry({ protocol: 'TLSv1.2' }))
    const many = [...outside.lists.keys()].at(-1) as string
    await store.get(portable)
    outside.lists.set(many, copy)
    await expect(store.get(portable)).rejects.toMatchObject({ code: 'ERR_SESSION_TAMPERED' })
  })

  it('finds what was stored under the key before, and nothing under a foreign one', async () => {
    const outside = new MemoryByteStore()
    const item = entry()
    await make(outside).add(portable, item)
    expect(await make(outside, { key: randomBytes(32) }).get(portable)).toBeUndefined()
    expect(await make(outside, { key: [randomBytes(32), createSecretKey(key)] }).get(portable)).toMatchObject({
      name: item.name,
    })
  })

  it('passes by expired sessions, once and many times', async () => {
    let now = 0
    const store = make(new MemoryByteStore(), { now: () => now })
    await store.add(portable, entry({ expires: 5000 }))
    await store.add(portable, entry({ expires: 10 }))
    await store.add(portable, entry({ expires: 10, protocol: 'TLSv1.2' }))
    now = 10
    expect((await store.get(portable))?.expires).toBe(5000)
    expect(await store.get(portable)).toBeUndefined()
  })

  it.each<[string, ByteStore, Partial<EncryptedSessionStoreOptions>]>([
    [
      'throws',
      {
        ...noStore(),
        take: () => {
          throw new Error('connection refused')
        },
      },
      {},
    ],
    ['rejects', { ...noStore(), take: async () => Promise.reject(new Error('connection refused')) }, {}],
    ['does not answer', { ...noStore(), take: async () => new Promise<never>(() => undefined) }, { timeout: 5 }],
  ])('says so when the store %s', async (_what, broken, options) => {
    await expect(make(broken, options).get(portable)).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' })
  })

  it('refuses evidence that would not come back as it is', async () => {
    class Verdict {
      readonly ok = true
    }
    for (const evidence of [new Verdict(), { run: () => true }, [Symbol('a')], Promise.resolve()]) {
      await expect(make(new MemoryByteStore()).add(portable, entry({ evidence }))).rejects.toMatchObject({
        code: 'ERR_SESSION_EVIDENCE',
      })
    }
  })

  it.each<[unknown, string]>([
    [{ store: shared, key: 'password' }, 'ERR_INVALID_ARG_TYPE'],
    [{ store: shared, key: randomBytes(16) }, 'ERR_INVALID_ARG_VALUE'],
    [{ store: shared, key: [] }, 'ERR_INVALID_ARG_VALUE'],
    [{ store: shared }, 'ERR_INVALID_ARG_TYPE'],
    [{ key }, 'ERR_INVALID_ARG_TYPE'],
    [{ store: shared, key, ttl: 5 }, 'ERR_INVALID_ARG_VALUE'],
    [{ store: shared, key, prefix: 5 }, 'ERR_INVALID_ARG_TYPE'],
    [{ store: shared, key, timeout: 0 }, 'ERR_INVALID_ARG_VALUE'],
  ])('refuses the options %#', (options, code) => {
    expect(() => new EncryptedSessionStore(options as EncryptedSessionStoreOptions)).toThrow(
      expect.objectContaining({ code }),
    )
  })
})

function noStore(): ByteStore {
  return { put: () => undefined, take: () => undefined, peek: () => undefined, delete: () => undefined }
}
