import type { OcspStore } from './cache.ts'

/** How many writes under one key, and how many keys of one store, wait behind one another; more are not worth the memory. */
const MAX_WAITING = 64
const MAX_KEYS = 1_000

interface Queue {
  last: Promise<void>
  waiting: number
}

const queues = new WeakMap<OcspStore, Map<string, Queue>>()

/**
 * Does one write after the other under the same key: to look what is there and to replace it must be one step also where the
 * store takes its time, or an old good answer displaces the revocation that comes in beside it. Knows of this process alone.
 * `write` does not reject; it returns undefined where it is done at once.
 */
export function inTurn(store: OcspStore, key: string, write: () => Promise<void> | undefined): void {
  const keys = queues.get(store) ?? new Map<string, Queue>()
  queues.set(store, keys)
  const queue = keys.get(key)
  if (queue !== undefined ? queue.waiting >= MAX_WAITING : keys.size >= MAX_KEYS) return
  const done = queue === undefined ? write() : queue.last.then(write)
  if (done === undefined) return
  const own = queue ?? { last: done, waiting: 0 }
  own.waiting++
  own.last = done.then(() => {
    if (--own.waiting === 0) keys.delete(key)
  })
  keys.set(key, own)
}
