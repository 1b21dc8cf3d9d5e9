import type { KeyObject, X509Certificate } from 'node:crypto'
import type { LookupFunction } from 'node:net'
import type { Duplex } from 'node:stream'
import type { PeerCertificate, SecureContext, SecureVersion } from 'node:tls'
import type { CaStore } from '@x/ca-store'
import type { OcspStore } from '@x/ocsp'
import type { OnReadOptions } from '../onread.ts'
import type { PskOption } from './psk.ts'
import type { SessionStore } from '@x/session-cache'
import type { TlsMessage } from '../messages/message.ts'
import type { ClientHello } from '../client-hello.ts'
import type { SecureSocket } from '../secure-socket.ts'
import type { PublicSuffixList, Scheme, SchemeCallback, SchemeName } from '@x/verify-hostname'

export type CertificateOption = string | Uint8Array | X509Certificate
export type KeyOption = string | Uint8Array | KeyObject
export type PassphraseOption = string | (() => string | Promise<string>)

/** Which name the peer must prove and what else may accept or refuse it. Keys not given keep their defaults. */
export interface VerifyOptions {
  /** The name that the certificate must have. Default: a non-empty `servername`, else `host`. The original's SSL_verifycn_name. */
  readonly name?: string
  /** By which protocol's rules names are compared; default `'default'`. The original's SSL_verifycn_scheme. */
  readonly scheme?: SchemeName | Scheme | SchemeCallback
  /** Which public suffixes a wildcard may not span; default `'icann'`. The original's SSL_verifycn_publicsuffix. */
  readonly publicSuffix?: 'icann' | 'none' | PublicSuffixList
  /**
   * Pins: `sha256$hex` of the certificate or `sha256$pub$hex` of its key. A match of the leaf accepts a chain and a name that are
   * otherwise invalid, but never a revoked certificate. The original's SSL_fingerprint.
   */
  readonly fingerprints?: string | readonly string[]
  /** True: a certificate that matches no pin is refused even with a valid chain. Default false. The original's SSL_force_fingerprint. */
  readonly forceFingerprints?: boolean
  /** Asked for each certificate from the root down to the leaf; may accept single errors or refuse. The original's SSL_verify_callback. */
  readonly callback?: VerifyCallback
  /** Milliseconds for all answers of an asynchronous callback; default 10,000. Later is a refusal. */
  readonly callbackTimeout?: number
}

/** One certificate of the chain as the callback sees it. */
export interface VerifyQuestion {
  /** True where nothing is wrong with this certificate. */
  readonly ok: boolean
  readonly certificate: X509Certificate
  /** 0 is the leaf. */
  readonly depth: number
  /** Codes of what is wrong with this certificate: OpenSSL's names, as Node shows them. */
  readonly errors: readonly string[]
  /** The whole path, leaf first. */
  readonly chain: readonly X509Certificate[]
}

/** `true` accepts the certificate with all errors listed, `{accept: codes}` only those; anything else refuses. */
export type VerifyAnswer = boolean | { readonly accept: readonly string[] }
export type VerifyCallback = (question: VerifyQuestion) => VerifyAnswer | Promise<VerifyAnswer>

