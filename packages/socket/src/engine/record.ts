import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { Bridge, type CiphertextTarget } from './bridge.ts'
import type { EndKind, EngineSink, PeerClaim, Released, TlsEngine } from './engine.ts'
import { Incoming } from './incoming.ts'
import { NativeTls } from './native.ts'
import type { NativeSettings } from './settings.ts'
import { callIfPresent, endOnce, ignore, writeAll } from './plain.ts'
import { interrupted, notTls, truncated } from './record-failures.ts'

type Done = (error?: Error | null) => void

/** Sees ciphertext and secrets go by: what `onMessage` is made from. */
export interface RecordObserver {
  received(record: Uint8Array): void
  sent(bytes: Uint8Array): void
  secret(line: Uint8Array): void
}

export interface RecordOptions {
  /** The peer's close_notify is no end: the connection may go on in clear. */
  readonly stoppable: boolean
  readonly observer?: RecordObserver | undefined
}

/**
 * TLS by node:tls over a stream of ours, which feeds it one record at a time: so the byte behind the peer's close_notify is known, and
 * the transport outlives TLS. In TLS 1.3 a close_notify looks like any other record from outside, hence one at a time.
 */
export class RecordTls implements TlsEngine {
  readonly kind = 'record' as const
  readonly #raw: Duplex
  readonly #inner: NativeTls
  readonly #bridge: Bridge
  readonly #incoming: Incoming
  readonly #stoppable: boolean
  readonly #observer: RecordObserver | undefined
  readonly #broken: AbortController = new AbortController()
  #sink: EngineSink | undefined
  #established = false
  #wanted = false
  /** Looks whether `stop()` is done. */
  #stopping: (() => void) | undefined
  /** Our close_notify is on its way and the peer's is not waited for: a peer that has met it may go on in clear at once. */
  #mayBeClear = false
  /** TLS has met the peer's close_notify; what the sink is told waits for the data before it. */
  #closeNotify = false
  /** Everything before the peer's close_notify has been delivered. */
  #drained = false
  #finished = false
  #released = false
  #pumping = false
  #endsTransport = false

