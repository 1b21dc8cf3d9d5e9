import { invalidType, invalidValue, positiveInteger, refuseInherited, refuseUnknownOptions } from './misuse.ts'
import type { KeyObject } from 'node:crypto'
import { coarseNow } from './coarse-clock.ts'
import { type SealingKey, seal, sealingKeys, unseal } from './sealing.ts'
import { checkEntry, isReusable, type SessionEntry } from './session-entry.ts'
import type { SessionStore } from './session-store.ts'
import { Shelf } from './shelf.ts'
import { readEntries, writeEntries } from './stored-entry.ts'
import { isProcessLocal } from './trust-key.ts'

/** What a `SessionCache` is made with. */
export interface SessionCacheOptions {
  /** Sessions over all keys; the least recently used goes first. Default 1,000 (2 to 10 KB each, most of it the peer's chain). */
  readonly maxSize?: number | undefined
  /** Sessions of one key, so that a server that sends tickets without end cannot displace the others'. Default 32. */
  readonly maxPerKey?: number | undefined
  /** The clock, in milliseconds since 1970. Default: `Date.now`, read once per turn of the event loop. */
  readonly now?: (() => number) | undefined
}

/**
 * TLS sessions in memory, many per key, each with what is known of its peer.
 *
 * The key decides who may resume what: make it with `trustKey()`. The cache knows nothing of TLS and checks no certificate; it sees to
 * it that a TLS 1.3 session is handed out once, that nothing is handed out after its time, and that no more than `maxSize` are kept.
 */
export class SessionCache<E = unknown> implements SessionStore<E> {
  readonly maxSize: number
  readonly maxPerKey: number
  readonly #now: () => number
  readonly #shelf: Shelf<SessionEntry<E>>

  constructor(options: SessionCacheOptions = {}) {
    refuseUnknownOptions(options, ['maxSize', 'maxPerKey', 'now'])
    this.maxSize = positiveInteger('options.maxSize', options.maxSize, 1000)
    if (this.maxSize > 2 ** 24 - 1)
      throw invalidValue('options.maxSize', 'must be below 2 ** 24, which is where a Map ends')
    this.maxPerKey = positiveInteger('options.maxPerKey', options.maxPerKey, 32)
    if (options.now !== undefined && typeof options.now !== 'function') throw invalidType('options.now', 'a function')
    this.#now = options.now ?? coarseNow
    this.#shelf = new Shelf(this.maxSize)
  }

  /** The number of sessions kept, among them such as have expired and were not asked for since. */
  get size(): number {
    return this.#shelf.size
  }

  /** Keeps a session, as the newest of its key. To be called after a positive verdict only. The entry must not be altered later. */
  add(key: string, session: SessionEntry<E>): void {
    checkKey(key)
    checkEntry(session)
    this.#shelf.add(key, session, session.expires, isReusable(session), this.maxPerKey)
  }

  /** The newest session of a key that has not expired. A session of TLS 1.3 is thereby taken out: nobody else gets it. */
  get(key: string): SessionEntry<E> | undefined {
    return this.#shelf.take(key, this.#now)
  }

  /** Drops all sessions of a key, or the one with the same session bytes. */
  delete(key: string, session?: SessionEntry<E>): void {
    this.#shelf.removeWhere(key, (kept) => session === undefined || Buffer.compare(kept.session, session.session) === 0)
  }

  /** Every key and session that is kept, the least recently used first. For inspection: nothing is taken. */
  entries(): IterableIterator<readonly [key: string, session: SessionEntry<E>]> {
    return this.#shelf.entries()
  }

  /**
   * The sessions for the next start of the program, encrypted and authenticated. Those used once move: they are no longer here.
   * Left out are expired ones and all whose key holds a function or was not made by `trustKey`.
   *
   * @throws SessionCacheError ERR_SESSION_EVIDENCE where evidence is more than plain values, bytes, dates, lists, maps and records
   */
  serialize(options: { readonly key: SealingKey }): Buffer {
    refuseUnknownOptions(options, ['key'])
    const [key] = sealingKeys('options.key', options.key)
    const now = this.#now()
    const kept = [...this.entries()].filter(([name, entry]) => !isProcessLocal(name) && now < entry.expires)
    const bytes = seal(key as KeyObject, snapshot, writeEntries(kept))
    for (const [name, entry] of kept) if (!isReusable(entry)) this.delete(name, entry)
    return bytes
  }

  /**
   * A cache with what `serialize` wrote. Restore a snapshot once: a second time would use its TLS 1.3 tickets again.
   *
   * @throws SessionCacheError ERR_SESSION_TAMPERED for bytes that were altered or written under another key
   */
  static deserialize<E = unknown>(
    bytes: Uint8Array,
    options: SessionCacheOptions & { readonly key: SealingKey | readonly SealingKey[] },
  ): SessionCache<E> {
    refuseInherited(options)
    const { key, ...rest } = options
    const cache = new SessionCache<E>(rest)
    const entries = readEntries<E>(unseal(sealingKeys('options.key', key), snapshot, bytes))
    for (const [name, entry] of entries) cache.add(name, entry)
    return cache
  }
}

/** What authenticates a snapshot as one, and not as an entry of a store. */
const snapshot = 'snapshot'

function checkKey(key: string): void {
  if (typeof key !== 'string') throw invalidType('key', 'a string')
  if (key === '') throw invalidValue('key', 'must not be empty')
}
