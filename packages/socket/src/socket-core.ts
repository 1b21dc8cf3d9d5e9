import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { CheckedHello } from './client-hello.ts'
import { restartIdleTimer, undecoded } from './engine/node-internals.ts'
import { BelowTls } from './engine/below-tls.ts'
import type { EndKind, PeerClaim, PlainEngine, Released, TlsEngine } from './engine/engine.ts'
import { ignore, PlainTransport } from './engine/plain.ts'
import { type ErrorDetails, type Phase, PeerRefusedError, SecureSocketError, withDetails } from './errors.ts'
import { closedMeanwhile, handshakeTimeout, inTime, refusePlaintextLeft, stopTimeout } from './failures.ts'
import { Gate, type GateOutput } from './gate.ts'
import type { HostTable } from './hosts.ts'
import type { Surface } from './net-surface.ts'
import type { CallerBuffers } from './onread.ts'
import type { SecureSocket } from './secure-socket.ts'
import type { ClientSessions } from './sessions.ts'
import { mayFollow, type PhaseName, type State } from './state.ts'
import { verifyPeer } from './verify/checks.ts'
import type { TrustPolicy } from './verify/policy.ts'
import type { Verification } from './verify/verification.ts'

/** What the core tells the facade. */
export interface CoreOutput {
  /** False: no more until the stream asks again. */
  push(chunk: Uint8Array | null): boolean
  emit(event: 'secureConnect' | 'secure' | 'peerShutdown'): void
  destroy(error: Error): void
}

/**
 * One connection's life: its state, its engine, its gate. The facade in front of it is a stream and nothing else;
 * whatever changes the state goes through `#setState`.
 */
export class SocketCore implements GateOutput, Surface {
  readonly gate: Gate = new Gate(this)
  readonly #facade: SecureSocket
  readonly #output: CoreOutput
  #state: State = { phase: 'connecting' }
  #where: { host?: string; port?: number } = {}
  #unreferenced = false
  #ending: AbortController | undefined
  /** Ends the handshake that is under way. */
  #interrupt: ((reason: Error) => void) | undefined
  #sessions: ClientSessions | undefined
  /** TLS is being started: the phase is plain until what was written before has left. */
  #leaving = false
  transport: Socket | undefined
  /** Where the engine has made the connection: what `transport`, which is then its TLSSocket, does not know. */
  #below: BelowTls | undefined
  /** Connected, and no engine has it yet. */
  unsecured: Duplex | undefined
  claim: PeerClaim | undefined
  /** What the peer is, or was, judged by. */
  policy: TrustPolicy | undefined
  /** An end without close_notify counts as an end. */
  allowsTruncation = false
  onPeerShutdown: (() => void) | undefined
  /** Bytes delivered before TLS was last stopped. */
  #secureUntil = 0
  /** How the peer ended its direction, once it has. */
  peerEnd: EndKind | undefined
  /** The name sent to, or received from, the other side. */
  servername: string | false = false
  lastError: Error | undefined
  /** Where `onread` says so, what is received goes there. */
  buffers: CallerBuffers | undefined
  /** A server's: told once, when the socket is closed. */
  keeper: { closed(): void } | undefined
  /** A server's: what the client began with. */
  clientHello: CheckedHello | undefined
  /** A server's: what `startTls()` without options goes by. */
  hosts: (() => HostTable) | undefined
  /** The options of `connect` or `listen`: those that `startTls()` takes too hold for it where it is not told. */
  inherited: object = {}

  constructor(facade: SecureSocket, output: CoreOutput) {
    this.#facade = facade
    this.#output = output
  }

  get state(): State {
    return this.#state
  }

  get phase(): PhaseName {
    return this.#state.phase
  }

  get connecting(): boolean {
    return this.#state.phase === 'connecting'
  }

