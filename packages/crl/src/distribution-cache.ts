import type { Crl } from './crl.ts'
import { download, type Validators } from './download.ts'
import { CrlError } from './errors.ts'
import { SharedTasks } from './shared-task.ts'

/** How lists are fetched and kept; milliseconds and bytes. */
export interface FetchPolicy {
  readonly fetch: typeof fetch
  readonly timeout: number
  readonly maxSize: number
  readonly maxCacheSize: number
  readonly refreshAfter: number
  readonly retryAfter: number
}

/** What a URL gave: a list, or why not; both where the list at hand can no longer be used. */
export interface Fetched {
  readonly crl: Crl | undefined
  readonly error: CrlError | undefined
}

/** One URL, as one issuer's lists are found there. */
interface Slot {
  crl?: Crl
  /** Whether the list was verified; one that was not is kept for what can be said about it, and makes room for any other. */
  accepted: boolean
  validators?: Validators
  checkedAt: number
  failedAt: number
  error?: CrlError
}

/** The part of a list's lifetime before nextUpdate in which a new one is fetched in the background. */
const AHEAD = 0.1
/** What a slot without a list counts for. */
const SLOT_SIZE = 1024

/** Lists by URL: one download at a time for each, refreshed ahead, the last good one kept while it holds. */
export class DistributionCache {
  readonly #policy: FetchPolicy
  readonly #slots = new Map<string, Slot>()
  readonly #tasks = new SharedTasks()
  #size = 0

  constructor(policy: FetchPolicy) {
    this.#policy = policy
  }

  /** The list of this URL if it is at hand and holds; fetches nothing. */
  peek(url: string, owner: string): Crl | undefined {
    return this.#slots.get(slotKey(url, owner))?.crl
  }

  /**
   * The list of this URL, fetched where none at hand holds. `owner` is the issuer's key: lists that one issuer's questions
   * accepted do not displace another's. `accept` throws a CrlError for lists that are not authentic.
   * Rejects only with the signal's reason.
   */
  async get(
    url: string,
    owner: string,
    accept: (crl: Crl) => void,
    now: number,
    signal?: AbortSignal,
  ): Promise<Fetched> {
    const key = slotKey(url, owner)
    const slot = this.#slots.get(key) ?? {
      accepted: false,
      checkedAt: Number.NEGATIVE_INFINITY,
      failedAt: Number.NEGATIVE_INFINITY,
    }
    const refresh = (aborted?: AbortSignal): Promise<void> =>
      this.#tasks.join(key, (task) => this.#refresh(key, url, slot, accept, now, task), aborted)
    this.#touch(key, slot)
    const resting = now - slot.failedAt < this.#policy.retryAfter && now >= slot.failedAt
    if (holds(slot, now)) {
      if (!resting && this.#due(slot, now)) void refresh().catch(() => undefined)
      return { crl: slot.crl, error: undefined }
    }
    if (!resting) await refresh(signal)
    return { crl: slot.crl, error: holds(slot, now) ? undefined : slot.error }
  }

  #due(slot: Slot, now: number): boolean {
    const { thisUpdate, nextUpdate } = slot.crl as Crl
    const end = nextUpdate?.getTime() ?? now
    return now - slot.checkedAt >= this.#policy.refreshAfter || now >= end - (end - thisUpdate.getTime()) * AHEAD
  }

  async #refresh(
    key: string,
    url: string,
    slot: Slot,
    accept: (crl: Crl) => void,
    now: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { fetch, timeout, maxSize } = this.#policy
    try {
      const validators = holds(slot, now) ? slot.validators : undefined
      const found = await download(url, { fetch, timeout, maxSize, signal, validators })
      if (found !== undefined) this.#replace(key, slot, found.crl, found.validators, accept)
      slot.checkedAt = now
      slot.failedAt = Number.NEGATIVE_INFINITY
      delete slot.error
    } catch (error) {
      if (!(error instanceof CrlError)) throw error
      slot.failedAt = now
      slot.error =
        error.source === undefined
          ? new CrlError(error.code, `${error.message}: ${url}`, { cause: error, source: url })
          : error
    }
  }

  /** An authentic list is displaced neither by one that is not nor by an older one, which may be replayed. */
  #replace(key: string, slot: Slot, crl: Crl, validators: Validators, accept: (crl: Crl) => void): void {
    let refused: unknown
    try {
      accept(crl)
    } catch (error) {
      refused = error
    }
    if (refused !== undefined && slot.accepted) throw refused
    if (slot.accepted && slot.crl !== undefined && crl.thisUpdate < slot.crl.thisUpdate) return
    this.#forget(key)
    slot.crl = crl
    slot.accepted = refused === undefined
    slot.validators = validators
    this.#touch(key, slot)
    if (refused !== undefined) throw refused
  }

  /** Makes it the last to go, and lets the first go where all together are too large. */
  #touch(key: string, slot: Slot): void {
    this.#forget(key)
    this.#slots.set(key, slot)
    this.#size += sizeOf(slot)
    for (const oldest of this.#slots.keys()) {
      if (this.#size <= this.#policy.maxCacheSize || oldest === key) break
      this.#forget(oldest)
    }
  }

  #forget(key: string): void {
    const slot = this.#slots.get(key)
    if (slot === undefined) return
    this.#size -= sizeOf(slot)
    this.#slots.delete(key)
  }
}

function slotKey(url: string, owner: string): string {
  return `${owner} ${url}`
}

function holds({ crl, accepted }: Slot, now: number): boolean {
  return accepted && crl?.nextUpdate !== undefined && now < crl.nextUpdate.getTime()
}

/** Four octets of each entry's are the index. */
function sizeOf({ crl }: Slot): number {
  return SLOT_SIZE + (crl === undefined ? 0 : crl.der.length + crl.size * 4)
}
