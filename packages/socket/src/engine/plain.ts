import type { Duplex } from 'node:stream'
import { SecureSocketError } from '../errors.ts'
import type { EngineSink, PlainEngine, Released } from './engine.ts'
import { undecoded } from './node-internals.ts'

/** Passes bytes through, in clear. */
export class PlainTransport implements PlainEngine {
  readonly kind = 'plain' as const
  readonly #transport: Duplex
  #sink: EngineSink | undefined
  #finished = false

  constructor(transport: Duplex) {
    this.#transport = transport
  }

  attach(sink: EngineSink): void {
    this.#sink = sink
    const transport = this.#transport
    transport.pause() // before the listener, which would set it flowing
    transport.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onError).on('close', this.#onClose)
  }

  readonly #onData = (chunk: Uint8Array): void => {
    if (this.#sink?.data(chunk) === false) this.#transport.pause()
  }

  readonly #onEnd = (): void => {
    this.#sink?.end('fin')
  }

  readonly #onError = (error: Error): void => {
    this.#fail(error)
  }

  readonly #onClose = (): void => {
    // 'close' without 'end' or 'error' is a transport destroyed under us
    if (!this.#transport.readableEnded)
      this.#fail(new SecureSocketError('ERR_SECURE_SOCKET_CLOSED', 'the transport was closed', { phase: 'read' }))
  }

  #fail(error: Error): void {
    if (this.#finished) return
    this.#finished = true
    this.#sink?.failed(error)
  }

  pull(): void {
    if (this.#transport.isPaused()) this.#transport.resume()
  }

  write(chunks: readonly Uint8Array[], done: (error?: Error | null) => void): void {
    writeAll(this.#transport, chunks, done)
  }

  end(done: (error?: Error | null) => void): void {
    endOnce(this.#transport, done)
  }

  destroy(error: Error | null): void {
    this.#finished = true
    this.#detach()
    this.#transport.on('error', ignore)
    this.#transport.destroy(error ?? undefined)
  }

  stopReading(): void {
    this.#transport.pause()
  }

  unreadLength(): number {
    return this.#transport.readableLength + undecoded(this.#transport).length
  }

  release(): Released {
    this.#finished = true
    this.#transport.pause()
    this.#detach()
    return { transport: this.#transport, unread: [] }
  }

  ref(): void {
    callIfPresent(this.#transport, 'ref')
  }

  unref(): void {
    callIfPresent(this.#transport, 'unref')
  }

  #detach(): void {
    this.#sink = undefined
    this.#transport
      .off('data', this.#onData)
      .off('end', this.#onEnd)
      .off('error', this.#onError)
      .off('close', this.#onClose)
  }
}

/** Writes the chunks as one batch; `done` is called once, when the last has been taken or one has failed. */
export function writeAll(stream: Duplex, chunks: readonly Uint8Array[], done: (error?: Error | null) => void): void {
  if (chunks.length === 1) {
    stream.write(chunks[0], done)
    return
  }
  stream.cork()
  const last = chunks.length - 1
  for (let i = 0; i < last; i++) stream.write(chunks[i])
  stream.write(chunks[last] ?? new Uint8Array(0), done)
  stream.uncork()
}

/** Ends our direction; `done` is called once, also where the stream is closed instead. */
export function endOnce(stream: Duplex, done: (error?: Error | null) => void): void {
  if (stream.writableFinished || stream.destroyed) return done()
  let called = false
  const once = (error?: Error | null): void => {
    if (called) return
    called = true
    stream.off('close', once)
    done(error)
  }
  stream.once('close', once)
  stream.end(once)
}

export function ignore(): void {
  // an error that nobody is interested in any more must not become an uncaught one
}

/** `ref` and `unref` are net.Socket's; another Duplex need not have them. */
export function callIfPresent(stream: Duplex, method: 'ref' | 'unref'): void {
  const target = stream as Duplex & { ref?: () => unknown; unref?: () => unknown }
  target[method]?.()
}
