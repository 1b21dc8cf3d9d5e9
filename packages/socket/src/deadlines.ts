import { handshakeTimeout } from './failures.ts'
import { type Place, Queue } from './queue.ts'

/** One that waits, to be given back when it does no longer. */
export interface Waiting<T> {
  readonly item: T
  /** By the clock of `performance.now()`. */
  readonly deadline: number
  place: Place<Waiting<T>> | undefined
  /** Whether it keeps the process alive. */
  isHolding: boolean
}

/**
 * Items that all have the same time. One timer, for the oldest, does for all: to set one for each, and to clear it, costs a handshake more than its checks. What they
 * are about keeps the process alive as a rule; the clock does where `hold` says so.
 */
export class Deadlines<T> {
  /** Milliseconds. */
  readonly timeout: number
  readonly #late: (item: T) => void
  readonly #waiting = new Queue<Waiting<T>>()
  #timer: NodeJS.Timeout | undefined
  #isLast = false
  #holding = 0

  /** `late` is called for each item whose time is over; it is removed before. */
  constructor(timeout: number, late: (item: T) => void) {
    this.timeout = timeout
    this.#late = late
  }

  get size(): number {
    return this.#waiting.size
  }

  add(item: T): Waiting<T> {
    const waiting: Waiting<T> = {
      item,
      deadline: performance.now() + this.timeout,
      place: undefined,
      isHolding: false,
    }
    waiting.place = this.#waiting.add(waiting)
    this.#timer ??= this.#wakeAfter(this.timeout)
    return waiting
  }

  /** Whether this item, as long as it waits, keeps the process alive; none does at first. */
  hold(waiting: Waiting<T>, isHolding: boolean): void {
    if (waiting.place === undefined || waiting.isHolding === isHolding) return
    waiting.isHolding = isHolding
    this.#holding += isHolding ? 1 : -1
    if (this.#holding === 0) this.#timer?.unref()
    else if (isHolding && this.#holding === 1) this.#timer?.ref()
  }

  /** Idempotent. */
  remove(waiting: Waiting<T>): void {
    if (waiting.place === undefined) return
    this.hold(waiting, false)
    this.#waiting.remove(waiting.place)
    waiting.place = undefined
    if (this.#isLast) this.retire()
  }

  /** No item is added any more: the timer goes with the last one, instead of running out. */
  retire(): void {
    this.#isLast = true
    if (this.#waiting.size > 0) return
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #wakeAfter(delay: number): NodeJS.Timeout {
    const timer = setTimeout(() => this.#endLate(), Math.max(1, Math.ceil(delay)))
    return this.#holding > 0 ? timer : timer.unref()
  }

  #endLate(): void {
    const now = performance.now()
    let oldest = this.#waiting.first
    try {
      for (; oldest !== undefined && oldest.deadline <= now; oldest = this.#waiting.first) {
        this.remove(oldest)
        this.#late(oldest.item)
      }
    } finally {
      // also where a listener of the program's has thrown
      this.#timer = oldest === undefined ? undefined : this.#wakeAfter(oldest.deadline - now)
    }
  }
}

/** A client's handshake, or a server's that no `Pending` has. */
export interface Interruptible {
  interrupt(reason: Error): void
}

/** Interrupts a handshake after this time (milliseconds) unless it is stopped before; undefined where the time is without end. */
export function startClock(handshake: Interruptible, timeout: number): HandshakeClock | undefined {
  return timeout === Number.POSITIVE_INFINITY ? undefined : new HandshakeClock(handshake, deadlinesOf(timeout))
}

/** One handshake among those that are given the same time. */
export class HandshakeClock {
  readonly #deadlines: Deadlines<Interruptible>
  readonly #waiting: Waiting<Interruptible>

  constructor(handshake: Interruptible, deadlines: Deadlines<Interruptible>) {
    this.#deadlines = deadlines
    this.#waiting = deadlines.add(handshake)
  }

  /** Whether it keeps the process alive: not at first. */
  hold(isHolding: boolean): void {
    this.#deadlines.hold(this.#waiting, isHolding)
  }

  /** Idempotent. */
  stop(): void {
    this.#deadlines.remove(this.#waiting)
  }
}

function deadlinesOf(timeout: number): Deadlines<Interruptible> {
  if (timeout === current?.timeout) return current
  // few programs have more than one, and who computes another for each connection is not to fill the memory
  current?.retire()
  return (current = new Deadlines(timeout, (handshake) => handshake.interrupt(handshakeTimeout(timeout))))
}

let current: Deadlines<Interruptible> | undefined
