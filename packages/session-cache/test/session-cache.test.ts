import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SessionCache, type SessionCacheOptions, type SessionEntry } from '../src/index.ts'
import { entry } from './entries.ts'

const at = (now: number): { now: () => number } => ({ now: () => now })

describe('SessionCache', () => {
  it('keeps the order of use over all keys and drops what was used least recently', () => {
    const cache = new SessionCache({ maxSize: 3, ...at(0) })
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(() => entry({ protocol: 'TLSv1.2' })) as [
      SessionEntry,
      SessionEntry,
      SessionEntry,
      SessionEntry,
    ]
    cache.add('a', a)
    cache.add('b', b)
    cache.add('c', c)
    expect(cache.get('a')).toBe(a)
    cache.add('d', d)
    expect([...cache.entries()].map(([key]) => key)).toEqual(['c', 'a', 'd'])
    expect(cache.get('b')).toBeUndefined()
    expect(cache.size).toBe(3)
  })

  it('keeps no more than maxPerKey of one key, so that one server cannot displace the others', () => {
    const cache = new SessionCache({ maxSize: 10, maxPerKey: 2, ...at(0) })
    cache.add('quiet', entry())
    for (let i = 0; i < 100; i++) cache.add('loud', entry())
    expect(cache.size).toBe(3)
    expect(cache.get('quiet')).toBeDefined()
  })

  it('works with room for one', () => {
    const cache = new SessionCache({ maxSize: 1, maxPerKey: 1, ...at(0) })
    const last = entry()
    for (const key of ['a', 'a', 'b', 'b']) cache.add(key, entry())
    cache.add('b', last)
    expect(cache.size).toBe(1)
    expect(cache.get('b')).toBe(last)
    expect(cache.size).toBe(0)
  })

  it('hands out nothing where the clock answers NaN, and nothing that has expired, and forgets it', () => {
    for (const now of [Number.NaN, 3_600_000, 3_600_001]) {
      const cache = new SessionCache(at(now))
      cache.add('a', entry())
      cache.add('a', entry({ protocol: 'TLSv1.2' }))
      expect(cache.get('a')).toBeUndefined()
      expect(cache.size).toBe(0)
    }
  })

  it('passes by an expired session to an older one that lives longer', () => {
    const cache = new SessionCache(at(500))
    const long = entry({ expires: 1000 })
    cache.add('a', long)
    cache.add('a', entry({ expires: 400 }))
    expect(cache.get('a')).toBe(long)
  })

  it('uses the time of day unless told', () => {
    const cache = new SessionCache()
    cache.add('a', entry({ expires: Date.now() - 1 }))
    cache.add('b', entry({ expires: Date.now() + 60_000 }))
    expect(cache.get('a')).toBeUndefined()
    expect(cache.get('b')).toBeDefined()
  })

  it('deletes one session by its bytes, or all of a key', () => {
    const cache = new SessionCache(at(0))
    const [a, b, c] = [entry(), entry(), entry()]
    for (const item of [a, b, c]) cache.add('k', item)
    cache.delete('k', { ...b, session: Uint8Array.from(b.session) })
    expect([...cache.entries()].map(([, kept]) => kept)).toEqual([a, c])
    cache.delete('k')
    cache.delete('unknown')
    expect(cache.size).toBe(0)
  })

  it.each<[unknown, string, RegExp]>([
    [{ maxsize: 3 }, 'ERR_INVALID_ARG_VALUE', /maxsize/],
    [{ maxSize: 0 }, 'ERR_INVALID_ARG_VALUE', /maxSize/],
    [{ maxSize: 2 ** 24 }, 'ERR_INVALID_ARG_VALUE', /maxSize/],
    [{ maxSize: 1.5 }, 'ERR_INVALID_ARG_VALUE', /maxSize/],
    [{ maxSize: Number.NaN }, 'ERR_INVALID_ARG_VALUE', /maxSize/],
    [{ maxSize: '3' }, 'ERR_INVALID_ARG_TYPE', /maxSize/],
    [{ maxPerKey: 0 }, 'ERR_INVALID_ARG_VALUE', /maxPerKey/],
    [{ now: 5 }, 'ERR_INVALID_ARG_TYPE', /now/],
    [null, 'ERR_INVALID_ARG_TYPE', /options/],
  ])('refuses the options %j', (options, code, message) => {
    const make = (): unknown => new SessionCache(options as SessionCacheOptions)
    expect(make).toThrow(
      expect.objectContaining({ name: 'TypeError', code, message: expect.stringMatching(message) as string }),
    )
  })

  it.each<[unknown, unknown]>([
    ['', entry()],
    [5, entry()],
    ['a', null],
    ['a', { ...entry(), session: 'text' }],
    ['a', { ...entry(), protocol: undefined }],
    ['a', { ...entry(), expires: Number.NaN }],
    ['a', { ...entry(), expires: '5' }],
    ['a', { ...entry(), chain: undefined }],
    ['a', { ...entry(), name: null }],
  ])('refuses to add %j, %j', (key, session) => {
    const cache = new SessionCache()
    expect(() => cache.add(key as string, session as SessionEntry)).toThrow(TypeError)
    expect(cache.size).toBe(0)
  })

  it('does what a plain list would do, whatever the order of calls', () => {
    const key = fc.constantFrom('a', 'b', 'c')
    const call = fc.oneof(
      fc.record({
        call: fc.constant('add' as const),
        key,
        protocol: fc.constantFrom('TLSv1.2', 'TLSv1.3'),
        life: fc.integer({ min: 0, max: 30 }),
      }),
      fc.record({ call: fc.constant('get' as const), key }),
      fc.record({ call: fc.constant('delete' as const), key, which: fc.nat(3) }),
      fc.record({ call: fc.constant('wait' as const), time: fc.integer({ min: 1, max: 10 }) }),
    )
    fc.assert(
      fc.property(
        fc.array(call, { maxLength: 80 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 4 }),
        (calls, maxSize, maxPerKey) => {
          let now = 0
          const cache = new SessionCache({ maxSize, maxPerKey, now: () => now })
          let list: { key: string; item: SessionEntry; order: number }[] = []
          let order = 0
          const ofKey = (wanted: string): typeof list =>
            list.filter(({ key }) => key === wanted).sort((x, y) => y.order - x.order)
          const drop = (items: typeof list): void => void (list = list.filter((kept) => !items.includes(kept)))
          for (const step of calls) {
            if (step.call === 'wait') now += step.time
            if (step.call === 'add') {
              const item = entry({ protocol: step.protocol, expires: now + step.life })
              cache.add(step.key, item)
              drop(ofKey(step.key).slice(maxPerKey - 1))
              list = [...list.slice(Math.max(0, list.length - maxSize + 1)), { key: step.key, item, order: order++ }]
            }
            if (step.call === 'get') {
              const candidates = ofKey(step.key)
              const index = candidates.findIndex(({ item }) => now < item.expires)
              const found = candidates[index]
              drop(index === -1 ? candidates : candidates.slice(0, index))
              if (found !== undefined) drop([found])
              if (found?.item.protocol === 'TLSv1.2') list.push(found)
              expect(cache.get(step.key)).toBe(found?.item)
            }
            if (step.call === 'delete') {
              const chosen = step.which === 3 ? undefined : ofKey(step.key)[step.which]?.item
              drop(step.which === 3 ? ofKey(step.key) : ofKey(step.key).filter(({ item }) => item === chosen))
              if (step.which === 3 || chosen !== undefined) cache.delete(step.key, chosen)
            }
            expect([...cache.entries()]).toEqual(list.map(({ key, item }) => [key, item]))
            expect(cache.size).toBe(list.length)
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  it('grows to its size and no further', () => {
    const cache = new SessionCache({ maxSize: 1000, ...at(0) })
    for (let i = 0; i < 3000; i++) cache.add(`key ${i}`, entry())
    expect(cache.size).toBe(1000)
    expect(cache.get('key 1999')).toBeUndefined()
    for (let i = 2000; i < 3000; i++) expect(cache.get(`key ${i}`)).toBeDefined()
    expect(cache.size).toBe(0)
  })
})
