import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { SecureSocketError } from '../errors.ts'
import { interrupted, notConnected } from '../failures.ts'
import type { EngineSink, PeerClaim, Released, TlsEngine } from './engine.ts'
import { isPskSuite, type PskExchange } from '../options/psk.ts'
import { gather } from './batch.ts'
import { HandshakeClaim } from './claim.ts'
import { Dial, setUp } from './dial.ts'
import { Inflow } from './inflow.ts'
import {
  canSetSession,
  type ClientOptions,
  completeClient,
  connectClient,
  dialClient,
  endedEarly,
  reportSessions,
  setSession,
} from './node-client.ts'
import { readInto, releaseControl, verifyError } from './node-internals.ts'
import type { ClientSessions } from '../sessions.ts'
import type { NativeSettings } from './settings.ts'
import { callIfPresent, endOnce, ignore, writeAll } from './plain.ts'

/** TLS by node:tls, in C++ on the TCP handle: the fast engine. It cannot give the TCP connection back. */
export class NativeTls implements TlsEngine {
  readonly kind = 'native' as const
  readonly tls: TLSSocket
  /** Undefined where the connection is its own. */
  readonly #transport: Duplex | undefined
  readonly #role: 'client' | 'server'
  readonly #sessions: ClientSessions | undefined
  #staple: Uint8Array | undefined
  readonly #psk: PskExchange | undefined
  #sink: EngineSink | undefined
  #finished = false
  /** In TLS 1.3 a server is told of the handshake while OpenSSL still has its tickets to send: to end then would be to end without a close_notify. */
  #inHandshake = false
  #lent = false
  #inflow: Inflow | undefined
  /** Where the client was not made by tls.connect: what that would have been told. */
  readonly #dialled: ClientOptions | undefined
  readonly #restoreIdentityCheck: (() => void) | undefined
  #underWay: UnderWay | undefined
  #isOpening = false
  #isSecure = false
  /** It may come before anybody waits: OpenSSL refuses some options in the tick of the connection, when it is to say hello. */
  #firstError: Error | undefined
  #unsubscribe: (() => void) | undefined

