import type { EndKind, Engine, EngineSink, PlainEngine, TlsEngine } from './engine/engine.ts'
import { SecureSocketError } from './errors.ts'
import { Verification } from './verify/verification.ts'

type Done = (error?: Error | null) => void

/** What the gate delivers to: the facade's stream side. */
export interface GateOutput {
  /** False: no more until `pull()`. */
  push(chunk: Uint8Array): boolean
  ended(how: EndKind): void
  shutdown(): void
  failed(error: Error): void
  /** Bytes have moved in either direction. */
  active(): void
}

/** What the stream side has asked for while the gate was closed. Streams issue one write at a time, so one slot is enough. */
interface Held {
  readonly chunks: readonly Uint8Array[]
  readonly done: Done
}

/**
 * The only sink of an engine and the only place where data is held: nothing that the program writes leaves, and nothing
 * that it can read arrives, while the gate is closed. For a TLS engine it opens only for a genuine {@link Verification}.
 */
export class Gate implements EngineSink {
  readonly #output: GateOutput
  #engine: Engine | undefined
  #open = false
  #wanted = false
  #held: Held | undefined
  #heldFinish: Done | undefined
  #heldEnding: EndKind | undefined
  #closed = false
  /** Bytes written through completed writes, and bytes delivered, over all engines. */
  bytesWritten = 0
  bytesRead = 0
  #refuseLater = false
  /** TLS is being stopped: what the peer had sent in TLS is still delivered. */
  #draining = false
  #flushing: { readonly boundary: number; readonly reached: () => void } | undefined

  constructor(output: GateOutput) {
    this.#output = output
  }

  get isOpen(): boolean {
    return this.#open
  }

  /** Takes over this engine's deliveries, in the place of an earlier one's; the gate is closed. */
  attach(engine: Engine): void {
    this.#open = false
    this.#engine = engine
    this.#heldEnding = undefined
    engine.attach(this)
  }

  openPlain(engine: PlainEngine): void {
    if (engine.kind !== 'plain') throw notOpened('a TLS engine needs a verification')
    this.#openFor(engine)
  }

  openSecure(engine: TlsEngine, verification: Verification): void {
    if (!Verification.isGenuine(verification)) throw notOpened('not a genuine verification')
    this.#openFor(engine)
  }

  #openFor(engine: Engine): void {
    if (this.#closed || this.#engine !== engine) throw notOpened('the engine is not the attached one')
    this.#open = true
    this.#refuseLater = this.#draining = false
    this.#flushing = undefined
    const held = this.#held
    const heldFinish = this.#heldFinish
    const ending = this.#heldEnding
    this.#held = this.#heldFinish = this.#heldEnding = undefined
    if (held !== undefined) this.write(held.chunks, held.done)
    if (heldFinish !== undefined) this.finish(heldFinish)
    if (ending !== undefined) this.#output.ended(ending)
    else if (this.#wanted) engine.pull()
  }

  /**
   * Closes the gate for what is written from now on; what the stream took before (`boundary` bytes over all) still goes
   * to the present engine. `reached` is called when all of it has left. What is written later is held, and reading stops at once; or
   * (TLS is being stopped) it is refused, lest it leave in clear although it was meant to be secret, and the peer's last data is delivered.
   */
  closeAfter(boundary: number, later: 'hold' | 'refuse', reached: () => void): void {
    this.#open = false
    this.#refuseLater = this.#draining = later === 'refuse'
    this.#flushing = { boundary, reached }
    this.#checkBoundary()
  }

  #checkBoundary(): void {
    const flushing = this.#flushing
    if (flushing === undefined || this.bytesWritten < flushing.boundary) return
    this.#flushing = undefined
    flushing.reached()
  }

  pull(): void {
    this.#wanted = true
    if (this.#open) this.#engine?.pull()
  }

  write(chunks: readonly Uint8Array[], done: Done): void {
    if (this.#closed) return done(closedError())
    if (this.#open) return this.#send(chunks, done)
    if (this.#flushing === undefined) return this.#hold(chunks, done)
    const [before, after] = splitAt(chunks, this.#flushing.boundary - this.bytesWritten)
    if (before.length === 0) return this.#hold(after, done)
    this.#send(before, (error) => {
      if (error !== null && error !== undefined) return done(error)
      if (after.length === 0) return done()
      this.write(after, done)
    })
  }

  #hold(chunks: readonly Uint8Array[], done: Done): void {
    if (this.#refuseLater)
      done(
        new SecureSocketError(
          'ERR_SECURE_SOCKET_STATE',
          'written while TLS is being stopped: it would leave in clear',
          { phase: 'stop' },
        ),
      )
    else this.#held = { chunks, done }
  }

  #send(chunks: readonly Uint8Array[], done: Done): void {
    const engine = this.#engine as Engine
    let length = 0
    for (const chunk of chunks) length += chunk.length
    engine.write(chunks, (error) => {
      if (error === null || error === undefined) {
        this.bytesWritten += length
        this.#output.active()
      }
      done(error)
      this.#checkBoundary()
    })
  }

  /** Ends our direction once the gate is open. */
  finish(done: Done): void {
    if (this.#closed) return done(closedError())
    if (this.#open) (this.#engine as Engine).end(done)
    else this.#heldFinish = done
  }

  /** For good: what is held is dropped, its callbacks get the error, and the engine is destroyed. */
  close(error: Error | null): void {
    if (this.#closed) return
    this.#closed = true
    this.#open = false
    this.#flushing = undefined
    const held = this.#held
    const heldFinish = this.#heldFinish
    this.#held = this.#heldFinish = undefined
    this.#engine?.destroy(error)
    held?.done(error ?? closedError())
    heldFinish?.(error ?? closedError())
  }

  /** Closes without touching the engine: its transport has been handed to somebody else. */
  forget(error: Error | null): void {
    this.#engine = undefined
    this.close(error)
  }

  data(chunk: Uint8Array): boolean {
    if (!this.#open && !this.#draining) {
      // An engine that delivers unasked is broken; the bytes must not reach the program, and must not vanish silently either.
      this.#output.failed(
        new SecureSocketError('ERR_SECURE_SOCKET_STATE', 'data arrived while the gate was closed', { phase: 'verify' }),
      )
      return false
    }
    this.bytesRead += chunk.length
    this.#output.active()
    this.#wanted = this.#output.push(chunk)
    return this.#wanted
  }

  shutdown(): void {
    this.#output.shutdown()
  }

  end(how: EndKind): void {
    if (this.#open) this.#output.ended(how)
    else this.#heldEnding = how
  }

  failed(error: Error): void {
    this.#output.failed(error)
  }
}

/** The chunks that lie within the first `bytes` bytes, and the rest. A stream's chunk never straddles the boundary. */
function splitAt(chunks: readonly Uint8Array[], bytes: number): [Uint8Array[], Uint8Array[]] {
  let taken = 0
  let count = 0
  for (const chunk of chunks) {
    if (taken >= bytes) break
    taken += chunk.length
    count++
  }
  return [chunks.slice(0, count), chunks.slice(count)]
}

function notOpened(why: string): SecureSocketError {
  return new SecureSocketError('ERR_SECURE_SOCKET_STATE', `the gate stays closed: ${why}`, { phase: 'verify' })
}

function closedError(): SecureSocketError {
  return new SecureSocketError('ERR_SECURE_SOCKET_CLOSED', 'the socket is closed', { phase: 'write' })
}
