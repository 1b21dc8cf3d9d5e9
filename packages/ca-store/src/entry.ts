import { X509Certificate } from 'node:crypto'
import { contextTag, DerCursor, DerError, openDer, readOctetAlignedBits, readOid, Tag } from '@x/der'
import { CertificateView, ExtensionOid, KeyUsage, readBasicConstraints, readKeyUsage, sameBytes } from '@x/der/x509'
import { CaStoreError, type CaStoreErrorCode } from './errors.ts'
import { nameHash, nameKey } from './name-hash.ts'
import { decodeBlock, isBase64, type PemBlock } from './pem.ts'
import { isTrustedFor, readTrustSettings, type TrustPurpose } from './trust-settings.ts'

/** Which step of the search a certificate comes from. */
export type CaSource = 'program' | 'environment' | 'platform' | 'system' | 'node' | 'extra'

/** Where a certificate of a store comes from. */
export interface CaOrigin {
  readonly source: CaSource
  /** The option, the variable or the systems that led there: `file`, `SSL_CERT_DIR`, `Debian, Ubuntu, …`. */
  readonly by: string
  /** The file that holds it; undefined for lists. */
  readonly file: string | undefined
  /** Its position within that file or list, from 0. */
  readonly index: number
}

/** What all entries of one file or list share. */
export interface EntryList {
  readonly source: CaSource
  readonly by: string
  readonly file: string | undefined
  /** The subject hash that the file's name promises. */
  readonly hash?: string
}

/** How an entry is judged: `now` in milliseconds since 1970. */
export interface JudgeRules {
  readonly now: number
  readonly purpose: TrustPurpose
}

/** One certificate as it stands in its source; decoded, parsed and judged when first looked at. */
export class Entry {
  readonly list: EntryList
  readonly index: number
  readonly #block: PemBlock | Uint8Array
  #der: Uint8Array | undefined
  #aux: Uint8Array | undefined
  #key: string | false | undefined
  #view: CertificateView | undefined
  #certificate: X509Certificate | false | undefined
  #fault: CaStoreError | false | undefined

  constructor(list: EntryList, index: number, block: PemBlock | Uint8Array) {
    this.list = list
    this.index = index
    this.#block = block
  }

  get origin(): CaOrigin {
    const { source, by, file } = this.list
    return { source, by, file, index: this.index }
  }

