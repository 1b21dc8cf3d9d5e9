import { randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EncryptedSessionStore, SessionCache, type SessionEntry, trustKey } from '../src/index.ts'
import { entry, MemoryByteStore } from './entries.ts'

const key = randomBytes(32)
const at = { now: (): number => 0 }
const [one, two] = [trustKey({ host: 1 }), trustKey({ host: 2 })]

describe('SessionCache.serialize', () => {
  it('brings sessions and their order of use to the next start', () => {
    const cache = new SessionCache(at)
    const [first, second, third] = [
      entry(),
      entry({ protocol: 'TLSv1.2', name: undefined, chain: [Uint8Array.of(1, 2)] }),
      entry(),
    ]
    cache.add(one, first)
    cache.add(two, second)
    cache.add(one, third)
    const before = [...cache.entries()]
    const again = SessionCache.deserialize(cache.serialize({ key }), { key, ...at })
    expect([...again.entries()].map(plain)).toEqual(before.map(plain))
  })

  it('moves what is used once, and copies what is not', () => {
    const cache = new SessionCache(at)
    cache.add(one, entry())
    cache.add(two, entry({ protocol: 'TLSv1.2' }))
    cache.serialize({ key })
    expect(cache.get(one)).toBeUndefined()
    expect(cache.get(two)).toBeDefined()
  })

  it('leaves out what has expired and every key that holds a function or was made by hand', () => {
    const cache = new SessionCache({ now: () => 5 })
    cache.add(one, entry({ expires: 5 }))
    cache.add(trustKey({ check: () => undefined }), entry())
    cache.add('example.org', entry())
    expect(SessionCache.deserialize(cache.serialize({ key }), { key, ...at }).size).toBe(0)
    expect(cache.size).toBe(3)
  })

  it('drops the least recently used where the new cache is smaller', () => {
    const cache = new SessionCache(at)
    for (const name of [one, two, one]) cache.add(name, entry())
    expect(SessionCache.deserialize(cache.serialize({ key }), { key, maxSize: 2, ...at }).size).toBe(2)
  })

  it('brings back evidence of every plain kind', () => {
    const evidence = {
      list: [1, -0, Number.NaN, Number.NEGATIVE_INFINITY, 2n ** 70n, undefined, null, true, 'text', ['a'], []],
      bytes: Uint8Array.of(1, 2, 3),
      date: new Date(5),
      never: new Date(Number.NaN),
      set: new Set(['a', new Date(1)]),
      map: new Map<unknown, unknown>([[{ a: 1 }, new Map()]]),
      ['__proto__']: { polluted: true },
    }
    const cache = new SessionCache(at)
    cache.add(one, entry({ evidence }))
    const found = SessionCache.deserialize<typeof evidence>(cache.serialize({ key }), { key, ...at }).get(one)
    expect(found?.evidence).toEqual(evidence)
    expect(Object.hasOwn(found?.evidence ?? {}, '__proto__')).toBe(true)
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })

  it('brings back any JSON value as it was', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (evidence) => {
        const cache = new SessionCache(at)
        cache.add(one, entry({ evidence }))
        expect(SessionCache.deserialize(cache.serialize({ key }), { key, ...at }).get(one)?.evidence).toEqual(evidence)
      }),
    )
  })

  it('refuses each byte changed, each cut, another key, and what is no snapshot', async () => {
    const cache = new SessionCache(at)
    cache.add(one, entry())
    const bytes = cache.serialize({ key })
    const refused = (bad: Uint8Array, by = key): void => {
      expect(() => SessionCache.deserialize(bad, { key: by })).toThrow(
        expect.objectContaining({ code: 'ERR_SESSION_TAMPERED' }),
      )
    }
    for (let i = 0; i < bytes.length; i++) {
      const changed = Uint8Array.from(bytes)
      changed[i] = (changed[i] as number) ^ 0x80
      refused(changed)
      refused(bytes.subarray(0, i))
    }
    refused(Buffer.concat([bytes, Buffer.from([0])]))
    refused(bytes, randomBytes(32))
    const outside = new MemoryByteStore()
    await new EncryptedSessionStore({ store: outside, key, ...at }).add(one, entry())
    refused([...outside.lists.values()][0]?.[0] as Uint8Array)
    expect(SessionCache.deserialize(bytes, { key: [randomBytes(32), key], ...at }).size).toBe(1)
  })

  it('refuses misuse', () => {
    const cache = new SessionCache()
    expect(() => cache.serialize({} as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }))
    expect(() => cache.serialize({ key, passphrase: 'x' } as never)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
    )
    expect(() => SessionCache.deserialize('text' as never, { key })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    )
  })
})

function plain([name, item]: readonly [string, SessionEntry]): unknown {
  return [
    name,
    {
      ...item,
      session: Buffer.from(item.session).toString('hex'),
      chain: item.chain.map((der) => Buffer.from(der).toString('hex')),
    },
  ]
}
