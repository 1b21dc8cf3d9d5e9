import { X509Certificate } from 'node:crypto'
import type { Duplex } from 'node:stream'
import type { DetailedPeerCertificate, PeerCertificate, TLSSocket } from 'node:tls'
import { OcspResolver, type OcspResolverOptions } from '@x/ocsp'
import { fingerprint as fingerprintOf, type FingerprintOptions } from '@x/utils'
import { type HostnameMatch, matchHostname } from '@x/verify-hostname'
import { type ClientHello, parseClientHello } from './client-hello.ts'
import { SecureSocketError } from './errors.ts'
import { coreOf, Facade, type FacadeOptions, key } from './facade.ts'
import { clientHelloFingerprint, type HelloFingerprint } from './hello-fingerprint.ts'
import {
  type CertificateField,
  type CertificateFieldValue,
  certificatesOf,
  dumpCertificate,
  fieldOf,
  legacyCertificate,
  type ReportingMethod,
  reportingMethods,
} from './peer-info.ts'
import { type LineOptions, lines, peek, readBytes, type ReadingOptions, readLine } from './reading.ts'
import type { PhaseName } from './state.ts'
import { forStartTls, mergeOptions } from './options/resolve.ts'
import type { StartTlsOptions } from './options/types.ts'
import type { VerifyOptions } from './options/verify-types.ts'
import { stopTls, type StopTlsOptions } from './stop-tls.ts'
import { upgrade, upgradeOptions } from './upgrade.ts'
import type { Verification } from './verify/verification.ts'

/**
 * A net.Socket that can speak TLS, and tells why it trusts its peer.
 *
 * Made by `connect`, `listen` and `startTls`. Nothing written leaves, and nothing readable arrives, before the peer's
 * verdict. Events beside net.Socket's: 'secureConnect' (the verdict is positive; before the first byte).
 */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- the static block defines every merged member, from the same list
export class SecureSocket extends Facade {
  static {
    for (const name of reportingMethods)
      Object.defineProperty(this.prototype, name, {
        configurable: true,
        writable: true,
        value(this: SecureSocket, ...args: never[]) {
          const { tls } = this.#tls(name)
          return (tls[name] as (...rest: never[]) => unknown).apply(tls, args)
        },
      })
  }

  /** Where the socket is in its life. */
  get phase(): PhaseName {
    return coreOf(this).phase
  }

  /** What was checked of the peer, how, and with what result; undefined until it is trusted. */
  get verification(): Verification | undefined {
    return coreOf(this).verification
  }

  /** The error that closed the socket. */
  get lastError(): Error | undefined {
    return coreOf(this).lastError
  }

  /** As tls.TLSSocket has it: true while TLS is spoken. */
  get encrypted(): boolean {
    return coreOf(this).tlsEngine !== undefined
  }

  /** As tls.TLSSocket has it: the peer was verified. False under `rejectUnauthorized: false`. */
  get authorized(): boolean {
    return coreOf(this).verification?.authorized ?? false
  }

  /** As tls.TLSSocket has it. A peer that fails verification never gets this far, so it is null unless checks are switched off. */
  get authorizationError(): string | null {
    return this.authorized ? null : (coreOf(this).claim?.opensslError ?? null)
  }

  /** The protocol agreed on, or false. */
  get alpnProtocol(): string | false | null {
    return coreOf(this).tlsEngine?.tls.alpnProtocol ?? null
  }

  /** The name sent to the server, or received from the client; false where there was none. */
  get servername(): string | false {
    return coreOf(this).servername
  }

  /** The identity of the pre-shared key that authenticated the connection; undefined where none did. */
  get pskIdentity(): string | undefined {
    return coreOf(this).claim?.pskIdentity
  }

  /** On a server: what the client said before TLS started, names and fingerprints (JA3, JA4) included. Nobody vouches for it. */
  get clientHello(): (ClientHello & { readonly fingerprint: HelloFingerprint }) | undefined {
    const raw = coreOf(this).clientHello?.raw
    return raw === undefined ? undefined : { ...parseClientHello(raw), fingerprint: clientHelloFingerprint(raw) }
  }

  get sessionReused(): boolean {
    return coreOf(this).claim?.source === 'session'
  }

  /** The peer's certificates as it sent them, leaf first. */
  peerCertificates(): readonly X509Certificate[] {
    return certificatesOf(coreOf(this).claim)
  }

  /** The peer's certificate, or one field of it; undefined where it has shown none. The original's peer_certificate. */
  peerCertificate(): X509Certificate | undefined
  peerCertificate(field: CertificateField): CertificateFieldValue
  peerCertificate(field?: CertificateField): X509Certificate | CertificateFieldValue {
    const [leaf] = this.peerCertificates()
    return leaf === undefined || field === undefined ? leaf : fieldOf(leaf, field)
  }

  /** The certificate that we have shown, or one field of it. The original's sock_certificate. */
  localCertificate(): X509Certificate | undefined
  localCertificate(field: CertificateField): CertificateFieldValue
  localCertificate(field?: CertificateField): X509Certificate | CertificateFieldValue {
    const own = this.#tls('localCertificate').tls.getX509Certificate()
    return own === undefined || field === undefined ? own : fieldOf(own, field)
  }

  /**
   * As tls.TLSSocket has it, but that Node answers only once (it takes the leaf out of OpenSSL's list), and of a resumed session not at all.
   * Throws ERR_SECURE_SOCKET_STATE unless the connection is secure.
   */
  getPeerX509Certificate(): X509Certificate | undefined {
    this.#tls('getPeerX509Certificate')
    return coreOf(this).claim?.leaf ?? this.peerCertificate()
  }

