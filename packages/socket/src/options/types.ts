import type { KeyObject, X509Certificate } from 'node:crypto'
import type { LookupFunction } from 'node:net'
import type { Duplex } from 'node:stream'
import type { PeerCertificate, SecureContext, SecureVersion } from 'node:tls'
import type { CaStore } from '@x/ca-store'
import type { OnReadOptions } from '../onread.ts'
import type { SessionStore } from '@x/session-cache'
import type { TlsMessage } from '../messages/message.ts'
import type { PskOption } from './psk.ts'
import type { ServerOptions } from './server-types.ts'
import type { RevocationOptions, VerifyOptions } from './verify-types.ts'

export type CertificateOption = string | Uint8Array | X509Certificate
export type KeyOption = string | Uint8Array | KeyObject
export type PassphraseOption = string | (() => string | Promise<string>)

/** What both sides take for their secure context. Names and meanings are node:tls's where it has them. */
export interface ContextOptions {
  /** Trusted CAs, certificates on purpose included that are none. `[]` trusts nothing. Replaces the default store. */
  readonly ca?: CertificateOption | readonly CertificateOption[]
  /** A PEM or DER bundle of trusted certificates. Added to `ca`. The original's SSL_ca_file. */
  readonly caFile?: string
  /** A directory of hashed certificates. Added to `ca`. The original's SSL_ca_path. */
  readonly caPath?: string
  /** A store made with `loadCaStore`. Added to `ca`. */
  readonly caStore?: CaStore
  /** Our certificate, followed by its intermediates. */
  readonly cert?: CertificateOption | readonly CertificateOption[]
  /** PEM, DER or PKCS#12; the key may be in the same file. The original's SSL_cert_file. */
  readonly certFile?: string
  readonly key?: KeyOption
  readonly keyFile?: string
  /** PKCS#12 bytes: certificate, intermediates and key are taken from it; its CA certificates never widen trust. */
  readonly pfx?: Uint8Array
  /** Of `key`, `keyFile`, `pfx` or an encrypted `certFile`. */
  readonly passphrase?: PassphraseOption
  /** OpenSSL's cipher list with TLS 1.3 suites, as node:tls takes it. */
  readonly ciphers?: string
  readonly sigalgs?: string
  readonly ecdhCurve?: string
  /** Default `'TLSv1.2'`. */
  readonly minVersion?: SecureVersion
  readonly maxVersion?: SecureVersion
  /** SSL_OP_… flags of node:crypto's constants. */
  readonly secureOptions?: number
  /** Diffie-Hellman parameters in PEM, or `'auto'`. */
  readonly dhparam?: string | Uint8Array
  /** A server's order of ciphers wins; default true. */
  readonly honorCipherOrder?: boolean
  /** An intermediate or leaf given as CA ends the chain; default true, as the original has it. */
  readonly allowPartialTrustChain?: boolean
  /**
   * A pre-shared key, or keys by identity. A peer that does not use one must pass the certificate checks; a server that asks for no certificate
   * refuses it, unless `requestCert` is given too. Sessions are not resumed. The original's SSL_psk.
   */
  readonly psk?: PskOption
  /**
   * Called once with each context that is made (for equal options: one), to set what has no option. What it adds to the trusted CAs counts for
   * OpenSSL's verdict. A throw refuses. The original's SSL_create_ctx_callback.
   */
  readonly onContext?: (secureContext: SecureContext) => void
  /** A ready context: best made by `createSecureContext` of this package. Excludes every option above. The original's SSL_reuse_ctx. */
  readonly secureContext?: SecureContext
}

