import { createHash, type X509Certificate } from 'node:crypto'
import { DerError } from '@x/der'
import { sameBytes } from '@x/der/x509'
import { type CertificateInput, readOneCertificate } from './certificate-input.ts'
import type { CaOrigin, Entry, JudgeRules } from './entry.ts'
import { CaStoreError } from './errors.ts'
import { findSigner } from './find-issuer.ts'
import { distrusts, type Judgement, judge } from './judge.ts'
import { nameHash, nameKey } from './name-hash.ts'
import { encodeBlock } from './pem.ts'
import { replaceDefault } from './slot.ts'
import type { Source } from './source.ts'

/** What a store is built from. */
export interface CaStoreParts {
  readonly file: string | undefined
  readonly path: string | undefined
  readonly sources: readonly Source[]
  /** What was left out before there were entries. */
  readonly errors: readonly CaStoreError[]
  readonly rules: JudgeRules
  readonly clock: () => number
  /** True while these sources are what node:tls trusts without a `ca` option; always given, since it must not be inherited. */
  readonly isNodeDefault: (() => boolean) | undefined
  /** The same again, from what is there by then. */
  readonly rebuild: () => CaStore
}

/**
 * The CAs that a machine or a program trusts. It does not change once loaded: `reload()` gives another one. Certificates are
 * decoded when first looked at, and those of a directory are read then.
 */
export class CaStore {
  /** The bundle it was loaded from, absolute; undefined where there is none. */
  readonly file: string | undefined
  /** The directories with hashed names, absolute, joined as the platform does; undefined where there are none. */
  readonly path: string | undefined
  readonly #parts: CaStoreParts
  readonly #bySubject = new Map<string, readonly Entry[]>()
  #judgement: Judgement | undefined
  #certificates: readonly X509Certificate[] | undefined
  #digest: string | undefined
  #mayDistrust: boolean | undefined
  #pem: readonly string[] | undefined
  #options: { readonly ca?: string[] } | undefined

  constructor(parts: CaStoreParts) {
    this.#parts = parts
    this.file = parts.file
    this.path = parts.path
  }

  /**
   * Every anchor, in the order of the sources; but for those that OpenSSL cannot read, which Node ignores in a `ca` list too
   * and which `errors` tells from then on.
   * About 0.1 ms each at the first call: prefer `raw` where bytes will do.
   */
  get certificates(): readonly X509Certificate[] {
    this.#certificates ??= Object.freeze(this.#judged.kept.flatMap((entry) => entry.certificate ?? []))
    return this.#certificates
  }

  /** The DER of every anchor, in the order of `certificates`. Not to be written to. */
  get raw(): readonly Uint8Array[] {
    return this.#judged.kept.map((entry) => entry.der)
  }

  /** How many anchors there are. */
  get size(): number {
    return this.#judged.kept.length
  }

  /** What was left out and why: sources that could not be used, and single entries with file and index. */
  get errors(): readonly CaStoreError[] {
    const { kept, skipped } = this.#judged
    const { errors, sources } = this.#parts
    const refused = kept.flatMap((entry) => entry.refusal ?? [])
    return [...errors, ...sources.flatMap((source) => source.errors), ...skipped, ...refused]
  }

  /** SHA-256 over all anchors, in hexadecimal: two stores with the same digest have the same anchors, in the same order. Whom they distrust is not in it. */
  get digest(): string {
    if (this.#digest === undefined) {
      const hash = createHash('sha256')
      for (const der of this.raw) hash.update(der)
      this.#digest = hash.digest('hex')
    }
    return this.#digest
  }

  /**
   * Where this anchor comes from, or undefined where it is none of the store's.
   * @throws CaStoreError ERR_CA_BROKEN_CERTIFICATE
   */
  origin(certificate: CertificateInput): CaOrigin | undefined {
    const { der, subject } = readOneCertificate(certificate, 'certificate')
    return this.#find(subject).find((entry) => sameBytes(entry.der, der))?.origin
  }

  /**
   * The DER of every anchor with this subject, names compared as RFC 5280 section 7.1 has it.
   * @param name a Name with its header, as `CertificateView.issuer`
   * @throws CaStoreError ERR_CA_BROKEN_CERTIFICATE where it is not a Name
   */
  findBySubject(name: Uint8Array): readonly Uint8Array[] {
    return this.#find(name).map((entry) => entry.der)
  }