  /** As tls.TLSSocket has it, with the same amends; `detailed`: with the issuers, up to the anchor where there is one. */
  getPeerCertificate(detailed: true): DetailedPeerCertificate
  getPeerCertificate(detailed?: boolean): PeerCertificate
  getPeerCertificate(detailed = false): PeerCertificate {
    this.#tls('getPeerCertificate')
    const chain = this.verification?.outcomes.chain
    const proven = chain?.result === 'passed' ? chain.evidence.path.map((der) => new X509Certificate(der)) : []
    return legacyCertificate(detailed && proven.length > 0 ? proven : this.peerCertificates(), detailed)
  }

  /** Subject and issuer of the peer's certificate as text; '' without one. The original's dump_peer_certificate. */
  dumpPeerCertificate(): string {
    const [leaf] = this.peerCertificates()
    return leaf === undefined ? '' : dumpCertificate(leaf)
  }

  /**
   * Whether the peer's certificate belongs to a further name: which entry matched, or undefined. The original's verify_hostname.
   * Says nothing about the chain: `verification` does.
   */
  verifyHostname(name: string, scheme: NonNullable<VerifyOptions['scheme']> = 'default'): HostnameMatch | undefined {
    const leaf = coreOf(this).claim?.chain[0]
    return leaf === undefined ? undefined : matchHostname(leaf, name, { scheme })
  }

  /**
   * An OcspResolver over the verified path, with the connection's cache, to ask about what the handshake left open. The original's
   * ocsp_resolver. Throws ERR_SECURE_SOCKET_STATE unless the chain was verified: URLs of other certificates must not be followed.
   */
  ocspResolver(options: Omit<OcspResolverOptions, 'chain'> = {}): OcspResolver {
    const chain = this.verification?.outcomes.chain
    if (chain?.result !== 'passed' || chain.evidence.path.length === 0)
      throw new SecureSocketError('ERR_SECURE_SOCKET_STATE', 'ocspResolver() needs a verified chain')
    const { policy } = coreOf(this)
    const known = policy === undefined ? {} : { cache: policy.revocation.cache }
    // the CAs of a context that the program brought are not known, and the last that the peer has shown is none of them
    const anchor = policy?.anchorsKnown === true ? 'last' : 'self-issued'
    return new OcspResolver({ anchor, ...known, ...options, chain: [...chain.evidence.path] })
  }

  /** The peer certificate's fingerprint, `sha256$…` by default; undefined without a certificate. The original's get_fingerprint. */
  fingerprint(options: FingerprintOptions & { readonly encoding?: 'text' } = {}): string | undefined {
    const leaf = coreOf(this).claim?.chain[0]
    return leaf === undefined ? undefined : fingerprintOf(leaf, options)
  }

  /** Exactly `length` bytes, or what there was where the peer ends before. The original's `read`; see `readBytes` in reading.ts for what it rejects with. */
  readBytes(length: number, options?: ReadingOptions): Promise<Buffer> {
    return readBytes(this, length, options)
  }

  /** Up to `length` bytes that stay unread; waits for the first. The original's `peek`. */
  peek(length: number, options?: ReadingOptions): Promise<Buffer> {
    return peek(this, length, options)
  }

  /** One line with its end, or undefined at the end of the stream; `maxLength` 65,536 bytes unless told. The original's `readline`. */
  readLine(options?: LineOptions): Promise<Buffer | undefined> {
    return readLine(this, options)
  }

  /** Lines until the peer ends. The original's `readline` in list context. */
  lines(options?: LineOptions): AsyncGenerator<Buffer, void, undefined> {
    return lines(this, options)
  }

  /** Decrypted bytes that can be read at once. The original's `pending`. */
  bytesPending(): number {
    return this.readableLength
  }

  /**
   * Of `bytesPending()`, how many came through TLS that `stopTls()` has ended since; they come first. What is behind them came in clear
   * and must not be trusted.
   */
  get unreadSecure(): number {
    return coreOf(this).crossing.unreadSecure
  }

  #tls(method: string): { tls: TLSSocket } {
    const engine = coreOf(this).tlsEngine
    if (engine === undefined || coreOf(this).verification === undefined)
      throw new SecureSocketError(
        'ERR_SECURE_SOCKET_STATE',
        `${method}() needs a secure connection; this one is ${this.phase}`,
      )
    return engine
  }

  /**
   * Starts TLS on a socket that is still plain (`startHandshake: false`, or after `stopTls()`), with the options of `connect` or `listen`
   * where no others are given. See the function `startTls`.
   */
  async startTls(options: StartTlsOptions = {}): Promise<this> {
    const inherits = Object.keys(options).length === 0
    await upgrade(
      this,
      coreOf(this),
      upgradeOptions(mergeOptions(forStartTls(coreOf(this).inherited), options)),
      inherits,
    )
    return this
  }

  /**
   * Ends TLS; the connection goes on in clear as the same object, or with `detach` as the transport below. Only where it was made with
   * `stoppable: true`; else it rejects with ERR_SECURE_SOCKET_ENGINE. Writing meanwhile is an error: a secret must not leave in clear.
   */
  stopTls(options: StopTlsOptions & { readonly detach: true }): Promise<Duplex>
  stopTls(options?: StopTlsOptions): Promise<this>
  stopTls(options: StopTlsOptions = {}): Promise<this | Duplex> {
    return stopTls(this, coreOf(this), options)
  }
}

/** tls.TLSSocket's reporting methods, under their own names; each throws ERR_SECURE_SOCKET_STATE unless the connection is secure. */
export interface SecureSocket extends Pick<TLSSocket, ReportingMethod> {}

/** A socket with nothing behind it yet, for the package's own modules. */
export function makeSocket(options: FacadeOptions): SecureSocket {
  return new SecureSocket(options, key)
}