  constructor(transport: Duplex, settings: NativeSettings, options: RecordOptions) {
    this.#raw = transport
    this.#stoppable = options.stoppable
    this.#observer = options.observer
    this.#incoming = new Incoming(transport, {
      arrived: () => this.#pump(),
      ended: () => this.#onTransportEnd(),
      failed: (error) => this.#fail(error),
    })
    const target: CiphertextTarget = {
      send: (chunks, done) => this.#send(chunks, done),
      finished: (done) => (this.#endsTransport && !this.#released ? endOnce(this.#raw, done) : done()),
      resumed: () => this.#flow(),
    }
    this.#bridge = new Bridge(target)
    this.#inner = new NativeTls(this.#bridge, settings)
    const { tls } = this.#inner
    const push = tls.push.bind(tls)
    // node:tls pushes null while it is fed the record that holds the close_notify
    tls.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
      if (chunk === null) this.#closeNotify = true
      return push(chunk, encoding)
    }
    tls.once('secure', () => {
      this.#established = true
    })
    if (options.observer !== undefined) tls.on('keylog', (line: Buffer) => options.observer?.secret(line))
    this.#inner.attach({
      data: (chunk) => this.#deliver(chunk),
      shutdown: ignore,
      end: () => this.#onDrained(), // nothing but a close_notify ends the bridge
      failed: (error) => this.#fail(error),
    })
    this.#inner.receive() // what has been decrypted is also read unasked, when TLS is stopped
  }

  get tls(): TLSSocket {
    return this.#inner.tls
  }

  attach(sink: EngineSink): void {
    this.#sink = sink
  }

  handshake(signal?: AbortSignal): Promise<PeerClaim> {
    const broken = this.#broken.signal
    return this.#inner.handshake(signal === undefined ? broken : AbortSignal.any([signal, broken]))
  }

  pull(): void {
    this.#wanted = true
    this.#inner.pull()
    this.#flow()
  }

  write(chunks: readonly Uint8Array[], done: Done): void {
    this.#inner.write(chunks, done)
  }

  end(done: Done): void {
    this.#endsTransport = true
    this.#inner.end(done)
  }

  destroy(error: Error | null): void {
    this.#finished = true
    this.#sink = undefined
    if (this.#released) return
    this.#release(error)
    this.#raw.on('error', ignore)
    this.#raw.destroy()
  }

  /**
   * Sends our close_notify and, unless told otherwise, goes on delivering until the peer's has come. Rejects where the connection
   * breaks before; the caller then destroys the engine.
   */
  async stop(waitForPeer: boolean, signal: AbortSignal): Promise<Released> {
    const given = AbortSignal.any([signal, this.#broken.signal])
    await new Promise<void>((resolve, reject) => {
      const abort = (): void => reject(given.reason as Error)
      if (given.aborted) return abort()
      given.addEventListener('abort', abort, { once: true })
      let ours = false
      this.#stopping = () => {
        if (!ours || (waitForPeer && !this.#drained)) return
        given.removeEventListener('abort', abort)
        resolve()
      }
      this.#mayBeClear = !waitForPeer
      this.#inner.end((error) => {
        if (error !== null && error !== undefined) return reject(error)
        ours = true
        this.#stopping?.()
      })
      if (waitForPeer) this.pull()
    })
    if (!waitForPeer) this.#feedWhatIsThere()
    return this.#handOver()
  }

  surrender(): Released | undefined {
    return this.#released || this.#raw.destroyed ? undefined : this.#handOver()
  }

  #handOver(): Released {
    this.#finished = true
    this.#sink = undefined
    this.#release(null)
    return { transport: this.#raw, unread: [] }
  }

  ref(): void {
    callIfPresent(this.#raw, 'ref')
  }

  unref(): void {
    callIfPresent(this.#raw, 'unref')
  }

  #send(chunks: readonly Uint8Array[], done: Done): void {
    if (this.#released) return done()
    if (this.#observer !== undefined) for (const chunk of chunks) this.#observer.sent(chunk)
    writeAll(this.#raw, chunks, done)
  }

  #deliver(chunk: Uint8Array): boolean {
    if (this.#sink === undefined) return false
    // while stopping, everything before the close_notify is wanted
    const more = this.#sink.data(chunk) || this.#stopping !== undefined
    this.#wanted = more
    return more
  }

  #onTransportEnd(): void {
    if (!this.#closeNotify) this.#onTruncated()
    else if (this.#drained && this.#stoppable) this.#end('close-notify')
  }

  /** Whether a record may be fed now, and will have been looked at before the next. */
  #takesRecords(): boolean {
    return (
      !this.#closeNotify &&
      !this.#finished &&
      (this.#wanted || !this.#established) &&
      !this.tls.destroyed &&
      this.#bridge.takesRecords
    )
  }

  #flow(): void {
    // behind a close_notify, reading goes on only to see whether the transport ends without another byte
    const watching = this.#closeNotify && !this.#finished && this.#incoming.empty
    if (this.#takesRecords() || watching) this.#incoming.resume()
  }

  #pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    try {
      this.#feed()
    } finally {
      this.#pumping = false // a listener of the program's may throw
    }
    if (this.#released) return
    if (this.#incoming.broken) {
      const bytes = this.#putBack()
      if (!this.#closeNotify && !this.#mayBeClear) this.#fail(notTls(bytes, this.#established))
    } else if (!this.#takesRecords()) this.#putBack()
  }

  #feed(): void {
    while (this.#takesRecords()) {
      const record = this.#incoming.next()
      if (record === undefined) break
      this.#observer?.received(record)
      this.#bridge.feed(record)
    }
  }

  #putBack(): Uint8Array | undefined {
    if (!this.#closeNotify) this.#incoming.pause()
    return this.#incoming.putBack()
  }

  /** Without waiting for more: TLS gets the whole records that have arrived, and the program what was in them. */
  #feedWhatIsThere(): void {
    this.#wanted = true
    // TLS takes no record while nobody has read what was in those before
    do {
      this.#incoming.takeWhatIsThere()
      this.#pump()
    } while (this.#drain())
  }

  /** Whether anything that TLS had decrypted has been delivered. */
  #drain(): boolean {
    let some = false
    while (this.tls.read() !== null) some = true
    return some
  }

  /** All that came before the peer's close_notify has been delivered. */
  #onDrained(): void {
    this.#drained = true
    if (this.#stopping !== undefined) return this.#stopping()
    if (!this.#stoppable) return this.#end('close-notify')
    this.#sink?.shutdown()
    if (this.#incoming.ended) this.#end('close-notify')
    else this.#flow()
  }

  #onTruncated(): void {
    if (!this.#established) return this.#fail(interrupted())
    if (this.#stopping !== undefined) return this.#fail(truncated())
    if (this.tls.readableLength === 0) this.#end('truncated')
    else this.tls.once('data', () => queueMicrotask(() => this.#onTruncated()))
  }

  #end(how: EndKind): void {
    if (this.#finished) return
    this.#finished = true
    this.#sink?.end(how)
  }

  #fail(error: Error): void {
    if (this.#finished) return
    this.#finished = true
    this.#broken.abort(error)
    this.#sink?.failed(error)
  }

  /** Leaves the transport as it is, paused, with what was not fed put back, and destroys what is above it. */
  #release(error: Error | null): void {
    this.#released = true
    this.#incoming.release()
    this.#inner.destroy(error)
  }
}