/** What is asked about revocation, and what no answer means. The original's SSL_ocsp_mode, SSL_check_crl and their kin. */
export interface RevocationOptions {
  /** Ask the server to staple an OCSP response: not at all, use what comes (default), or refuse without a good one. */
  readonly staple?: 'off' | 'try' | 'must'
  /** Ask OCSP responders and fetch lists over the network before the verdict; default false. */
  readonly online?: boolean
  /** What it means where nothing good is known: 'soft' (default) passes, 'hard' refuses. Revoked refuses always. */
  readonly failure?: 'soft' | 'hard'
  /** Whether this is about the leaf (default) or every certificate below the anchor. */
  readonly depth?: 'leaf' | 'chain'
  /** Where verified OCSP responses are kept; default one cache for the process. */
  readonly cache?: OcspStore
  /** Told the staple's bytes, or undefined for none, in addition to the check; a throw refuses. */
  readonly onStaple?: (staple: Uint8Array | undefined) => void
  /** Revocation lists, PEM (every block counts) or DER. Demands a good answer from a list. The original's SSL_crl_file. */
  readonly crlFile?: string
  /** Which certificates need a good answer from a list: 'leaf' (default with `crlFile`) or 'chain'. Without `crlFile`, lists are looked for in `caPath`. */
  readonly crlDepth?: 'leaf' | 'chain'
  /** Milliseconds for all that goes over the network; default 10,000. */
  readonly timeout?: number
  /** Default: the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch
}

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
  /** What an end without close_notify is: an error (default), or an end. Where Node tells them apart, which is on the record engine. */
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

/** Options of `listen` and of `startTls` as a server. */
export interface ServerOptions extends PeerOptions {
  /** Ask clients for a certificate. `true` and `'required'`: none is a refusal; an invalid one always is. Default false. */
  readonly requestCert?: boolean | 'required' | 'optional'
  /**
   * The CAs that clients are told to choose a certificate from; default `ca`. They are only named, never trusted: `[]` names none. The
   * original's SSL_client_ca.
   */
  readonly clientCaNames?: CertificateOption | readonly CertificateOption[]
  /**
   * Certificates and policies by the name that clients ask for: a name, `'*.example.org'` for one label, `''` where nothing else fits or
   * none was asked for. An array holds several certificates of one host, RSA beside ECDSA. What a host does not say is the server's; without
   * `''` the server's own certificate stands there, and without one other names are refused (unrecognized_name).
   */
  readonly hosts?: HostsOption
  /**
   * Asked for each client before TLS starts: the options or the context to answer it with, undefined for what `hosts` says, null to refuse
   * it. May be asynchronous; `handshakeTimeout` counts.
   */
  readonly onHello?: HelloChooser
  /** What a client's first message may have at most, in bytes; default 16,384. */
  readonly maxHelloSize?: number
  /** Answers clients that ask for a staple: `createStapler()` of @x/ocsp. Only for hosts with one certificate. */
  readonly stapler?: StaplerOption
  /**
   * Keys of session tickets, so that several processes share sessions: 48 bytes as node:tls has it, or a function for keys that change.
   * Default: random ones of this server. The original's SSL_ticket_keycb.
   */
  readonly ticketKeys?: Uint8Array | TicketKeyFunction
}

/** What one host may say of its own; everything else is the server's. */
export interface HostOptions
  extends ContextOptions,
    Pick<PeerOptions, 'verify' | 'revocation' | 'crl' | 'rejectUnauthorized' | 'ALPNProtocols'>,
    Pick<ServerOptions, 'requestCert' | 'clientCaNames'> {}

export type HostsOption = Readonly<Record<string, HostOptions | readonly HostOptions[]>>

export type HelloChoice = HostOptions | SecureContext | undefined | null
export type HelloChooser = (hello: ClientHello) => HelloChoice | Promise<HelloChoice>

/** The listener that `createStapler()` makes for 'OCSPRequest'. */
export interface StaplerOption {
  readonly onRequest: (
    certificate: Uint8Array,
    issuer: Uint8Array | null,
    callback: (error: Error | null, response: Buffer | null) => void,
  ) => void
}

/** A ticket key: 32 secret bytes, and 16 bytes that name it in the ticket. */
export interface TicketKey {
  readonly name: Uint8Array
  readonly key: Uint8Array
}

/**
 * Without a name: the current key. With one: the `key` of that name together with the `name` of the current key (where they differ, the
 * client gets a new ticket), or undefined to reject the ticket. Synchronous; a Promise, a throw and wrong lengths reject the ticket.
 */
export type TicketKeyFunction = (name?: Uint8Array) => TicketKey | undefined

export interface ListenOptions extends ServerOptions {
  readonly host?: string
  readonly port?: number | string
  readonly path?: string
  readonly backlog?: number
  readonly exclusive?: boolean
  readonly ipv6Only?: boolean
  readonly reusePort?: boolean
  /** Aborting closes the server. */
  readonly signal?: AbortSignal
  /**
   * Gets connections that do not begin with TLS, plain; `bytes` is what they sent first and can still be read from the socket. Without it they
   * are closed, and reported as 'tlsClientError'.
   */
  readonly onPlaintext?: (socket: SecureSocket, bytes: Uint8Array) => void
  /** Connections at once; more are closed, with 'drop'. Default: no limit. */
  readonly maxConnections?: number
  /**
   * Handshakes under way at once; default 10,000. Beyond it the client is closed that has waited longest without saying anything, so that
   * silent clients cannot shut others out; where none is silent, the newcomer.
   */
  readonly maxHandshakes?: number
  /** Read files (`certFile`, `keyFile`, `caFile` … of the server and its hosts) again when they change; default false. */
  readonly watch?: boolean
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
