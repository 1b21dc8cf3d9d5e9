import { Duplex } from 'node:stream'
import { SecureSocketError } from '../errors.ts'
import { flowsFreely } from './inflow.ts'
import { hasHandle, readInto } from './node-internals.ts'
import { RecordFramer } from './record-framer.ts'

/** What the receiving side of a transport tells. */
export interface IncomingTarget {
  /** `next()` may have a record. */
  readonly arrived: () => void
  readonly ended: () => void
  readonly failed: (error: Error) => void
}

/** So many bytes received make a connection one that receives a lot. */
const MUCH = 131_072

/**
 * What is read for all connections that receive a lot: a buffer made for each read costs more, in collections, than decrypting what is in it. Reading, cutting
 * and decrypting are one call of Node's, so it is free again before the next read, whosever that is. Undefined until it is needed.
 */
let shared: Buffer | undefined

/**
 * The receiving side of a transport, cut into records. What has been received but not been taken by `next()` lies in the transport itself (put back
 * with `unshift`) whenever nobody is reading, so that the transport alone knows what is unread and when it ends.
 */
export class Incoming {
  readonly #raw: Duplex
  readonly #target: IncomingTarget
  readonly #framer: RecordFramer = new RecordFramer({ reuses: true })
  #received = 0
  #ended = false
  #released = false
  #takesShared = false

  constructor(raw: Duplex, target: IncomingTarget) {
    this.#raw = raw
    this.#target = target
    raw.pause() // before the listener, which would set it flowing
    raw.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onError).on('close', this.#onClose)
  }

  /** The transport has ended, and everything before has been given out. */
  get ended(): boolean {
    return this.#ended
  }

  /** What is next is no TLS record. */
  get broken(): boolean {
    return this.#framer.broken
  }

  /** Nothing received waits in the transport. */
  get empty(): boolean {
    return this.#raw.readableLength === 0
  }

  /** The next whole record, or undefined. It must have been dealt with when this is called again. */
  next(): Uint8Array | undefined {
    return this.#framer.next()
  }

  resume(): void {
    this.#raw.resume()
  }

  pause(): void {
    this.#raw.pause()
  }

  /** What has not been taken goes back to where it came from; the answer is what that was. */
  putBack(): Uint8Array | undefined {
    const rest = this.#framer.rest()
    if (rest !== undefined) this.#raw.pause()
    // a transport that has ended takes nothing back: what is left then is a part of a record
    if (rest !== undefined && !this.#raw.readableEnded) this.#raw.unshift(rest)
    return rest
  }

  /** Takes all that has arrived, without waiting; nothing is told of what arrives later. */
  takeWhatIsThere(): void {
    this.#raw.off('data', this.#onData)
    for (let chunk: Uint8Array | null; (chunk = this.#raw.read() as Uint8Array | null) !== null; )
      this.#framer.push(chunk)
  }

  /** Leaves the transport, paused, with what was not taken put back. */
  release(): void {
    this.#released = true
    this.#raw.pause()
    this.putBack()
    this.#raw.off('data', this.#onData).off('end', this.#onEnd).off('error', this.#onError).off('close', this.#onClose)
  }

  readonly #onData = (chunk: Uint8Array): void => {
    this.#framer.push(chunk)
    this.#target.arrived()
    if (!this.#takesShared && (this.#received += chunk.length) > MUCH) this.#share()
  }

  /** From now on, where the transport is a socket of Node's that nobody else listens to. */
  #share(): void {
    this.#takesShared = true
    const raw = this.#raw
    if (this.#released || !hasHandle(raw) || raw.listenerCount('data') !== 1) return
    const buffer = (shared ??= Buffer.allocUnsafeSlow(65_536))
    const shares = readInto(raw, { current: buffer }, (filled) => {
      if (this.#released || !flowsFreely(raw)) return raw.push(Buffer.from(filled))
      this.#framer.push(filled, true)
      try {
        this.#target.arrived()
      } finally {
        this.#framer.keep() // a listener of the program's has thrown; nothing is left otherwise
      }
      return true
    })
    // paused, a socket of Node's reads on until it is full, and so finds what came unasked and where the peer ended; not so where it reads into buffers
    if (shares)
      raw.pause = () => {
        Duplex.prototype.pause.call(raw)
        return raw
      }
  }

  readonly #onEnd = (): void => {
    this.#ended = true
    this.#target.ended()
  }

  readonly #onError = (error: Error): void => {
    this.#target.failed(error)
  }

  readonly #onClose = (): void => {
    if (!this.#ended)
      this.#target.failed(
        new SecureSocketError('ERR_SECURE_SOCKET_CLOSED', 'the transport was closed', { phase: 'read' }),
      )
  }
}