  constructor(given: Duplex | Dial, settings: NativeSettings) {
    const transport = given instanceof Dial ? undefined : given
    this.#transport = transport
    this.#role = settings.role
    const psk = (this.#psk = settings.psk)
    if (settings.role === 'client') {
      this.#sessions = settings.sessions
      const session = settings.sessions?.toOffer
      const dialled =
        given instanceof Dial && psk === undefined
          ? dialClient(settings.options, given.options, session, this.#onError)
          : undefined
      if (dialled === undefined) {
        // before the connection, in the tick in which it is asked for, a session is decoded once; the option has Node do it twice
        const apart = transport === undefined && canSetSession
        const { tls, restore } = connectClient({
          ...settings.options,
          ...(transport === undefined ? {} : { socket: transport }),
          ...(psk === undefined ? {} : { pskCallback: psk.offer }),
          ...(apart || session === undefined ? {} : { session }),
        })
        this.tls = tls.on('error', this.#onError)
        this.#restoreIdentityCheck = restore
        if (apart && session !== undefined) setSession(tls, session)
      } else {
        this.tls = dialled
        this.#dialled = settings.options
      }
      if (given instanceof Dial) setUp(this.tls, given)
      if (settings.options.requestOCSP)
        this.tls.on('OCSPResponse', (staple: Uint8Array | null) => {
          this.#staple = staple ?? undefined
        })
    } else {
      const options = psk === undefined ? settings.options : { ...settings.options, pskCallback: psk.find }
      this.tls = new TLSSocket(given as Duplex, options)
      this.tls.on('error', this.#onError).on('_tlsError', this.#onError) // a client's come as 'error' from the start
    }
    this.tls.on('end', this.#onEnd).on('close', this.#onClose)
    transport?.on('error', this.#onError).on('close', this.#onTransportClose)
  }

  opened(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#firstError !== undefined) return reject(this.#firstError)
      this.#isOpening = true
      this.#underWay = { resolve: ignore, reject }
      this.tls.once('connect', () => {
        this.#isOpening = false
        this.#underWay = undefined
        resolve()
      })
    })
  }

  handshake(signal?: AbortSignal): Promise<PeerClaim> {
    // not before there is a connection: Node turns its reports on for the handle of now, of which each address may have another
    if (this.#sessions !== undefined) this.tls.on('session', (session: Buffer) => this.#sessions?.received(session))
    return new Promise((resolve, reject) => {
      if (this.#firstError !== undefined) return reject(this.#firstError)
      this.#underWay = { resolve, reject }
      if (signal !== undefined) this.#settleOn(signal)
      if (this.#underWay !== undefined)
        this.tls.on(this.#restoreIdentityCheck === undefined ? 'secure' : 'secureConnect', this.#onSecure)
    })
  }

  /** An aborted signal rejects the handshake with its reason. */
  #settleOn(signal: AbortSignal): void {
    const onAbort = (): void => this.#reject(signal.reason as Error)
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    this.#unsubscribe = () => signal.removeEventListener('abort', onAbort)
  }

  readonly #onSecure = (): void => {
    this.#isSecure = true
    const error = this.#dialled === undefined ? undefined : completeClient(this.tls, this.#dialled)
    if (error !== undefined) return this.#onError(error)
    const underWay = this.#settled()
    if (underWay === undefined) return
    this.#restoreIdentityCheck?.()
    if (this.#role === 'server') {
      releaseControl(this.tls)
      this.#inHandshake = true
      setImmediate(() => (this.#inHandshake = false))
    }
    try {
      underWay.resolve(this.#claim())
    } catch (error) {
      underWay.reject(error)
    }
    if (this.#dialled !== undefined && this.#sessions !== undefined) reportSessions(this.tls)
  }

  /** Takes the handshake out, so that it settles once. */
  #settled(): UnderWay | undefined {
    const underWay = this.#underWay
    this.#underWay = undefined
    this.#unsubscribe?.()
    return underWay
  }

  #reject(error: Error): void {
    if (this.#underWay !== undefined) this.#settled()?.reject(error)
  }

  #claim(): PeerClaim {
    const resumed = this.tls.isSessionReused()
    // a certificate beside the key (RSA_PSK) is not judged, so it is not shown either
    const identity = this.#pskIdentity(resumed)
    if (identity !== undefined) return new HandshakeClaim(undefined, undefined, undefined, 'handshake', identity)
    if (resumed && this.#role === 'client') {
      const claim = this.#sessions?.claim
      if (claim === undefined)
        throw new SecureSocketError('ERR_SECURE_SOCKET_STATE', 'a session was resumed that nobody offered', {
          phase: 'verify',
        })
      return claim
    }
    const leaf = this.tls.getPeerX509Certificate()
    // a client without certificate is judged as one without; asked about it, OpenSSL's answer costs an Error
    const openssl =
      leaf === undefined && this.#role === 'server'
        ? undefined
        : verifyError(this.tls, this.#restoreIdentityCheck !== undefined)
    return new HandshakeClaim(leaf, openssl, this.#staple, resumed ? 'session' : 'handshake')
  }

  /**
   * The identity of the pre-shared key that this handshake used (rule 4). TLS 1.2: a suite that cannot do without one. TLS 1.3: OpenSSL
   * reports an external key as a resumption, and there was nothing to resume: no session offered, and no tickets where we are a server.
   */
  #pskIdentity(resumed: boolean): string | undefined {
    const identity = this.#psk?.identity
    if (identity === undefined || this.#sessions?.offered !== undefined) return undefined
    const used = this.tls.getProtocol() === 'TLSv1.3' ? resumed : isPskSuite(this.tls.getCipher().standardName)
    return used ? identity : undefined
  }

  attach(sink: EngineSink): void {
    this.#sink = sink
  }

  /** The receiving side, made when something is wanted: until then, Node keeps what comes. */
  receive(): Inflow {
    return (this.#inflow ??= new Inflow(this.tls, (chunk) => this.#sink?.data(chunk) !== false))
  }

  readonly #onEnd = (): void => {
    // tls.connect has its clients fail itself
    if (this.#underWay !== undefined && this.#role === 'server') this.#reject(interrupted())
    if (this.#dialled !== undefined && !this.#isSecure) this.#onError(endedEarly(this.#dialled))
    this.#sink?.end('unknown')
  }

  readonly #onError = (error: Error): void => {
    this.#firstError ??= error
    this.#fail(error)
    this.#reject(error)
  }

  readonly #onTransportClose = (): void => {
    if (this.#underWay !== undefined) this.#reject(this.#isOpening ? notConnected() : interrupted())
  }

  readonly #onClose = (): void => {
    this.#onTransportClose()
    if (!this.tls.readableEnded)
      this.#fail(new SecureSocketError('ERR_SECURE_SOCKET_CLOSED', 'the connection was closed', { phase: 'read' }))
  }

  #fail(error: Error): void {
    if (this.#finished || this.#sink === undefined) return
    this.#finished = true
    this.#sink.failed(error)
  }

  lend(buffers: { readonly current: Uint8Array }): void {
    // what has been decrypted already comes first
    this.receive()
    if (this.tls.readableLength > 0) this.tls.read()
    this.#lent = readInto(this.tls, buffers, (chunk) => this.#sink?.data(chunk) === true)
  }

  pull(): void {
    if (this.#lent) this.tls.resume()
    else this.receive().pull()
  }

  write(chunks: readonly Uint8Array[], done: (error?: Error | null) => void): void {
    const batch = gather(chunks)
    if (batch === undefined) return writeAll(this.tls, chunks, done)
    this.tls.write(batch.bytes, (error) => {
      // after an error, node:tls may not be done with it
      if (error === null || error === undefined) batch.giveBack()
      done(error)
    })
  }

  end(done: (error?: Error | null) => void): void {
    if (this.#inHandshake) setImmediate(() => endOnce(this.tls, done))
    else endOnce(this.tls, done)
  }

  destroy(error: Error | null): void {
    this.#finished = true
    this.#sink = undefined
    this.tls.off('end', this.#onEnd).off('close', this.#onClose)
    this.tls.destroy(error ?? undefined)
    this.#transport?.destroy()
  }

  stop(): Promise<Released> {
    return Promise.reject(
      new SecureSocketError('ERR_SECURE_SOCKET_ENGINE', 'this connection cannot leave TLS again', {
        phase: 'stop',
        hint: "connect with 'stoppable: true'",
      }),
    )
  }

  surrender(): undefined {
    return undefined
  }

  ref(): void {
    callIfPresent(this.tls, 'ref')
  }

  unref(): void {
    callIfPresent(this.tls, 'unref')
  }
}

/** A handshake that has not settled. */
interface UnderWay {
  readonly resolve: (claim: PeerClaim) => void
  readonly reject: (error: unknown) => void
}
