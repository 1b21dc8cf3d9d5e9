import { OcspError } from './errors.ts'

/** A caller's signal and a time limit together. The caller's abort throws; the limit is a result. */
export class Deadline {
  readonly #signal: AbortSignal | undefined
  readonly #limit = new AbortController()
  readonly #timer: NodeJS.Timeout
  readonly #timeout: number
  readonly #started: number = performance.now()

  constructor(signal: AbortSignal | undefined, timeout: number) {
    this.#signal = signal
    this.#timeout = timeout
    this.#timer = setTimeout(() => this.#limit.abort(), Math.min(timeout, 2 ** 31 - 1))
    if (signal === undefined) return
    if (signal.aborted) this.#limit.abort()
    else signal.addEventListener('abort', this.#forward, { once: true })
  }

  /** @throws the caller's reason where the caller has aborted. */
  throwIfAborted(): void {
    this.#signal?.throwIfAborted()
  }

  /** The failure where no time is left: nothing is to be begun then that nobody would wait for or give up. */
  tooLate(url: string): OcspError | undefined {
    return this.#limit.signal.aborted ? timedOut(url) : undefined
  }

  /** Waits for something that may never come: until the limit, then goes on without it. */
  async race(work: Promise<unknown>): Promise<void> {
    await this.#attempt(this.#timeout, () => work).catch(() => undefined)
    this.throwIfAborted()
  }

  /** Does one thing within a share of the time that is left; what it fails with is returned, not thrown. */
  async attempt<T>(share: number, url: string, work: (signal: AbortSignal) => Promise<T>): Promise<T | OcspError> {
    try {
      return await this.#attempt((this.#timeout - (performance.now() - this.#started)) * share, work)
    } catch (cause) {
      this.throwIfAborted()
      if (cause === TIMED_OUT) return timedOut(url)
      if (cause instanceof OcspError) return cause
      return new OcspError('ERR_OCSP_FETCH_FAILED', `The OCSP responder ${url} cannot be reached`, { cause, url })
    }
  }

  async #attempt<T>(time: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const attempt = new AbortController()
    const stop = (): void => attempt.abort(TIMED_OUT)
    const timer = setTimeout(stop, Math.min(Math.max(time, 0), 2 ** 31 - 1))
    this.#limit.signal.addEventListener('abort', stop, { once: true })
    try {
      if (this.#limit.signal.aborted) throw TIMED_OUT
      const given = new Promise<never>((_resolve, reject) => {
        attempt.signal.addEventListener('abort', () => reject(TIMED_OUT), { once: true })
      })
      return await Promise.race([work(attempt.signal), given])
    } finally {
      clearTimeout(timer)
      this.#limit.signal.removeEventListener('abort', stop)
    }
  }

  readonly #forward = (): void => this.#limit.abort()

  /** To be called when all is done. */
  clear(): void {
    clearTimeout(this.#timer)
    this.#signal?.removeEventListener('abort', this.#forward)
  }
}

function timedOut(url: string): OcspError {
  return new OcspError('ERR_OCSP_TIMEOUT', `The OCSP responder ${url} did not answer in time`, { url })
}

const TIMED_OUT = new OcspError('ERR_OCSP_TIMEOUT', 'The OCSP responder did not answer in time')
