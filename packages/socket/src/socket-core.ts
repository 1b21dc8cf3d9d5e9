import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { CheckedHello } from './client-hello.ts'
import { Crossing, MAX_UNREAD } from './crossing.ts'
import { restartIdleTimer } from './engine/node-internals.ts'
import { type HandshakeClock, startClock } from './deadlines.ts'
import { BelowTls } from './engine/below-tls.ts'
import type { EndKind, PeerClaim, PlainEngine, TlsEngine } from './engine/engine.ts'
import { ignore, PlainTransport } from './engine/plain.ts'
import { SecureSocketError, type Where } from './errors.ts'
import { closedMeanwhile, explained, truncated, unread } from './failures.ts'
import { Gate, type GateOutput } from './gate.ts'
import type { HostTable } from './hosts.ts'
import type { Surface } from './net-surface.ts'
import type { CallerBuffers } from './onread.ts'
import type { CoreOutput, Facade } from './facade.ts'
import type { ClientSessions } from './sessions.ts'
import { mayFollow, type PhaseName, type State } from './state.ts'
import { verifyPeer } from './verify/checks.ts'
import type { TrustPolicy } from './verify/policy.ts'
import type { Verification } from './verify/verification.ts'

/** One connection's life: its state, its engine, its gate. Whatever changes the state goes through `#setState`; the facade in front is a stream and nothing else. */
export class SocketCore implements GateOutput, Surface {
  readonly gate: Gate = new Gate(this)
  readonly #facade: Facade
  readonly #output: CoreOutput
  #state: State = { phase: 'connecting' }
  /** Where the connection goes, for errors. */
  where: Where = { host: undefined, port: undefined }
  #unreferenced = false
  #ending: AbortController | undefined
  /** Ends the handshake that is under way. */
  #interrupt: ((reason: Error) => void) | undefined
  #clock: HandshakeClock | undefined
  /** What the engine has reported during the handshake. */
  #failure: Error | undefined
  #sessions: ClientSessions | undefined
  #crossing: Crossing | undefined
  transport: Socket | undefined
  /** Where the engine has made the connection: what `transport`, which is then its TLSSocket, does not know. */
  #below: BelowTls | undefined
  /** Connected, and no engine has it yet. */
  unsecured: Duplex | undefined
  unguard: (() => void) | undefined
  claim: PeerClaim | undefined
  /** What the peer is, or was, judged by. */
  policy: TrustPolicy | undefined
  /** An end without close_notify counts as an end. */
  allowsTruncation = false
  onPeerShutdown: (() => void) | undefined
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

  constructor(facade: Facade, output: CoreOutput) {
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
    this.unguard?.() // an engine has the transport
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

  /** From plain to TLS, and back. */
  get crossing(): Crossing {
    return (this.#crossing ??= new Crossing(this, this.#facade, (next) => this.#setState(next)))
  }

  /** Takes a transport (connected or not) without speaking TLS on it yet; opens the gate where `open` says so. */
  adoptPlain(transport: Duplex): PlainEngine {
    const engine = new PlainTransport(transport)
    this.#setState({ phase: 'plain', engine })
    this.#crossing?.arrived()
    this.gate.attach(engine)
    if (this.#unreferenced) engine.unref()
    this.gate.openPlain(engine)
    return engine
  }

  /**
   * Handshake, checks, and the gate. Whatever goes wrong rejects, and the caller destroys the facade with it. Only this function makes a socket 'secure'.
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
    const clock = (this.#clock = startClock(this, timeout))
    // a transport of the program's own may keep nothing alive, and the program waits for our answer
    clock?.hold(!this.#unreferenced)
    try {
      this.claim = examine(engine.tls, await this.#unlessInterrupted(engine.handshake()))
      if (this.#state.phase !== 'handshaking') throw closedMeanwhile()
      if (this.#failure !== undefined) throw this.#failure
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
      clock?.stop()
      this.#interrupt = this.#clock = undefined
    }
  }

  /** The handshake has taken too long. */
  interrupt(reason: Error): void {
    this.#interrupt?.(reason)
  }

  /** The deadline, or the end of the socket, rejects; what was waited for ends with the engine, or by `closing`. */
  #unlessInterrupted<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#interrupt = reject
      work.then(resolve, reject)
    })
  }

  /** Closes the facade with this error, and returns it with where and when. */
  closeWith(error: Error): Error {
    if (this.#state.phase === 'closed') return this.lastError ?? error
    const explained = this.explained(error)
    this.#facade.destroy(explained)
    return explained
  }

  /** For good; synchronous. */
  close(error: Error | null): void {
    if (this.#state.phase === 'closed') return
    if (error === null && this.#sessions !== undefined) this.#fetchSession()
    if (error !== null) this.lastError = this.explained(error)
    const was = this.#state.phase
    this.#state = { phase: 'closed', was, verification: this.verification }
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
    this.unguard?.()
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
    return explained(error, this.where, this.phase)
  }

  push(chunk: Uint8Array): boolean {
    if (this.#sessions !== undefined) this.#fetchSession()
    if (this.#state.phase === 'stopping' && this.#facade.readableLength > MAX_UNREAD) this.failed(unread(MAX_UNREAD))
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
    if (how === 'truncated' && !this.allowsTruncation) this.failed(truncated())
    else this.#output.push(null)
  }

  failed(error: Error): void {
    // until the handshake settles, it alone reports; one that has settled may not have been looked at yet
    if (this.#state.phase === 'handshaking') this.#failure = error
    else this.#output.destroy(error)
  }

  active(): void {
    restartIdleTimer(this.#facade)
  }

  ref(): void {
    this.#unreferenced = false
    this.#clock?.hold(true)
    this.transport?.ref()
    if ('engine' in this.#state) this.#state.engine.ref()
  }

  unref(): void {
    this.#unreferenced = true
    this.#clock?.hold(false)
    this.transport?.unref()
    if ('engine' in this.#state) this.#state.engine.unref()
  }
}