  get bytesRead(): number {
    return (this.#below ?? this.transport ?? this.gate).bytesRead
  }

  get bytesWritten(): number {
    return (this.#below ?? this.transport ?? this.gate).bytesWritten
  }

  get verification(): Verification | undefined {
    return 'verification' in this.#state ? this.#state.verification : undefined
  }

  get tlsEngine(): TlsEngine | undefined {
    return 'engine' in this.#state && this.#state.engine.kind !== 'plain' ? this.#state.engine : undefined
  }

  /** Aborted when the socket closes, so that nothing waits for it any longer. */
  get closing(): AbortSignal {
    if (this.#ending === undefined) {
      this.#ending = new AbortController()
      if (this.#state.phase === 'closed') this.#ending.abort(this.lastError ?? closedMeanwhile())
    }
    return this.#ending.signal
  }

  #setState(next: State): void {
    if (!mayFollow(this.#state.phase, next.phase))
      throw new SecureSocketError(
        'ERR_SECURE_SOCKET_STATE',
        `a socket that is ${this.#state.phase} cannot become ${next.phase}`,
      )
    this.#state = next
  }

  get where(): { readonly host?: string; readonly port?: number } {
    return this.#where
  }

  /** Where the connection goes, for errors. */
  located(where: { host?: string; port?: number }): void {
    this.#where = where
  }

  /** The engine makes the connection itself. */
  dialled(tls: TLSSocket): void {
    this.transport = tls
    this.#below = new BelowTls(tls)
  }

  /** Closes the connection by RST. */
  reset(): void {
    ;(this.#below ?? this.transport)?.resetAndDestroy()
  }

  /** Takes a transport (connected or not) without speaking TLS on it yet; opens the gate where `open` says so. */
  adoptPlain(transport: Duplex): PlainEngine {
    const engine = new PlainTransport(transport)
    this.#setState({ phase: 'plain', engine })
    this.#leaving = false
    this.gate.attach(engine)
    if (this.#unreferenced) engine.unref()
    this.gate.openPlain(engine)
    return engine
  }

  /**
   * Handshake, checks, and the gate. Whatever goes wrong rejects, and the caller destroys the facade with it.
   * Only this function makes a socket 'secure'.
   */
  async secure(
    engine: TlsEngine,
    policy: TrustPolicy,
    timeout: number,
    sessions?: ClientSessions,
    examine: (tls: TLSSocket, claim: PeerClaim) => PeerClaim = (_tls, claim) => claim,
  ): Promise<Verification> {
    this.#setState({ phase: 'handshaking', engine })
    this.policy = policy
    this.gate.attach(engine)
    if (this.#unreferenced) engine.unref()
    const isTimed = timeout !== Number.POSITIVE_INFINITY
    const timer = isTimed ? setTimeout(() => this.#interrupt?.(handshakeTimeout(timeout)), timeout) : undefined
    try {
      this.claim = examine(engine.tls, await this.#unlessInterrupted(engine.handshake()))
      if (this.#state.phase !== 'handshaking') throw closedMeanwhile()
      this.#setState({ phase: 'verifying', engine })
      const verdict = verifyPeer(this.claim, policy, this)
      const verification = verdict instanceof Promise ? await this.#unlessInterrupted(verdict) : verdict
      if ((this.#state.phase as PhaseName) !== 'verifying') throw closedMeanwhile()
      this.#setState({ phase: 'secure', engine, verification })
      this.servername = engine.tls.servername || false
      sessions?.accepted(engine.tls, this.claim, policy)
      this.#sessions = sessions
      // 'secureConnect' comes before the first byte; a listener may destroy the socket
      this.#output.emit('secureConnect')
      this.#output.emit('secure')
      if ((this.#state.phase as PhaseName) === 'secure') {
        this.gate.openSecure(engine, verification)
        if (this.buffers !== undefined) engine.lend?.(this.buffers)
      }
      return verification
    } finally {
      clearTimeout(timer)
      this.#interrupt = undefined
    }
  }

  /** The deadline, or the end of the socket, rejects; what was waited for ends with the engine, or by `closing`. */
  #unlessInterrupted<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#interrupt = reject
      work.then(resolve, reject)
    })
  }

  /**
   * Throws ERR_SECURE_SOCKET_STATE unless TLS can be started. A second start beside a first one would count what was written
   * between the two, meant for TLS, among what still leaves in clear.
   */
  expectPlain(): void {
    if (this.phase === 'plain' && !this.#leaving) return
    const state = this.#leaving ? 'being upgraded already' : this.phase
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
    const { engine } = this.#state as Extract<State, { phase: 'plain' }>
    this.#leaving = true
    engine.stopReading()
    const flushed = this.#flushed('hold')
    // the beginning of a character would otherwise end with what TLS brings
    refusePlaintextLeft(this.#facade.readableLength + undecoded(this.#facade).length + engine.unreadLength())
    await inTime(flushed, timeout)
    // what a client receives before its hello has left cannot be TLS; to a server it is the hello
    if (role === 'client') refusePlaintextLeft(engine.unreadLength())
    return engine.release().transport
  }

  /** Closes the gate for new writes and resolves when those before have left. */
  #flushed(later: 'hold' | 'refuse'): Promise<void> {
    const flushed = new Promise<void>((resolve, reject) => {
      const closed = (): void => reject(closedMeanwhile())
      this.closing.addEventListener('abort', closed, { once: true })
      this.gate.closeAfter(this.gate.bytesWritten + this.#facade.writableLength, later, () => {
        this.closing.removeEventListener('abort', closed)
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
    return Math.max(0, this.#secureUntil - (this.gate.bytesRead - this.#facade.readableLength))
  }

  /** Ends TLS; the connection goes on in clear once its transport is adopted. Closes it where that fails half way. */
  async stop(waitForPeer: boolean, timeout: number): Promise<Released> {
    const state = this.#state
    if (state.phase !== 'secure')
      throw new SecureSocketError(
        'ERR_SECURE_SOCKET_STATE',
        `TLS cannot be stopped on a socket that is ${state.phase}`,
        { phase: 'stop' },
      )
    const { engine, verification } = state
    if (engine.kind === 'native') return engine.stop(waitForPeer, this.closing) // rejects, and nothing has changed
    this.#setState({ phase: 'stopping', engine, verification })
    this.#facade.on('error', toldByRejection)
    const timer = setTimeout(() => this.closeWith(stopTimeout(timeout)), timeout)
    try {
      await this.#flushed('refuse')
      const released = await engine.stop(waitForPeer, this.closing)
      this.#secureUntil = this.gate.bytesRead
      this.#facade.off('error', toldByRejection)
      return released
    } catch (error) {
      throw this.closeWith(error as Error)
    } finally {
      clearTimeout(timer)
    }
  }

  /** Closes the facade with this error, and returns it with where and when. */
  closeWith(error: Error): Error {
    if (this.#state.phase === 'closed') return this.lastError ?? error
    const explained = this.explained(error)
    this.#facade.destroy(explained)
    return explained
  }

  /** The transport, where TLS has failed or was not reached, with every byte that was not TLS; undefined where it is gone. */
  surrender(): Duplex | undefined {
    const state = this.#state
    if (state.phase === 'handshaking' || state.phase === 'verifying') return state.engine.surrender()?.transport
    if (state.phase === 'connecting') return this.unsecured?.destroyed === true ? undefined : this.unsecured
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

  /** For good; synchronous. */
  close(error: Error | null): void {
    if (this.#state.phase === 'closed') return
    const verification = this.verification
    if (error === null && this.#sessions !== undefined) this.#fetchSession()
    if (error !== null) this.lastError = this.explained(error)
    const was = this.#state.phase
    this.#state = { phase: 'closed', was, verification }
    this.#below?.closing()
    this.gate.close(error)
    this.transport?.destroy()
    if (was === 'connecting') this.unsecured?.on('error', ignore).destroy()
    this.#endWaiting(error)
    this.keeper?.closed()
  }

  /** Closes the facade, with an error or without, and leaves the transport to whoever has it now. */
  letGo(error: Error | null): void {
    this.transport = undefined
    if (error !== null) this.lastError = error
    this.#state = { phase: 'closed', was: this.#state.phase, verification: this.verification }
    this.gate.forget(error)
    this.#endWaiting(error)
    this.keeper?.closed()
    this.#facade.destroy(error ?? undefined)
  }

  /** An error costs its stack: it is only made where somebody waits. */
  #endWaiting(error: Error | null): void {
    if (this.#ending === undefined && this.#interrupt === undefined) return
    const reason = error ?? closedMeanwhile()
    this.#ending?.abort(reason)
    this.#interrupt?.(reason)
  }

  /** The error with phase, host and port, so that a log line of it is enough. */
  explained(error: Error): Error {
    if (error instanceof PeerRefusedError) {
      error.host ??= this.#where.host
      error.port ??= this.#where.port
      return error
    }
    const details: ErrorDetails = { ...this.#where, phase: phaseNames[this.phase] }
    return withDetails(error, details)
  }

  push(chunk: Uint8Array): boolean {
    if (this.#sessions !== undefined) this.#fetchSession()
    if (this.#state.phase === 'stopping' && this.#facade.readableLength > MAX_UNREAD)
      this.failed(
        new SecureSocketError(
          'ERR_SECURE_SOCKET_UNREAD',
          `more than ${MAX_UNREAD} bytes came before the peer's end of TLS`,
          {
            phase: 'stop',
            hint: 'read while TLS is being stopped',
          },
        ),
      )
    return this.#output.push(chunk)
  }

  shutdown(): void {
    this.peerEnd = 'close-notify'
    this.#output.emit('peerShutdown')
    this.onPeerShutdown?.()
  }

  /** With the first data, or at the end, a session has arrived that Node does not report. */
  #fetchSession(): void {
    const tls = this.tlsEngine?.tls
    if (tls === undefined || this.#sessions?.fetchUnreported(tls) !== false) this.#sessions = undefined
  }

  ended(how: EndKind): void {
    this.peerEnd = how
    if (this.#sessions !== undefined) this.#fetchSession()
    if (how === 'truncated' && !this.allowsTruncation)
      this.failed(
        new SecureSocketError(
          'ERR_SECURE_SOCKET_TRUNCATED',
          'the connection ended without close_notify: data may be missing',
          { phase: 'read' },
        ),
      )
    else this.#output.push(null)
  }

  failed(error: Error): void {
    // until the handshake settles, it alone reports
    if (this.#state.phase !== 'handshaking') this.#output.destroy(error)
  }

  active(): void {
    restartIdleTimer(this.#facade)
  }

  ref(): void {
    this.#unreferenced = false
    this.transport?.ref()
    if ('engine' in this.#state) this.#state.engine.ref()
  }

  unref(): void {
    this.#unreferenced = true
    this.transport?.unref()
    if ('engine' in this.#state) this.#state.engine.unref()
  }
}

/** What the peer may send between our end of TLS and its own, where nobody reads it. */
const MAX_UNREAD = 1_048_576

const phaseNames: { readonly [P in PhaseName]: Phase } = {
  connecting: 'connect',
  plain: 'read',
  handshaking: 'handshake',
  verifying: 'verify',
  secure: 'read',
  stopping: 'stop',
  closed: 'close',
}

function toldByRejection(): void {
  // of stopTls()
}
