import { createHash } from 'node:crypto'
import { SessionCache, type SessionEntry } from '@x/session-cache'
import { LRUCache } from 'lru-cache'
import type { BenchRow, RowMaker } from '../src/row.ts'

const batch = 20_000
const hour = 3_600_000

/** A session that may be handed out again and again, and one that is taken. */
const session = { session: Buffer.alloc(800), chain: [Buffer.alloc(600)], name: 'example.org', evidence: null }
const lasting: SessionEntry = { ...session, protocol: 'TLSv1.2', expires: Date.now() + hour }
const single: SessionEntry = { ...session, protocol: 'TLSv1.3', expires: Date.now() + hour }

/**
 * `lru-cache` without a time to live hands out what has expired; with one it does the same duty as ours, but for single use, which its
 * callers must add with `delete`. Both are shown, and the goal stands against the one that does the same.
 */
export default function rows(): RowMaker[] {
  return [100, 10_000, 1_000_000].flatMap((size) =>
    Object.entries(WORK).map(([work, what]) => {
      const name = `session-cache: ${what}, ${size.toLocaleString('en')} sessions`
      return { name, make: (): BenchRow => rowOf(name, work as Work, size) }
    }),
  )
}

type Work = 'get' | 'get-or-add' | 'take'
const WORK: Readonly<Record<Work, string>> = {
  get: 'get',
  'get-or-add': 'get, or else add, half of it evicting',
  take: 'add and take',
}

function rowOf(name: string, work: Work, size: number): BenchRow {
  const keys = Array.from({ length: size }, (_, i) => `x1.${createHash('sha1').update(String(i)).digest('base64url')}`)
  const others = keys.map((_key, i) => `x1.${createHash('sha1').update(`other ${i}`).digest('base64url')}`)
  // A string's hash is computed when it is first used as a key.
  if (new Set([...keys, ...others]).size !== 2 * size) throw new TypeError('keys must differ')
  const goals = [{ of: 'lru-cache with ttl', atMost: 0.9 }]
  const caches = new Caches(size, work === 'take' ? keys.slice(0, size / 2) : keys)
  const used = { get: keys, 'get-or-add': [...keys, ...others], take: others }[work]
  return { name, batch, goals, subjects: caches.subjects(used, work) }
}

class Caches {
  readonly ours: SessionCache
  readonly plain: LRUCache<string, SessionEntry>
  readonly withTtl: LRUCache<string, SessionEntry>
  readonly map: Map<string, SessionEntry>

  constructor(size: number, keys: readonly string[]) {
    this.ours = new SessionCache({ maxSize: size })
    this.plain = new LRUCache({ max: size })
    this.withTtl = new LRUCache({ max: size, ttl: hour })
    this.map = new Map(keys.map((key) => [key, lasting]))
    for (const key of keys) {
      this.ours.add(key, lasting)
      this.plain.set(key, lasting)
      this.withTtl.set(key, lasting)
    }
  }

  subjects(keys: readonly string[], work: Work): Record<string, () => unknown> {
    const order = shuffled(keys.length)
    // Each starts elsewhere: else the first one reads the keys from memory and the others from the processor's cache.
    const from = (start: number): (() => string) => {
      let i = Math.floor(start * order.length)
      return () => keys[order[i++ % order.length] as number] as string
    }
    const [a, b, c, d] = [from(0), from(1 / 4), from(2 / 4), from(3 / 4)]
    const { ours, plain, withTtl, map } = this
    if (work === 'get')
      return {
        '@x/session-cache': () => ours.get(a()),
        'lru-cache with ttl': () => withTtl.get(b()),
        'lru-cache': () => plain.get(c()),
        'limit: Map.get': () => map.get(d()),
      }
    if (work === 'take') {
      return {
        '@x/session-cache': () => {
          const key = a()
          ours.add(key, single)
          return ours.get(key)
        },
        'lru-cache with ttl': () => setAndTake(withTtl, b()),
        'lru-cache': () => setAndTake(plain, c()),
      }
    }
    return {
      '@x/session-cache': () => {
        const key = a()
        const found = ours.get(key)
        if (found === undefined) ours.add(key, lasting)
        return found
      },
      'lru-cache with ttl': () => getOrSet(withTtl, b()),
      'lru-cache': () => getOrSet(plain, c()),
    }
  }
}

function setAndTake(cache: LRUCache<string, SessionEntry>, key: string): SessionEntry | undefined {
  cache.set(key, single)
  const found = cache.get(key)
  cache.delete(key)
  return found
}

function getOrSet(cache: LRUCache<string, SessionEntry>, key: string): SessionEntry | undefined {
  const found = cache.get(key)
  if (found === undefined) cache.set(key, lasting)
  return found
}

/** The same order in every run, far from the order of insertion. */
function shuffled(length: number): Uint32Array {
  const order = Uint32Array.from({ length }, (_, i) => i)
  let state = 1
  for (let i = length - 1; i > 0; i--) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    const j = state % (i + 1)
    const kept = order[i] as number
    order[i] = order[j] as number
    order[j] = kept
  }
  return order
}
