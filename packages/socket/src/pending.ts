import { SecureSocketError } from './errors.ts'
import { Deadlines, type Waiting } from './deadlines.ts'
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
  all: Waiting<PendingHandshake> | undefined
  silent: Place<PendingHandshake> | undefined
}

/**
 * The handshakes under way, bounded in number and in time. Where there are too many, the client goes that has been silent longest; where none is
 * silent, the newcomer.
 */
export class Pending {
  readonly #limit: number
  readonly #all: Deadlines<PendingHandshake>
  readonly #silent = new Queue<PendingHandshake>()

  /** `timeout` in milliseconds. */
  constructor(limit: number, timeout: number) {
    this.#limit = limit
    this.#all = new Deadlines(timeout, (entry) => this.#evict(entry, handshakeTimeout(timeout)))
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
    const entry: PendingHandshake = { who, all: undefined, silent: undefined }
    entry.all = this.#all.add(entry)
    entry.silent = this.#silent.add(entry)
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
}

function overloaded(limit: number): SecureSocketError {
  return new SecureSocketError('ERR_SECURE_SOCKET_OVERLOADED', `${limit} handshakes are under way`, {
    phase: 'handshake',
    hint: "allow more with 'maxHandshakes', or give them less time with 'handshakeTimeout'",
  })
}
