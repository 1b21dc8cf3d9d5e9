/** The time that everything which goes over the network may take for one verdict, together. What is late counts as unanswered. */
export class NetworkTime {
  readonly #ends: number
  readonly #outer: AbortSignal

  constructor(timeout: number, outer: AbortSignal) {
    this.#ends = performance.now() + timeout
    this.#outer = outer
  }

  /** Milliseconds that are left, at least one. */
  get left(): number {
    return Math.max(1, Math.ceil(this.#ends - performance.now()))
  }

  /** What `ask` answers, or undefined where it is late. Rejects as `ask` does, and on an abort from outside. */
  async within<T>(ask: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), this.left)
    try {
      return await ask(AbortSignal.any([late.signal, this.#outer]))
    } catch (error) {
      if (late.signal.aborted && !this.#outer.aborted) return undefined
      throw error
    } finally {
      clearTimeout(timer)
    }
  }
}

/** What comes first: the answer, or the abort, with whose reason it then rejects. */
export async function unlessAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop: (() => void) | undefined
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason as Error)
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([answer, aborted])
  } finally {
    if (stop !== undefined) signal.removeEventListener('abort', stop)
  }
}