  /** The certificate's DER, which may be anything before `fault` has been asked. */
  get der(): Uint8Array {
    if (this.#der === undefined) this.#decode()
    return this.#der as Uint8Array
  }

  #decode(): void {
    const block = this.#block
    this.#der = block instanceof Uint8Array ? block : decodeBlock(block)
    if (block instanceof Uint8Array || !block.trusted) return
    const cursor = new DerCursor(this.#der)
    try {
      cursor.next()
    } catch {
      return // not a certificate, as `fault` will find
    }
    this.#aux = this.#der.subarray(cursor.position)
    this.#der = cursor.element()
  }

  /** The subject in canonical form, found without parsing the rest; undefined where there is none. */
  get subjectKey(): string | undefined {
    if (this.#key === undefined) this.#key = subjectKey(this.der) ?? false
    return this.#key === false ? undefined : this.#key
  }

  get view(): CertificateView {
    this.#view ??= new CertificateView(this.der)
    return this.#view
  }

  /** Why the object of node:crypto could not be made; undefined as long as nobody asked for it. */
  get refusal(): CaStoreError | undefined {
    return this.#certificate === false ? this.error('ERR_CA_BROKEN_CERTIFICATE', 'OpenSSL cannot read it') : undefined
  }

  /** The object of node:crypto; undefined where OpenSSL cannot read what @x/der could. */
  get certificate(): X509Certificate | undefined {
    this.#certificate ??= tryCertificate(this.der) ?? false
    return this.#certificate === false ? undefined : this.#certificate
  }

  /** Whether OpenSSL's trust settings may stand beside the certificate. */
  get hasSettings(): boolean {
    return !(this.#block instanceof Uint8Array) && this.#block.trusted
  }

  /** True where OpenSSL's trust settings take the certificate out, or cannot be read. */
  isDistrusted(purpose: TrustPurpose): boolean {
    if (!this.hasSettings) return false
    void this.der
    try {
      return !isTrustedFor(readTrustSettings(this.#aux ?? new Uint8Array()), purpose)
    } catch {
      return true
    }
  }

  /** Whether the file's name is the subject's hash, without which OpenSSL would not find it. */
  get isWhereItBelongs(): boolean {
    const { hash } = this.list
    try {
      return hash === undefined || nameHash(this.view.subject) === hash
    } catch {
      return false
    }
  }

  /** Why this is no anchor, or undefined. Judged once, by the rules of the first call. */
  fault(rules: JudgeRules): CaStoreError | undefined {
    this.#fault ??= this.#judge(rules) ?? false
    return this.#fault === false ? undefined : this.#fault
  }

  #judge({ now, purpose }: JudgeRules): CaStoreError | undefined {
    const block = this.#block
    if (!(block instanceof Uint8Array)) {
      if (!block.complete) return this.error('ERR_CA_BROKEN_CERTIFICATE', 'the END line is missing')
      if (!isBase64(block)) return this.error('ERR_CA_BROKEN_CERTIFICATE', 'not base64')
    }
    let view: CertificateView
    try {
      view = this.view
      nameKey(view.issuer)
      nameKey(view.subject)
      checkParts(view)
    } catch (cause) {
      if (!(cause instanceof DerError)) throw cause
      return this.error('ERR_CA_BROKEN_CERTIFICATE', `not a certificate: ${cause.message}`, cause)
    }
    if (!this.isWhereItBelongs) return this.error('ERR_CA_HASH_MISMATCH', 'the file is not named by its subject hash')
    if (this.isDistrusted(purpose)) return this.error('ERR_CA_DISTRUSTED', 'distrusted by its trust settings')
    if (this.list.source === 'program') return undefined
    if (!isCa(view)) return this.error('ERR_CA_NOT_A_CA', 'not a CA certificate')
    if (!(now <= view.notAfter))
      return this.error('ERR_CA_EXPIRED', `expired on ${new Date(view.notAfter).toISOString()}`)
    return undefined
  }

  error(code: CaStoreErrorCode, message: string, cause?: unknown): CaStoreError {
    const { file, by } = this.list
    return new CaStoreError(code, message, { file: file ?? by, index: this.index, cause })
  }
}

/** An X509Certificate, or undefined where OpenSSL cannot read it. */
export function tryCertificate(der: Uint8Array): X509Certificate | undefined {
  try {
    return new X509Certificate(der)
  } catch {
    return undefined
  }
}

function subjectKey(der: Uint8Array): string | undefined {
  try {
    const tbs = new DerCursor(der).enterExpected(Tag.SEQUENCE).enterExpected(Tag.SEQUENCE)
    tbs.optional(contextTag(0, true)) // version
    for (let field = 0; field < 4; field++) tbs.next() // serial number, algorithm, issuer, validity
    return nameKey(tbs.expect(Tag.SEQUENCE).element())
  } catch {
    return undefined
  }
}

/** What OpenSSL reads at once and CertificateView leaves to its users: extensions, key and algorithms by their form. */
function checkParts(view: CertificateView): void {
  view.extensions()
  readOid(openDer(view.signatureAlgorithm).expect(Tag.OID)) // parameters may be anything
  readOid(openDer(view.tbsSignatureAlgorithm).expect(Tag.OID))
  const key = openDer(view.spki)
  readOid(key.enterExpected(Tag.SEQUENCE).expect(Tag.OID))
  readOctetAlignedBits(key.expect(Tag.BIT_STRING))
  key.finish()
}

/**
 * RFC 5280 sections 4.2.1.9 and 4.2.1.3: cA, and keyCertSign where there is a key usage. A self-issued certificate of version 1
 * counts too, as it does for OpenSSL: that version cannot say it. An extension that cannot be read says nothing.
 */
function isCa(view: CertificateView): boolean {
  try {
    const constraints = view.extension(ExtensionOid.BASIC_CONSTRAINTS)
    if (constraints === undefined) return view.version === 1 && sameBytes(view.subject, view.issuer)
    const usage = view.extension(ExtensionOid.KEY_USAGE)
    const maySign = usage === undefined || (readKeyUsage(usage.value) & KeyUsage.KEY_CERT_SIGN) !== 0
    return readBasicConstraints(constraints.value).ca && maySign
  } catch {
    return false
  }
}
