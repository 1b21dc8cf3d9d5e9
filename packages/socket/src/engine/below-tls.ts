import type { TLSSocket } from 'node:tls'
import { tcpHandle } from './node-internals.ts'

/**
 * The TCP connection of an engine that has made it itself, as far as a TLSSocket tells something else about it: that counts plaintext, and
 * refuses to reset.
 */
export class BelowTls {
  readonly #tls: TLSSocket
  #closed: { readonly bytesRead: number; readonly bytesWritten: number } | undefined

  constructor(tls: TLSSocket) {
    this.#tls = tls
  }

  get #counters(): { readonly bytesRead: number; readonly bytesWritten: number } {
    return this.#closed ?? tcpHandle(this.#tls) ?? this.#tls
  }

  get bytesRead(): number {
    return this.#counters.bytesRead
  }

  get bytesWritten(): number {
    return this.#counters.bytesWritten
  }

  /** To be called before it closes: a closed handle counts nothing. */
  closing(): void {
    const { bytesRead, bytesWritten } = this.#counters
    this.#closed = { bytesRead, bytesWritten }
  }

  /** A close by RST, where Node lets us; before there is a connection, there is none to reset, and Node would never end the handle. */
  resetAndDestroy(): void {
    this.closing()
    if (!this.#tls.connecting) tcpHandle(this.#tls)?.reset?.(() => undefined)
    this.#tls.destroy()
  }
}
