import { createHash, createPublicKey, hash, X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContext } from 'node:tls'
import { CertificateView } from '@x/der/x509'
import { type CertificateInput, generateKeySync, type Passphrase, toCertificateDer, certificateToPem } from '@x/utils'
import {
  type Authority,
  authorityKeyIdentifier,
  isMisuse,
  isSelfIssued,
  keyIdentifier,
  readAuthority,
  type Signer,
} from './authority.ts'
import { CloneCache, fromCache } from './clone-cache.ts'
import { type Clone, contextKey, makeClone } from './clone.ts'
import { encodeClone, selfSigner } from './encode-clone.ts'
import { InterceptError } from './errors.ts'
import { type LeafKey, LeafKeys } from './leaf-keys.ts'
import { refuseUnknown, wrongType, wrongValue } from './misuse.ts'
import { checkOptions, type CloneCacheFunction, type CloneStore, type InterceptorOptions } from './options.ts'
import { seal, unseal } from './seal.ts'
import { SerialNumbers } from './serial.ts'
import { type OriginLookup, type SniCallback, sniCallback } from './sni-callback.ts'
import { decodeState, encodeState, type State } from './state.ts'
import { cloneValidity, renewalOf } from './validity.ts'

/** What {@link Interceptor.clone} can be told beside the certificate. */
export interface CloneOptions {
  /** The cache slot, such as `host:port`. Default: the digest of the origin's certificate. */
  readonly ident?: string
  /**
   * The origin's certificate was not trusted (unknown issuer, revoked, wrong host …): the clone is signed by a key that nobody knows, in
   * the name of the origin's issuer, so that clients refuse it for what it is. Default false.
   */
  readonly untrusted?: boolean
}

const CLONE_OPTIONS = new Set(['ident', 'untrusted'])

/** What {@link Interceptor.deserialize} takes: the passphrase, and what cannot be serialized. */
export interface DeserializeOptions extends Pick<InterceptorOptions, 'cache' | 'serial' | 'now'> {
  readonly passphrase: Passphrase
}

const DESERIALIZE_OPTIONS = new Set(['passphrase', 'cache', 'serial', 'now'])

/**
 * A certificate authority that clones the certificates of others, for intercepting proxies and tests. A client accepts its clones only
 * where it was told to trust the CA. The original's IO::Socket::SSL::Intercept.
 *
 * The CA's private key leaves the process by `serialize()` only.
 */
export class Interceptor {
  readonly #authority: Authority
  readonly #leafKeys: LeafKeys
  readonly #serials: SerialNumbers
  readonly #cache: CloneStore | CloneCacheFunction
  readonly #options: InterceptorOptions
  /** Tells clones of this interceptor from those of another that shares its cache. */
  readonly #mark: string
  readonly #contexts = new WeakMap<Clone, SecureContext>()
  #stranger: Pick<Signer, 'privateKey' | 'authorityKeyIdentifier'> | undefined

