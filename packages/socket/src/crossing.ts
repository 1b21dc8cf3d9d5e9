import type { Duplex } from 'node:stream'
import type { Released } from './engine/engine.ts'
import { guard, type Guarded } from './engine/guard.ts'
import { undecoded } from './engine/node-internals.ts'
import { SecureSocketError } from './errors.ts'
import { closedMeanwhile, inTime, refusePlaintextLeft, stopTimeout } from './failures.ts'
import type { Gate } from './gate.ts'
import type { Facade } from './facade.ts'
import type { State } from './state.ts'

/** What a crossing sees of its core. */
export interface Crossed extends Guarded {
  readonly state: State
  readonly gate: Gate
  readonly closing: AbortSignal
  /** Connected, and no engine has it yet. */
  readonly unsecured: Duplex | undefined
}

/** What the peer may send between our end of TLS and its own, where nobody reads it. */
export const MAX_UNREAD = 1_048_576

/** The ways between plain and TLS: what was written or received on one side must not come out on the other. */
export class Crossing {
  readonly #core: Crossed
  readonly #facade: Facade
  readonly #become: (next: State) => void
  /** TLS is being started: the phase is plain until what was written before has left. */
  #leaving = false
  /** Bytes delivered before TLS was last stopped. */
  #secureUntil = 0

  constructor(core: Crossed, facade: Facade, become: (next: State) => void) {
    this.#core = core
    this.#facade = facade
    this.#become = become
  }

  /** The socket is plain again. */
  arrived(): void {
    this.#leaving = false
  }

  /**
   * Throws ERR_SECURE_SOCKET_STATE unless TLS can be started. A second start beside a first one would count what was written
   * between the two, meant for TLS, among what still leaves in clear.
   */
  expectPlain(): void {
    const { phase } = this.#core.state
    if (phase === 'plain' && !this.#leaving) return
    const state = this.#leaving ? 'being upgraded already' : phase
    throw new SecureSocketError('ERR_SECURE_SOCKET_STATE', `TLS cannot be started on a socket that is ${state}`, {
      phase: 'starttls',
    })
  }

  /**
   * Leaves the plain phase for TLS: what was written before this call still goes out in clear, what is written after it waits.
   * Resolves with the transport once the former has left.
   * Rejects with ERR_SECURE_SOCKET_PLAINTEXT_LEFT where plaintext was received that nobody has read: it may be injected.
   */
  async leavePlain(role: 'client' | 'server', timeout: number): Promise<Duplex> {
    this.expectPlain()
    const { engine } = this.#core.state as Extract<State, { phase: 'plain' }>
    this.#leaving = true
    engine.stopReading()
    const flushed = this.#flushed('hold')
    // the beginning of a character would otherwise end with what TLS brings
    refusePlaintextLeft(this.#facade.readableLength + undecoded(this.#facade).length + engine.unreadLength())
    await inTime(flushed, timeout)
    // what stands beside it has failed, and the transport may be the program's
    if (this.#core.state.phase !== 'plain') throw closedMeanwhile()
    // what a client receives before its hello has left cannot be TLS; to a server it is the hello
    if (role === 'client') refusePlaintextLeft(engine.unreadLength())
    const { transport } = engine.release()
    guard(this.#core, transport, 'starttls')
    return transport
  }

  /** Closes the gate for new writes and resolves when those before have left. */
  #flushed(later: 'hold' | 'refuse'): Promise<void> {
    const flushed = new Promise<void>((resolve, reject) => {
      const closed = (): void => reject(closedMeanwhile())
      this.#core.closing.addEventListener('abort', closed, { once: true })
      this.#core.gate.closeAfter(this.#core.gate.bytesWritten + this.#facade.writableLength, later, () => {
        this.#core.closing.removeEventListener('abort', closed)
        resolve()
      })
    })
    flushed.catch(() => undefined) // the caller may have failed for another reason already
    return flushed
  }

  /** Of what can be read, how many bytes came through TLS that has been stopped since. */
  get unreadSecure(): number {
    // text of more characters than bytes would count what came in clear as secure
    if (/^(?:hex|base64)/.test(this.#facade.readableEncoding ?? '')) return 0
    return Math.max(0, this.#secureUntil - (this.#core.gate.bytesRead - this.#facade.readableLength))
  }

  /** Ends TLS; the connection goes on in clear once its transport is adopted. Closes it where that fails half way. */
  async stop(waitForPeer: boolean, timeout: number): Promise<Released> {
    const { state } = this.#core
    if (state.phase !== 'secure')
      throw new SecureSocketError(
        'ERR_SECURE_SOCKET_STATE',
        `TLS cannot be stopped on a socket that is ${state.phase}`,
        { phase: 'stop' },
      )
    const { engine, verification } = state
    if (engine.kind === 'native') return engine.stop(waitForPeer, this.#core.closing) // rejects, and nothing has changed
    this.#become({ phase: 'stopping', engine, verification })
    this.#facade.on('error', toldByRejection)
    const timer = setTimeout(() => this.#core.closeWith(stopTimeout(timeout)), timeout)
    try {
      await this.#flushed('refuse')
      const released = await engine.stop(waitForPeer, this.#core.closing)
      this.#secureUntil = this.#core.gate.bytesRead
      this.#facade.off('error', toldByRejection)
      return released
    } catch (error) {
      throw this.#core.closeWith(error as Error)
    } finally {
      clearTimeout(timer)
    }
  }

  /** The transport, where TLS has failed or was not reached, with every byte that was not TLS; undefined where it is gone. */
  surrender(): Duplex | undefined {
    const { state } = this.#core
    if (state.phase === 'handshaking' || state.phase === 'verifying') return state.engine.surrender()?.transport
    if (state.phase === 'connecting') return this.#core.unsecured?.destroyed === true ? undefined : this.#core.unsecured
    if (state.phase !== 'plain') return undefined
    const { transport } = state.engine.release()
    const unread: unknown[] = []
    // Node 26 answers with one chunk at a time
    for (let chunk: unknown; (chunk = this.#facade.read()) !== null; ) unread.push(chunk)
    if (transport.readableEnded) return transport
    const begun = undecoded(this.#facade)
    if (begun.length > 0) transport.unshift(begun)
    // with an encoding it is text, whose bytes are not those of UTF-8 in any case
    for (const chunk of unread.reverse()) transport.unshift(chunk, this.#facade.readableEncoding ?? undefined)
    return transport
  }
}

function toldByRejection(): void {
  // of stopTls()
}
