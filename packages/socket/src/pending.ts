import { SecureSocketError } from './errors.ts'
import { handshakeTimeout } from './failures.ts'
import { type Place, Queue } from './queue.ts'

/** A handshake under way, as far as its server has to end it. */
export interface Evictable {
  /** It has taken too long, or there is no room for it. */
  evict(error: Error): void
}

/** One handshake among those under way. */
export interface PendingHandshake {
  readonly who: Evictable
  /** By the clock of `performance.now()`. */
  readonly deadline: number
  all: Place<PendingHandshake> | undefined
  silent: Place<PendingHandshake> | undefined
}

/**
 * The handshakes under way, bounded in number and in time. Where there are too many, the client goes that has been silent longest; where none is
 * silent, the newcomer. All have the same time, so that one timer, for the oldest, does for all.
 */
export class Pending {
  readonly #limit: number
  readonly #timeout: number
  readonly #all = new Queue<PendingHandshake>()
  readonly #silent = new Queue<PendingHandshake>()
  #timer: NodeJS.Timeout | undefined

  /** `timeout` in milliseconds. */
  constructor(limit: number, timeout: number) {
    this.#limit = limit
    this.#timeout = timeout
  }

  get size(): number {
    return this.#all.size
  }

  /** Undefined where there is no room; the newcomer has then been evicted. */
  add(who: Evictable): PendingHandshake | undefined {
    const isFull = this.#all.size >= this.#limit
    const oldest = isFull ? this.#silent.first : undefined
    if (isFull && oldest === undefined) {
      who.evict(overloaded(this.#limit))
      return undefined
    }
    const deadline = performance.now() + this.#timeout
    const entry: PendingHandshake = { who, deadline, all: undefined, silent: undefined }
    entry.all = this.#all.add(entry)
    entry.silent = this.#silent.add(entry)
    if (this.#timer === undefined) this.#timer = this.#wakeAfter(this.#timeout)
    // last: a listener of the program's may throw, and the newcomer has its deadline all the same
    if (oldest !== undefined) this.#evict(oldest, overloaded(this.#limit))
    return entry
  }

  /** The client has said something; idempotent. */
  spoken(entry: PendingHandshake): void {
    if (entry.silent !== undefined) this.#silent.remove(entry.silent)
    entry.silent = undefined
  }

  /** It is over, either way; idempotent. */
  settled(entry: PendingHandshake): void {
    this.spoken(entry)
    if (entry.all !== undefined) this.#all.remove(entry.all)
    entry.all = undefined
  }

  #evict(entry: PendingHandshake, error: Error): void {
    this.settled(entry)
    entry.who.evict(error)
  }

  /** The connections keep the process alive, the clock does not. */
  #wakeAfter(delay: number): NodeJS.Timeout {
    return setTimeout(() => this.#endLate(), Math.max(1, Math.ceil(delay))).unref()
  }

  #endLate(): void {
    const now = performance.now()
    let oldest = this.#all.first
    try {
      for (; oldest !== undefined && oldest.deadline <= now; oldest = this.#all.first)
        this.#evict(oldest, handshakeTimeout(this.#timeout))
    } finally {
      // also where a listener of the program's has thrown
      this.#timer = oldest === undefined ? undefined : this.#wakeAfter(oldest.deadline - now)
    }
  }
}

function overloaded(limit: number): SecureSocketError {
  return new SecureSocketError('ERR_SECURE_SOCKET_OVERLOADED', `${limit} handshakes are under way`, {
    phase: 'handshake',
    hint: "allow more with 'maxHandshakes', or give them less time with 'handshakeTimeout'",
  })
}
