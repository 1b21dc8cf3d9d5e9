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
 * The stream that node:tls believes to be its connection. Records are fed into it one at a time; it never ends by itself and never
 * closes the transport behind it.
 */
export class Bridge extends Duplex {
  readonly #target: CiphertextTarget

  constructor(target: CiphertextTarget) {
    super({ allowHalfOpen: true, emitClose: true, autoDestroy: false })
    this.#target = target
    this.on('resume', () => target.resumed())
  }

  /** False while TLS takes nothing. */
  get takesRecords(): boolean {
    return this.readableFlowing === true && !this.destroyed
  }

  /** Hands one record to TLS, which has looked at it when this returns; only while `takesRecords`. What push() would do, at less cost. */
  feed(record: Uint8Array): void {
    this.emit('data', record)
  }

  override _read(): void {
    // records are fed as they come
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
