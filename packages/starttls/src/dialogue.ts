import type { Duplex } from 'node:stream'
import { StartTlsError, type StartTlsErrorCode } from './errors.ts'
import { checkOptions, type StartTlsOptions } from './options.ts'

/** Bytes of one line, its end included. IMAP and XMPP servers send lists of features of some hundreds. */
const maxLine = 8192
/** Bytes received in one dialogue. */
const maxBytes = 65_536

/**
 * Runs the steps of one protocol over a stream. Afterwards, however it ends, the stream has the listeners that it had before, and
 * it is neither closed nor flowing: that it is not used in clear after a failure is the caller's to see to.
 */
export async function converse(
  protocol: string,
  stream: Duplex,
  options: StartTlsOptions,
  steps: (peer: Dialogue) => Promise<void>,
): Promise<void> {
  const { signal, timeout } = checkOptions(stream, options)
  signal?.throwIfAborted()
  const peer = new Dialogue(protocol, stream)
  const onAbort = (): void => peer.fail(signal?.reason)
  const timer = setTimeout(() => peer.fail(peer.error('ERR_STARTTLS_TIMEOUT', `no TLS within ${timeout} ms`)), timeout)
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    await steps(peer)
    await peer.expectSilence()
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
    await peer.release()
  }
}

/** A bounded reader of lines and bytes, and a writer, over a stream in paused mode. */
export class Dialogue {
  readonly #protocol: string
  readonly #stream: Duplex
  #rest: Buffer = Buffer.alloc(0)
  #received = 0
  /** Why nothing more will come; what has come before it is still read. */
  #ended: unknown
  /** Why the dialogue is over at once. */
  #failure: { readonly reason: unknown } | undefined
  #wake: () => void = () => undefined

  constructor(protocol: string, stream: Duplex) {
    this.#protocol = protocol
    this.#stream = stream
    stream.on('readable', this.#onReadable).on('end', this.#onEnd).on('close', this.#onEnd).on('error', this.#onError)
    if (stream.destroyed || stream.readableEnded) this.#onEnd()
    else this.#onReadable()
  }

  error(code: StartTlsErrorCode, message: string, reply?: string): StartTlsError {
    return new StartTlsError(code, this.#protocol, message, reply)
  }

  /** Ends the dialogue: whoever waits is told. */
  fail(reason: unknown): void {
    this.#failure ??= { reason }
    this.#wake()
  }

  /** The next line, without its end (LF, or CR LF), as Latin-1. */
  async line(): Promise<string> {
    let searched = 0
    for (;;) {
      this.#checkFailure()
      const end = this.#rest.indexOf(0x0a, searched)
      if (end >= maxLine || (end === -1 && this.#rest.length >= maxLine)) {
        throw this.error('ERR_STARTTLS_LIMIT', `the peer sent a line of more than ${maxLine} bytes`)
      }
      if (end !== -1)
        return this.#take(end + 1)
          .toString('latin1')
          .replace(/\r?\n$/, '')
      searched = this.#rest.length
      await this.#more()
    }
  }

  /** The next `count` bytes. */
  async bytes(count: number): Promise<Buffer> {
    if (count > maxLine) throw this.error('ERR_STARTTLS_LIMIT', `the peer announced ${count} bytes`)
    for (;;) {
      this.#checkFailure()
      if (this.#rest.length >= count) return this.#take(count)
      await this.#more()
    }
  }

  /** Writes a question. Nothing may have come that nobody asked for: it would pass for the answer. */
  async ask(question: string | Uint8Array): Promise<void> {
    await this.expectSilence()
    this.write(question)
  }

  write(data: string | Uint8Array): void {
    this.#stream.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data)
  }

  /**
   * Throws if anything was received that was not read, also if it comes with the next turn of the event loop, as the second part of
   * what was sent at once may.
   */
  async expectSilence(): Promise<void> {
    for (let turn = 0; turn < 2; turn++) {
      this.#checkFailure()
      if (this.#rest.length > 0) {
        throw this.error('ERR_STARTTLS_INJECTED', `${this.#rest.length} bytes came that do not belong there`)
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
    this.#checkFailure()
    if (this.#rest.length > 0) throw this.error('ERR_STARTTLS_INJECTED', 'bytes came that do not belong there')
  }

  /** Takes the listeners away, and puts back what was not read. */
  async release(): Promise<void> {
    const stream = this.#stream
    stream
      .off('readable', this.#onReadable)
      .off('end', this.#onEnd)
      .off('close', this.#onEnd)
      .off('error', this.#onError)
    // Streams take note of a 'readable' listener gone in the next tick; TLS must not start before.
    await new Promise((resolve) => process.nextTick(resolve))
    // With a 'data' listener of the program's they then flow, though they did not before: what is next is not for that listener.
    if (stream.readableFlowing === true) stream.pause()
    if (this.#rest.length > 0 && !stream.destroyed && !stream.readableEnded) stream.unshift(this.#rest)
  }

  #take(count: number): Buffer {
    const taken = this.#rest.subarray(0, count)
    this.#rest = this.#rest.subarray(count)
    return taken
  }

  #checkFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.reason
  }

  async #more(): Promise<void> {
    if (this.#ended !== undefined) throw this.#ended
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
  }

  readonly #onReadable = (): void => {
    for (
      let chunk = this.#stream.read() as Buffer | null;
      chunk !== null;
      chunk = this.#stream.read() as Buffer | null
    ) {
      this.#received += chunk.length
      this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
      if (this.#received > maxBytes) {
        this.fail(this.error('ERR_STARTTLS_LIMIT', `the peer sent more than ${maxBytes} bytes`))
        return
      }
    }
    this.#wake()
  }

  readonly #onEnd = (): void => {
    this.#ended ??= this.error('ERR_STARTTLS_CLOSED', 'the peer closed the connection before TLS could start')
    this.#wake()
  }

  readonly #onError = (error: unknown): void => {
    this.#ended ??= error
    this.#wake()
  }
}