  /**
   * @throws InterceptError ERR_INTERCEPT_CA_INVALID, ERR_INTERCEPT_KEY_MISMATCH
   * @throws TypeError for options that are unknown, missing or of the wrong kind
   */
  constructor(options: InterceptorOptions) {
    checkOptions(options)
    this.#options = { ...options }
    this.#authority = readAuthority(options.certificate, options.privateKey, options.passphrase)
    this.#leafKeys = new LeafKeys(options.leafKey)
    this.#serials = new SerialNumbers(options.serial)
    this.#cache = options.cache ?? new CloneCache(options.cacheSize ?? DEFAULT_CACHE_SIZE)
    const { maxValidityDays, mirrorInvalidity = true } = options
    this.#mark = createHash('sha256')
      .update(`${maxValidityDays} ${mirrorInvalidity} `)
      .update(this.#authority.certificate)
      .digest('hex')
      .slice(0, 16)
  }

  /** The CA's certificate: what clients must be told to trust, unless it is an intermediate. */
  get certificate(): X509Certificate {
    return new X509Certificate(this.#authority.certificate)
  }

  /** PEM of the CA's certificate. */
  get ca(): string {
    return certificateToPem(this.#authority.certificate)
  }

  /** Makes the shared keys ahead; without it, the first clone of an RSA certificate blocks while its key is made. */
  async prepare(): Promise<void> {
    await this.#leafKeys.prepare()
  }

  /**
   * The clone of a certificate: the same subject, alternative names, usages and validity, signed by this CA, with a key of its own,
   * and never a CA. Cached by `ident` or by the certificate's digest; a cached clone of another certificate is never returned.
   * The original's `clone_cert`.
   *
   * Not checked: whether the origin's certificate can be trusted. Verify it first, and see `untrusted`.
   *
   * @throws InterceptError ERR_INTERCEPT_CERTIFICATE_INVALID, ERR_INTERCEPT_NOT_CLONABLE, ERR_INTERCEPT_CACHE_INVALID
   */
  clone(certificate: CertificateInput, options: string | CloneOptions = {}): Clone {
    const asked: CloneOptions = typeof options === 'string' ? { ident: options } : options
    refuseUnknown(asked, CLONE_OPTIONS)
    const { ident, untrusted = false } = asked
    if (ident !== undefined && typeof ident !== 'string') throw wrongType('ident', 'a string', ident)
    if (typeof untrusted !== 'boolean') throw wrongType('untrusted', 'a boolean', untrusted)
    const der = derOf(certificate)
    const digest = hash('sha256', der, 'buffer')
    const origin = `${digest.toString('hex')}.${this.#mark}${untrusted ? '.untrusted' : ''}`
    const now = this.#now()
    return fromCache(
      this.#cache,
      ident ?? origin,
      (clone) => clone.origin === origin && now < clone.renewAt,
      () => this.#create(der, digest, origin, untrusted, now),
    )
  }

  /** A secure context for node:tls with the certificate's clone; kept as long as the clone is. */
  secureContext(certificate: CertificateInput, options: string | CloneOptions = {}): SecureContext {
    const clone = this.clone(certificate, options)
    const known = this.#contexts.get(clone)
    if (known !== undefined) return known
    const context = contextOf(clone)
    this.#contexts.set(clone, context)
    return context
  }

  /** An `SNICallback` for `tls.createServer` that serves the clone of what `originOf` finds for the name; no answer fails the handshake. */
  sniCallback(originOf: OriginLookup): SniCallback {
    if (typeof originOf !== 'function') throw wrongType('originOf', 'a function', originOf)
    return sniCallback(originOf, (certificate) => this.secureContext(certificate))
  }

  /**
   * CA, keys, counter, policy and the clones of the interceptor's own cache, encrypted (scrypt, AES-256-GCM). A cache or a serial
   * policy that is a function is not part of it. The original's `serialize`, which wrote keys in clear.
   */
  async serialize(options: { readonly passphrase: Passphrase }): Promise<Buffer> {
    refuseUnknown(options, new Set(['passphrase']))
    const { maxValidityDays, mirrorInvalidity = true, cacheSize = DEFAULT_CACHE_SIZE } = this.#options
    const shared = new Map([...this.#leafKeys.known()].map(([type, { privateKey }]) => [type, privateKey]))
    const clones = this.#cache instanceof CloneCache ? [...this.#cache.entries()] : []
    const state = encodeState({
      certificates: [this.#authority.certificate, ...this.#authority.chain.slice(1)],
      privateKey: this.#authority.privateKey,
      leafKey: this.#leafKeys.policy,
      leafKeys: shared,
      serial: this.#serials.last ?? (this.#serials.policy === 'digest' ? 'digest' : 'function'),
      cacheSize,
      maxValidityDays,
      mirrorInvalidity,
      clones: clones.map(([ident, { raw, origin, renewAt, privateKey }]) => {
        const key = [...shared].find(([, one]) => one === privateKey)?.[0] ?? privateKey
        return { ident, raw, origin, renewAt, key }
      }),
    })
    return seal(state, options.passphrase)
  }

  /**
   * The interceptor that was serialized.
   *
   * @throws InterceptError ERR_INTERCEPT_SERIALIZED_INVALID, ERR_INTERCEPT_PASSPHRASE_WRONG (which a changed byte looks like, too)
   * @throws TypeError where the serial policy was a function, and is not given again
   */
  static async deserialize(bytes: Uint8Array, options: DeserializeOptions): Promise<Interceptor> {
    refuseUnknown(options, DESERIALIZE_OPTIONS)
    const { passphrase, serial, ...given } = options
    const state = decodeState(await unseal(bytes, passphrase))
    if (state.serial === 'function' && typeof serial !== 'function')
      throw wrongValue('serial', 'was a function when the interceptor was serialized, and must be given again')
    const { maxValidityDays } = state
    const leafKey = state.leafKey === 'given' ? state.leafKeys.get('ec') : state.leafKey
    const interceptor = new Interceptor({
      ...given,
      certificate: state.certificates.map((raw) => ({ raw })),
      privateKey: state.privateKey,
      ...(leafKey === undefined ? {} : { leafKey }),
      serial: serial ?? (state.serial === 'function' ? 'digest' : state.serial),
      cacheSize: state.cacheSize,
      ...(maxValidityDays === undefined ? {} : { maxValidityDays }),
      mirrorInvalidity: state.mirrorInvalidity,
    })
    interceptor.#restore(state)
    return interceptor
  }

  #create(der: Uint8Array, digest: Uint8Array, origin: string, untrusted: boolean, now: number): Clone {
    const { maxValidityDays, mirrorInvalidity = true } = this.#options
    try {
      const view = new CertificateView(der)
      const leafKey = this.#leafKeys.for(view.spki)
      const signer = this.#signerOf(view, leafKey, untrusted, mirrorInvalidity)
      const validity = cloneValidity(view, { now, maxValidityDays, mirrorInvalidity })
      const serial = this.#serials.next({
        origin: der,
        digest,
        keyIdentifier: leafKey.identifier,
        signer: signer.authorityKeyIdentifier,
        validity,
      })
      const { privateKey } = leafKey
      return makeClone({
        raw: encodeClone({ origin: view, leafKey, signer, serial, validity, mirrorInvalidity }),
        privateKey,
        chain: signer === this.#authority ? this.#authority.chain : [],
        origin,
        renewAt: renewalOf(validity, view, mirrorInvalidity),
      })
    } catch (cause) {
      if (!String((cause as { code?: unknown }).code).startsWith('ERR_DER_')) throw cause
      throw new InterceptError('ERR_INTERCEPT_CERTIFICATE_INVALID', "the origin's certificate is broken", { cause })
    }
  }

  #signerOf(view: CertificateView, leafKey: LeafKey, untrusted: boolean, mirrorInvalidity: boolean): Signer {
    if (untrusted) {
      this.#stranger ??= makeStranger()
      return { ...this.#stranger, subject: view.issuer }
    }
    return mirrorInvalidity && isSelfIssued(view) ? selfSigner(view, leafKey) : this.#authority
  }

  #restore({ leafKey, leafKeys, clones }: State): void {
    if (leafKey === 'shared') for (const [type, key] of leafKeys) this.#leafKeys.restore(type, key)
    if (!(this.#cache instanceof CloneCache)) return
    for (const { ident, raw, origin, renewAt, key } of clones) {
      const privateKey = typeof key === 'string' ? this.#leafKeys.known().get(key)?.privateKey : key
      if (privateKey === undefined)
        throw new InterceptError('ERR_INTERCEPT_SERIALIZED_INVALID', `the key of the clone '${ident}' is missing`)
      this.#cache.set(ident, makeClone({ raw, privateKey, chain: this.#authority.chain, origin, renewAt }))
    }
  }

  #now(): number {
    const now: unknown = (this.#options.now ?? Date.now)()
    if (typeof now === 'number' && Number.isFinite(now)) return now
    throw wrongValue('now', 'must return milliseconds since 1970')
  }
}

function contextOf(clone: Clone): SecureContext {
  try {
    return createSecureContext({ cert: clone.cert, key: contextKey(clone) })
  } catch (cause) {
    throw new InterceptError('ERR_INTERCEPT_CERTIFICATE_INVALID', 'OpenSSL cannot read the clone', { cause })
  }
}

/** A CA that nobody knows. Its name is that of each origin's issuer. */
function makeStranger(): Pick<Signer, 'privateKey' | 'authorityKeyIdentifier'> {
  const privateKey = generateKeySync('ec')
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  return { privateKey, authorityKeyIdentifier: authorityKeyIdentifier(keyIdentifier(spki)) }
}

function derOf(certificate: CertificateInput): Uint8Array {
  try {
    return toCertificateDer(certificate)
  } catch (cause) {
    if (isMisuse(cause)) throw cause
    throw new InterceptError('ERR_INTERCEPT_CERTIFICATE_INVALID', "the origin's certificate cannot be read", { cause })
  }
}

const DEFAULT_CACHE_SIZE = 1000
