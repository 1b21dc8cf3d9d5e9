import type { SecureContext } from 'node:tls'
import type { SessionStore } from '@x/session-cache'
import type { ClientHello } from '../client-hello.ts'
import type { SecureSocket } from '../secure-socket.ts'
import type { CertificateOption, ContextOptions, PeerOptions } from './types.ts'

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
  /**
   * Answers clients that ask for a staple: `createStapler()` of @x/ocsp. A host with several certificates and with `ciphers`, `sigalgs` or `ecdhCurve` of
   * its own may leave clients without one.
   */
  readonly stapler?: StaplerOption
  /**
   * Keys of session tickets, so that several processes share sessions: 48 bytes as node:tls has it, or a function for keys that change.
   * Default: random ones of this server. The original's SSL_ticket_keycb.
   */
  readonly ticketKeys?: Uint8Array | TicketKeyFunction
  /**
   * Where sessions are kept for clients of TLS 1.2 that take no tickets; default nowhere. Entries belong to host, policy and session id. Outside the process
   * use an `EncryptedSessionStore`: whoever can alter a session can be any client. Failures cost full handshakes, and are reported as 'sessionCacheError'.
   */
  readonly sessionCache?: SessionStore
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
 * Without a name: the current key. With one: the `key` of that name together with the `name` of the current key, or undefined to reject the
 * ticket. Synchronous; a Promise, a throw and wrong lengths reject the ticket. A client that resumes gets a new ticket, but for one that is
 * asked for a certificate: its ticket lasts no longer than its key.
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