  /**
   * True where OpenSSL's trust settings in one of the sources distrust this certificate, for the store's purpose. It is no anchor
   * then; who builds paths must refuse it as an intermediate or a leaf that the peer sends, too.
   * @throws CaStoreError ERR_CA_BROKEN_CERTIFICATE
   */
  isDistrusted(certificate: CertificateInput): boolean {
    const { der, subject } = readOneCertificate(certificate, 'certificate')
    this.#mayDistrust ??= this.#parts.sources.some((source) => source.mayDistrust)
    if (!this.#mayDistrust) return false
    return distrusts(this.#candidates(readNameKey(subject), subject), der, this.#parts.rules)
  }

  /**
   * The anchor that issued this certificate: its name is the issuer's and its key verifies the signature. Among several, the
   * one with the key identifier asked for goes first. Of a bundle in PEM, the first certificate is meant.
   * Not checked: validity, constraints and usages of either.
   * @throws CaStoreError ERR_CA_BROKEN_CERTIFICATE
   */
  findIssuer(certificate: CertificateInput): X509Certificate | undefined {
    const view = readOneCertificate(certificate, 'certificate')
    return findSigner(view, this.#find(view.issuer), this.#parts.clock())
  }

  /** Every anchor as one PEM text, for tools that take a bundle. OpenSSL's trust settings are not in it. */
  toPem(): string {
    return this.#pemBlocks().join('')
  }

  /**
   * What tls.createSecureContext and everything built on it must be given to trust exactly this store. Empty where the store is
   * what Node trusts by itself, which saves the 6 to 17 ms that a `ca` list costs. The same object at each call.
   */
  secureContextOptions(): { readonly ca?: string[] } {
    if (this.#parts.isNodeDefault?.() && !this.#judged.skipped.some(isStricterThanNode)) return NODE_DEFAULT
    if (this.#options === undefined) {
      const ca = [...this.#pemBlocks()]
      Object.freeze(ca)
      this.#options = Object.freeze({ ca })
    }
    return this.#options
  }

  /**
   * A store from what the same sources hold now, or this one where nothing has changed. Where this is the process's default
   * store, the new one becomes it.
   * @throws CaStoreError as loading does; the default store then stays what it is
   */
  reload(): CaStore {
    const next = this.#parts.rebuild()
    if (next.#identity === this.#identity) return this
    replaceDefault(this, next)
    return next
  }

  get #identity(): string {
    const origins = this.#judged.kept.map(({ list }) => list.file ?? list.by)
    return JSON.stringify([this.file, this.path, this.digest, origins, this.errors.map((error) => error.message)])
  }

  get #judged(): Judgement {
    if (this.#judgement === undefined) {
      const entries = this.#parts.sources.flatMap((source) => [...source.batches()].flat())
      this.#judgement = judge(entries, this.#parts.rules)
    }
    return this.#judgement
  }

  #find(name: Uint8Array): readonly Entry[] {
    const key = readNameKey(name)
    let found = this.#bySubject.get(key)
    if (found === undefined) {
      found = judge(this.#candidates(key, name), this.#parts.rules).kept
      if (found.length > 0) this.#bySubject.set(key, found) // names that strangers send are not kept
    }
    return found
  }

  #candidates(key: string, name: Uint8Array): readonly Entry[] {
    return this.#parts.sources.flatMap((source) => source.bySubject(key, () => nameHash(name)))
  }

  #pemBlocks(): readonly string[] {
    this.#pem ??= this.raw.map(encodeBlock)
    return this.#pem
  }
}

const NODE_DEFAULT: { readonly ca?: string[] } = Object.freeze({})

/** Node's own list holds expired and repeated certificates too, which changes nothing; any other skip does. */
function isStricterThanNode({ code }: CaStoreError): boolean {
  return code !== 'ERR_CA_EXPIRED' && code !== 'ERR_CA_DUPLICATE'
}

function readNameKey(name: Uint8Array): string {
  try {
    return nameKey(name)
  } catch (cause) {
    if (!(cause instanceof DerError)) throw cause
    throw new CaStoreError('ERR_CA_BROKEN_CERTIFICATE', `not a name: ${cause.message}`, { cause })
  }
}
