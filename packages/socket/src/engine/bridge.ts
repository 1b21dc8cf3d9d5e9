import { Duplex } from 'node:stream'

type Done = (error?: Error | null) => void

/** Where the ciphertext goes that TLS has made. */
export interface CiphertextTarget {
  send(chunks: readonly Uint8Array[], done: Done): void
  /** TLS has ended our direction: its close_notify has been sent. */
  finished(done: Done): void
  /** TLS takes more. */
  resumed(): void
}

/**
 * The stream that node:tls believes to be its connection. Records are pushed into it one at a time; it never ends by itself and never
 * closes the transport behind it.
 */
export class Bridge extends Duplex {
  readonly #target: CiphertextTarget

  constructor(target: CiphertextTarget) {
    super({ allowHalfOpen: true, emitClose: true, autoDestroy: false })
    this.#target = target
    this.on('resume', () => target.resumed())
  }

  /** False while a record would wait in this stream instead of reaching TLS before `push()` returns. */
  get takesRecords(): boolean {
    return this.readableFlowing === true && this.readableLength === 0 && !this.destroyed
  }

  override _read(): void {
    // records are pushed as they come
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: Done): void {
    this.#target.send([chunk], done)
  }

  override _writev(entries: readonly { readonly chunk: Uint8Array }[], done: Done): void {
    this.#target.send(
      entries.map(({ chunk }) => chunk),
      done,
    )
  }

  override _final(done: Done): void {
    this.#target.finished(done)
  }
}
