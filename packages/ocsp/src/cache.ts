import { readNow, refuseUnknown, wrongType, wrongValue } from './misuse.ts'

/**
 * What a cache keeps for one certificate. A response is kept as it came and is verified again when it is read (once per
 * entry object), so that a store which others can write to cannot make a certificate good.
 */
export type OcspCacheEntry =
  | {
      readonly kind: 'response'
      /** DER of the OCSPResponse. */
      readonly response: Uint8Array
      /** When the entry is of no more use, in milliseconds since 1970. */
      readonly expires: number
    }
  | {
      readonly kind: 'error'
      /** Code of the OcspError that is remembered. */
      readonly code: string
      readonly message: string
      readonly url?: string | undefined
      /** When the entry is of no more use, in milliseconds since 1970. */
      readonly expires: number
    }

/** A cache of one's own: memory of another process, a database. What it throws or rejects with counts as having nothing. */
export interface OcspStore {
  get(key: string): OcspCacheEntry | undefined | Promise<OcspCacheEntry | undefined>
  put(key: string, entry: OcspCacheEntry): unknown
}

/** Options of {@link OcspCache}. */
export interface OcspCacheOptions {
  /** How many entries are kept, the least recently used goes first: 1 or more. Default: 100, as the original has it. */
  readonly maxSize?: number
  /** Milliseconds since 1970. Default: `Date.now`. */
  readonly now?: () => number
}

/**
 * The cache that comes along: in memory, least recently used goes first. To be shared by as many connections as one
 * likes: entries are bound to issuer name, issuer key and serial number.
 */
export class OcspCache implements OcspStore {
  readonly maxSize: number
  readonly #entries = new Map<string, OcspCacheEntry>()
  readonly #now: () => number

  /** @throws TypeError for misuse, with the option's name */
  constructor(options: OcspCacheOptions = {}) {
    refuseUnknown(options, new Set(['maxSize', 'now']))
    const { maxSize = 100, now = Date.now } = options
    if (typeof maxSize !== 'number') throw wrongType('maxSize', 'a number', maxSize)
    if (!(Number.isInteger(maxSize) && maxSize >= 1)) throw wrongValue('maxSize', 'must be a positive integer')
    if (typeof now !== 'function') throw wrongType('now', 'a function', now)
    this.maxSize = maxSize
    this.#now = now
  }

  /** How many entries are kept, expired ones included. */
  get size(): number {
    return this.#entries.size
  }

  /** The entry, unless it has expired. */
  get(key: string): OcspCacheEntry | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    if (!(readNow(this.#now) < entry.expires)) return undefined
    this.#entries.set(key, entry)
    return entry
  }

  put(key: string, entry: OcspCacheEntry): void {
    this.#entries.delete(key)
    this.#entries.set(key, Object.isFrozen(entry) ? entry : Object.freeze({ ...entry }))
    if (this.#entries.size > this.maxSize) this.#entries.delete(this.#entries.keys().next().value as string)
  }

  delete(key: string): boolean {
    return this.#entries.delete(key)
  }

  clear(): void {
    this.#entries.clear()
  }
}
