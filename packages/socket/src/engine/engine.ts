import type { X509Certificate } from 'node:crypto'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'

/** How a peer's sending direction ended; 'unknown' where Node does not tell a close_notify from a bare FIN. */
export type EndKind = 'fin' | 'close-notify' | 'truncated' | 'unknown'

/** What an engine delivers to. The gate is the only one outside of tests. */
export interface EngineSink {
  /** False: no more until `pull()`. */
  data(chunk: Uint8Array): boolean
  /**
   * The peer's close_notify on a connection that may go on in clear (`stoppable`). What it sends behind it stays in the engine
   * until `stop()`; `end()` follows only where the transport ends with nothing in between.
   */
  shutdown(): void
  /** Once, after the last `data()`. */
  end(how: EndKind): void
  /** Once, the last call. */
  failed(error: Error): void
}

/** Moves bytes between a facade and a transport, in clear or through TLS. */
export interface Engine {
  readonly kind: 'plain' | 'native' | 'record'
  /** Delivers nothing before the first `pull()`. */
  attach(sink: EngineSink): void
  /** More data is wanted; idempotent. */
  pull(): void
  write(chunks: readonly Uint8Array[], done: (error?: Error | null) => void): void
  /** Ends our direction only. */
  end(done: (error?: Error | null) => void): void
  /** Synchronous, from any phase, any number of times. */
  destroy(error: Error | null): void
  ref(): void
  unref(): void
}

/** A transport that an engine has let go of, and bytes read from it that nobody has consumed. */
export interface Released {
  readonly transport: Duplex
  readonly unread: readonly Uint8Array[]
}

export interface PlainEngine extends Engine {
  readonly kind: 'plain'
  /** Stops delivering, synchronously; what arrives stays in the transport. */
  stopReading(): void
  /** Bytes received that nobody has read, as far as they are known without waiting. */
  unreadLength(): number
  /** Lets the transport go, paused, with its listeners removed. */
  release(): Released
}

export interface TlsEngine extends Engine {
  readonly kind: 'native' | 'record'
  /** Once it may deliver: decrypt into this buffer, which is asked for anew after each `data()`. Only where that spares a copy. */
  lend?(buffers: { readonly current: Uint8Array }): void
  /** The TLS layer itself, for what it can tell (`getCipher()` and the like). It must not be written to or read from. */
  readonly tls: TLSSocket
  /** Of an engine that makes the connection itself: resolves once there is one, and rejects where none comes about. Before `handshake`. */
  opened?(): Promise<void>
  /** Resolving is not trust: the claim is for the checks to judge. */
  handshake(signal?: AbortSignal): Promise<PeerClaim>
  /** Ends TLS and gives the transport back; a native engine rejects with a code that names the option to ask for. */
  stop(waitForPeer: boolean, signal: AbortSignal): Promise<Released>
  /** After a failed handshake: the transport with its bytes; undefined where Node has destroyed it (native). */
  surrender(): Released | undefined
}

/** What the peer says of itself; nothing in it has been judged. */
export interface PeerClaim {
  /** As sent, leaf first; from the cache entry when resumed; empty where the peer sent none. */
  readonly chain: readonly Uint8Array[]
  readonly source: 'handshake' | 'session'
  /** Node's name of OpenSSL's verdict on the chain (`CERT_HAS_EXPIRED` …); undefined where OpenSSL found nothing wrong. */
  readonly opensslError: string | undefined
  /** OpenSSL's sentence for it, which tells its rarer verdicts apart: Node calls them all `UNSPECIFIED`. */
  readonly opensslReason: string | undefined
  readonly staple: Uint8Array | undefined
  /** True where a pre-shared key, not a certificate, authenticated the connection. */
  readonly pskUsed: boolean
  /** Which key: its identity, where `pskUsed`. */
  readonly pskIdentity?: string | undefined
  /** The leaf as Node has it, where the handshake carried one. */
  readonly leaf: X509Certificate | undefined
}
