import { createHash } from 'node:crypto'
import { SessionCache, type SessionEntry } from '@x/session-cache'
import { LRUCache } from 'lru-cache'
import type { Chart } from '../src/chart.ts'
import { grow, perCall, type Setup } from '../src/growth.ts'

const hour = 3_600_000

export default async function charts(): Promise<Chart[]> {
  const xs = [10, 100, 1000, 10_000, 100_000, 1_000_000]
  const x = 'sessions in the cache'
  const y = 'CPU time, µs'
  return [
    {
      id: 'session-cache-get',
      title: 'A session out of a full cache',
      text: 'Sessions are asked for in an order far from that of their insertion.',
      x,
      y,
      lines: await grow(xs, (size) => setupOf(size, true)),
      note: 'What grows is memory: the keys and entries of the larger caches are not in the processor’s own. `Map.get`, which keeps neither an order nor an expiry, is the limit.',
    },
    {
      id: 'session-cache-add',
      title: 'A session added to a full cache, which evicts another',
      text: 'Each call adds one that is not there.',
      x,
      y,
      lines: await grow(xs, (size) => setupOf(size, false)),
      note: 'The peak of lru-cache at 100 comes with every run on Node 20; between its neighbours its figure is as theirs.',
    },
  ]
}

function setupOf(size: number, get: boolean): Setup {
  const session: SessionEntry = {
    session: Buffer.alloc(800),
    chain: [Buffer.alloc(600)],
    name: 'example.org',
    evidence: null,
    protocol: 'TLSv1.2',
    expires: Date.now() + hour,
  }
  const named = (what: string): string[] =>
    Array.from({ length: size }, (_, i) => `x1.${createHash('sha1').update(`${what} ${i}`).digest('base64url')}`)
  const [keys, others] = [named('one'), named('other')]
  const [ours, theirs, map] = [
    new SessionCache({ maxSize: size }),
    new LRUCache<string, SessionEntry>({ max: size, ttl: hour }),
    new Map<string, SessionEntry>(),
  ]
  for (const key of keys) {
    ours.add(key, session)
    theirs.set(key, session)
    map.set(key, session)
  }
  // a prime far from the size's divisors: every key, in an order of its own
  const walk = (all: readonly string[]): (() => string) => {
    let i = 0
    return () => all[(i = (i + 618_033_989) % all.length)] as string
  }
  if (get) {
    const [a, b, c] = [walk(keys), walk(keys), walk(keys)]
    const samples = {
      '@x/session-cache': perCall(() => ours.get(a())),
      'lru-cache with ttl': perCall(() => theirs.get(b())),
      'Map.get': perCall(() => map.get(c())),
    }
    return { samples }
  }
  const [a, b] = [walk([...others, ...keys]), walk([...others, ...keys])]
  const samples = {
    '@x/session-cache': perCall(() => ours.add(a(), session)),
    'lru-cache with ttl': perCall(() => theirs.set(b(), session)),
  }
  return { samples }
}
