import type { Duplex } from 'node:stream'

/**
 * What a socket of Node's receives, handed to `deliver` at once instead of through the stream's own queue, 'data' event and the tick behind each: a facade
 * with a queue of its own stands behind it. Only while the stream flows and holds nothing; else, and at the end, all goes as it always does, so order and
 * backpressure stay the stream's. Nobody else may read from the stream, pause or resume it. It is paused until the first `pull()`.
 */
export class Inflow {
  readonly #stream: Duplex
  readonly #deliver: (chunk: Uint8Array) => boolean
  #paused = true
  /** What comes may pass the stream by. */
  #free = false

  /** `deliver` answers false where it has enough until `pull()`. */
  constructor(stream: Duplex, deliver: (chunk: Uint8Array) => boolean) {
    this.#stream = stream
    this.#deliver = deliver
    stream.pause() // before the listener, which would set it flowing
    stream.on('data', this.#onChunk)
    const push = stream.push.bind(stream)
    stream.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
      if (!(chunk instanceof Uint8Array) || chunk.length === 0) return push(chunk, encoding)
      if (!this.#free && !flowsFreely(stream)) return push(chunk, encoding)
      this.#free = true
      this.#onChunk(chunk)
      return true
    }
  }

  /** More is wanted; idempotent. */
  pull(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#stream.resume()
  }

  readonly #onChunk = (chunk: Uint8Array): void => {
    if (this.#deliver(chunk)) return
    this.#paused = true
    this.#free = false
    this.#stream.pause()
  }
}

/** Whether what comes now may pass the stream by: it flows, and nothing came before it that is still there. */
export function flowsFreely(stream: Duplex): boolean {
  return stream.readableFlowing === true && stream.readableLength === 0 && !stream.destroyed
}