/** What both sides take for the connection and the peer. */
export interface PeerOptions extends ContextOptions {
  readonly verify?: VerifyOptions
  readonly revocation?: RevocationOptions
  /** Revocation lists at hand; as in node:tls, every certificate of the chain then needs a good answer. */
  readonly crl?: string | Uint8Array | readonly (string | Uint8Array)[]
  /** False switches every check on the peer off, with a warning. Default true. */
  readonly rejectUnauthorized?: boolean
  /** Milliseconds since 1970; default Date.now. Only makes checks stricter: OpenSSL looks at the system's clock. */
  readonly now?: () => number
  /** Milliseconds for the handshake and the checks; default 30,000. */
  readonly handshakeTimeout?: number
  readonly ALPNProtocols?: readonly string[]
  /** Keep our direction open when the peer ends its own; default false. */
  readonly allowHalfOpen?: boolean
  /** Default true. */
  readonly noDelay?: boolean
  readonly keepAlive?: boolean
  readonly keepAliveInitialDelay?: number
  /** Milliseconds of idleness after which 'timeout' is emitted; default none. */
  readonly timeout?: number
  /** False: the connection stays plain until `startTls()` is called on it. Default true. */
  readonly startHandshake?: boolean
  readonly highWaterMark?: number
  /**
   * True: the connection's secrets are appended to the file that the variable SSLKEYLOGFILE names, with mode 0600 and one warning. Default false: the
   * variable alone does nothing.
   */
  readonly keylog?: boolean
  /**
   * True: TLS can be left again with `stopTls()`. The peer's close_notify then is no end but the event 'peerShutdown'. Costs CPU:
   * every record passes through JavaScript. Default false.
   */
  readonly stoppable?: boolean
  /** Called when the peer has ended TLS (its close_notify) on a `stoppable` connection. The original's SSL_on_peer_shutdown. */
  readonly onPeerShutdown?: () => void
  /**
   * Called when TLS could not be started or the peer was refused, with the transport that is still open: paused, with every byte that
   * was not TLS (and, of a `starttls` dialogue that failed, every byte that it has not taken as an answer), and the caller's to close.
   * The original's SSL_keepSocketOnError and error trap.
   */
  readonly onHandshakeError?: HandshakeErrorHandler
  /**
   * What an end without close_notify is: an error, or an end. 'refuse' has the connection go record by record, where it is always seen. By default it is an error
   * where that is so for other reasons (`stoppable` …); elsewhere Node does not tell the two apart, nor a reset from either, and it is an end.
   */
  readonly truncation?: 'refuse' | 'allow'
  /** Called for every TLS message in either direction, decrypted. The original's msg_callback. */
  readonly onMessage?: (message: TlsMessage) => void
}

/** Takes over a transport on which TLS has failed. */
export type HandshakeErrorHandler = (transport: Duplex, error: Error) => void

/** The plaintext dialogue of a protocol before TLS, such as `smtp` of `@x/starttls`: resolves when the peer expects a ClientHello. */
export type StartTlsDialogue = (
  stream: Duplex,
  options: { readonly signal: AbortSignal; readonly timeout: number; readonly name?: string },
) => Promise<void>

/** Options of `connect`: what net.connect and tls.connect take, by the same names, and ours. */
export interface ConnectOptions extends PeerOptions {
  readonly host?: string
  readonly port?: number | string
  /** A UNIX domain socket. A name must be given with `verify.name` or `servername`. */
  readonly path?: string
  readonly family?: 0 | 4 | 6
  readonly localAddress?: string
  readonly localPort?: number
  readonly lookup?: LookupFunction
  readonly hints?: number
  readonly autoSelectFamily?: boolean
  readonly autoSelectFamilyAttemptTimeout?: number
  /** Aborting destroys the socket at any time. */
  readonly signal?: AbortSignal
  /** An open connection to be used instead of a new one: a stream, or a file descriptor. */
  readonly socket?: Duplex | number
  /** What is said in clear before TLS, such as `smtp` of `@x/starttls`. Nothing that the program writes takes part in it. */
  readonly starttls?: StartTlsDialogue
  /**
   * Received bytes go into these buffers instead of the stream, once the peer is trusted; the stream then only ends. Half the cost of 'data' events.
   * `readBytes` and its kin see nothing.
   */
  readonly onread?: OnReadOptions
  /** The name sent to the server; default `host` unless it is an IP address. `''` sends none. The original's SSL_hostname. */
  readonly servername?: string
  /**
   * Where sessions are kept and taken from; default none. A session is offered only where everything that decides trust is the same as
   * when it was earned, and the checks are run again on its chain. The original's SSL_session_cache.
   */
  readonly sessionCache?: SessionStore
  /** Stands for host and port in the session's key, so that connections to several ports can share. The original's SSL_session_key. */
  readonly sessionKey?: string
  /**
   * Whether a TLS 1.3 ticket may be used for another connection where the server has sent none in its place. `'once'` (default) keeps an
   * observer from seeing that both come from one client (RFC 8446, C.4). Servers on node:tls send two tickets with a full handshake and none on
   * resumption: with them two of three connections resume, and with `'again'` all but the first.
   */
  readonly tickets?: 'once' | 'again'
  /** Bits that a finite-field Diffie-Hellman group must have at least; default 2048 (node:tls: 1024). */
  readonly minDHSize?: number
  /** Replaces the name check, as node:tls has it: an Error refuses, undefined accepts, anything else refuses. */
  readonly checkServerIdentity?: (hostname: string, certificate: PeerCertificate) => Error | undefined
}

/** Options of `startTls`, for either role. */
export interface StartTlsOptions
  extends Omit<ConnectOptions, 'startHandshake' | 'starttls' | 'socket' | 'host' | 'port' | 'path'>,
    Pick<
      ServerOptions,
      'requestCert' | 'clientCaNames' | 'hosts' | 'onHello' | 'maxHelloSize' | 'stapler' | 'ticketKeys'
    > {
  /** The name of the server; needed by clients unless `verify.name` or `servername` says it. */
  readonly host?: string
  /** True: we are the server. Default false. */
  readonly isServer?: boolean
  /** For servers: bytes of the client's hello that the program has read behind its request to start TLS. */
  readonly head?: Uint8Array
}
