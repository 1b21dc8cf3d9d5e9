/** As net.connect has it: the program's own buffers, filled again and again instead of one made for each read. */
export interface OnReadOptions {
  /** One buffer for all reads, or a function that gives the one for the next. */
  readonly buffer: Uint8Array | (() => Uint8Array)
  /** So many bytes stand at the buffer's beginning, until the callback returns. `false` pauses; `socket.resume()` goes on. */
  readonly callback: (bytes: number, buffer: Uint8Array) => boolean | void
}

/**
 * What is received goes into the program's buffers. Before the verdict nothing comes here: the gate holds it, in buffers of our own
 * (with `onread`, node:tls delivers although it is paused).
 */
export class CallerBuffers {
  readonly #options: OnReadOptions
  readonly #done: () => void
  readonly #failed: (error: Error) => void
  #current: Uint8Array
  /** Copies of what came while paused: a buffer that is paused is still the program's. */
  #queue: Uint8Array[] = []
  #paused = false
  #ended = false

  constructor(options: OnReadOptions, done: () => void, failed: (error: Error) => void) {
    this.#options = options
    this.#done = done
    this.#failed = failed
    this.#current = this.#next()
  }

  /** The buffer that will be filled next. */
  get current(): Uint8Array {
    return this.#current
  }

  /** Takes all of the chunk, which may lie in `current` already. False: no more until `resume()`. */
  take(chunk: Uint8Array): boolean {
    for (let at = 0; at < chunk.length; ) {
      if (this.#paused) {
        this.#queue.push(Uint8Array.from(chunk.subarray(at)))
        return false
      }
      const into = this.#current
      const bytes = Math.min(into.length, chunk.length - at)
      const there = chunk.buffer === into.buffer && chunk.byteOffset + at === into.byteOffset
      if (!there) into.set(chunk.subarray(at, at + bytes))
      at += bytes
      if (!this.#tell(bytes, into)) return false
    }
    return !this.#paused
  }

  /** The peer has ended; told once everything before has been. */
  end(): void {
    this.#ended = true
    if (this.#queue.length === 0) this.#done()
  }

  pause(): void {
    this.#paused = true
  }

  /** Hands out what came meanwhile. True: more may come. */
  resume(): boolean {
    this.#paused = false
    const queue = this.#queue
    this.#queue = []
    for (const [index, chunk] of queue.entries())
      if (!this.take(chunk)) {
        this.#queue.push(...queue.slice(index + 1))
        return false
      }
    if (this.#ended) this.#done()
    return true
  }

  /** False where the callback has failed. */
  #tell(bytes: number, buffer: Uint8Array): boolean {
    try {
      if (this.#options.callback(bytes, buffer) === false) this.#paused = true
      this.#current = this.#next()
      return true
    } catch (error) {
      this.#paused = true
      this.#failed(error as Error)
      return false
    }
  }

  #next(): Uint8Array {
    const { buffer } = this.#options
    if (typeof buffer !== 'function') return buffer
    const next: unknown = buffer()
    if (next instanceof Uint8Array && next.length > 0) return next
    throw Object.assign(new TypeError("option 'onread.buffer' must return a Uint8Array that is not empty"), {
      code: 'ERR_INVALID_ARG_VALUE',
    })
  }
}
