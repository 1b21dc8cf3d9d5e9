import { SecureSocketError } from './errors.ts'

/** One handshake under way. */
export interface PendingHandshake {
  /** The client has said something. */
  readonly spoken: () => void
  /** It is over, either way; idempotent. */
  readonly settled: () => void
}

/**
 * The handshakes under way, bounded. Where there are too many, the client goes that has been silent longest; where none is silent, the newcomer.
 */
export class Pending {
  readonly #limit: number
  readonly #all = new Set<object>()
  /** In the order of their arrival. */
  readonly #silent = new Map<object, (error: Error) => void>()

  constructor(limit: number) {
    this.#limit = limit
  }

  get size(): number {
    return this.#all.size
  }

  /** Undefined where there is no room; `evict` has then been called, as it is later for a client that has to go. */
  add(evict: (error: Error) => void): PendingHandshake | undefined {
    if (this.#all.size >= this.#limit && !this.#makeRoom()) {
      evict(overloaded(this.#limit))
      return undefined
    }
    const entry = {}
    this.#all.add(entry)
    this.#silent.set(entry, evict)
    return {
      spoken: () => void this.#silent.delete(entry),
      settled: () => {
        this.#all.delete(entry)
        this.#silent.delete(entry)
      },
    }
  }

  #makeRoom(): boolean {
    const [oldest] = this.#silent
    if (oldest === undefined) return false
    const [entry, evict] = oldest
    this.#all.delete(entry)
    this.#silent.delete(entry)
    evict(overloaded(this.#limit))
    return true
  }
}

function overloaded(limit: number): SecureSocketError {
  return new SecureSocketError('ERR_SECURE_SOCKET_OVERLOADED', `${limit} handshakes are under way`, {
    phase: 'handshake',
    hint: "allow more with 'maxHandshakes', or give them less time with 'handshakeTimeout'",
  })
}
