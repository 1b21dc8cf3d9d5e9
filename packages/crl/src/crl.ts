import { DerCursor, readInteger, Tag } from '@x/der'
import {
  type AuthorityKeyIdentifier,
  CertificateListView,
  ExtensionId,
  type ExtensionView,
  type IssuingDistributionPoint,
  readAuthorityKeyIdentifier,
  readIssuingDistributionPoint,
  sameBytes,
} from '@x/der/x509'
import { writePem } from '@x/utils'
import { canonicalName, latin1 } from './canonical-name.ts'
import { readCertificateIssuers, readEntry, type RevokedEntry } from './entry.ts'
import { type EntryIndex, findEntries, indexEntries } from './entry-index.ts'
import { CrlError, reading } from './errors.ts'

const KNOWN: ReadonlySet<string> = new Set([
  ExtensionId.AUTHORITY_KEY_IDENTIFIER,
  ExtensionId.ISSUER_ALT_NAME,
  ExtensionId.CRL_NUMBER,
  ExtensionId.DELTA_CRL_INDICATOR,
  ExtensionId.ISSUING_DISTRIBUTION_POINT,
  ExtensionId.FRESHEST_CRL,
  ExtensionId.AUTHORITY_INFO_ACCESS,
])

/** A revocation list as it was read, nothing verified. Made by `parseCrl`. Its own memory is four octets per entry. */
export class Crl {
  readonly der: Uint8Array
  /** 1 or 2. */
  readonly version: number
  /** Name, DER with its header. */
  readonly issuer: Uint8Array
  readonly thisUpdate: Date
  readonly nextUpdate: Date | undefined
  /** RFC 5280 section 5.2.3. */
  readonly crlNumber: bigint | undefined
  /** The number of the complete list to which this one is a delta (RFC 5280 section 5.2.4); undefined: a complete list. */
  readonly baseCrlNumber: bigint | undefined
  /** What the list is limited to (RFC 5280 section 5.2.5); undefined: every certificate of its issuer, for every reason. */
  readonly issuingDistributionPoint: IssuingDistributionPoint | undefined
  readonly authorityKeyIdentifier: AuthorityKeyIdentifier | undefined
  readonly extensions: readonly ExtensionView[]
  /** Types of critical extensions, of the list or of an entry, that forbid its use (RFC 5280 sections 5.2 and 5.3); empty as a rule. */
  readonly unknownCritical: readonly string[]
  /** The issuer in the form in which names are compared. */
  readonly issuerKey: string
  readonly #view: CertificateListView
  readonly #index: EntryIndex

  /** @throws CrlError ERR_CRL_INVALID */
  constructor(der: Uint8Array) {
    const { view, index, extensions, issuerKey, fields } = reading('ERR_CRL_INVALID', 'not a revocation list', () =>
      readList(der),
    )
    this.der = der
    this.#view = view
    this.#index = index
    this.version = view.version
    this.issuer = view.issuer
    this.issuerKey = issuerKey
    this.thisUpdate = new Date(view.thisUpdate)
    this.nextUpdate = view.nextUpdate === undefined ? undefined : new Date(view.nextUpdate)
    this.extensions = extensions
    this.crlNumber = fields.crlNumber
    this.baseCrlNumber = fields.baseCrlNumber
    this.issuingDistributionPoint = fields.issuingDistributionPoint
    this.authorityKeyIdentifier = fields.authorityKeyIdentifier
    const unknown = extensions.filter(({ critical, oid }) => critical && !KNOWN.has(oid)).map(({ oid }) => oid)
    this.unknownCritical = index.unknownCritical ? [...unknown, 'of an entry'] : unknown
  }

  /** How many entries it has. */
  get size(): number {
    return this.#index.offsets.length
  }

  /** True where entries say that they are of another issuer's certificates (RFC 5280 section 5.3.3). */
  get namesCertificateIssuers(): boolean {
    return this.#index.certificateIssuers.length > 0
  }

  /** The signed part with its header. */
  get tbs(): Uint8Array {
    return this.#view.tbs
  }

  /** AlgorithmIdentifier, DER with its header. */
  get signatureAlgorithm(): Uint8Array {
    return this.#view.signatureAlgorithm
  }

  get signature(): Uint8Array {
    return this.#view.signature
  }

  /**
   * The entry of this serial number (content octets of the INTEGER), by binary search.
   * `certificateIssuer` is the issuer's Name, DER with its header; by default the list's own issuer. In an indirect list an
   * entry belongs to the issuer that it, or the last one before it, names.
   *
   * @throws CrlError ERR_CRL_INVALID where what the entry says cannot be read
   */
  find(serialNumber: Uint8Array, certificateIssuer: Uint8Array = this.issuer): RevokedEntry | undefined {
    return reading('ERR_CRL_INVALID', 'a broken entry', () => {
      const wanted = certificateIssuer === this.issuer ? this.issuerKey : canonicalName(certificateIssuer)
      const found = findEntries(this.der, this.#index.offsets, serialNumber)
        .filter((offset) => this.#issuersAt(offset).includes(wanted))
        .map((offset) => readEntry(this.der, offset, this.#view.revokedEnd))
      return gravest(found)
    })
  }

  /** Every entry in the order of the list, read one at a time. */
  *entries(): Generator<RevokedEntry, void, undefined> {
    const cursor = this.#view.revoked()
    while (!cursor.done) {
      cursor.next()
      const { start } = cursor
      yield reading('ERR_CRL_INVALID', 'a broken entry', () => readEntry(this.der, start, this.#view.revokedEnd))
    }
  }

  /** PEM, as OpenSSL and node:tls's `crl` take it. */
  toPem(): string {
    return writePem('X509 CRL', this.der)
  }

  /** The last entry at or before this one that names an issuer tells whose certificate it is. */
  #issuersAt(offset: number): string[] {
    const { certificateIssuers } = this.#index
    let low = 0
    for (let high = certificateIssuers.length; low < high; ) {
      const middle = (low + high) >>> 1
      if ((certificateIssuers[middle] as number) <= offset) low = middle + 1
      else high = middle
    }
    const naming = certificateIssuers[low - 1]
    if (naming === undefined) return [this.issuerKey]
    return readCertificateIssuers(this.der, naming, this.#view.revokedEnd).map(canonicalName)
  }
}

/** A list should not have a certificate twice. Where it does, the entry counts that cannot be undone. */
function gravest(entries: readonly RevokedEntry[]): RevokedEntry | undefined {
  const isFinal = ({ reason }: RevokedEntry): boolean => reason !== 'certificateHold' && reason !== 'removeFromCrl'
  return entries.find(isFinal) ?? entries.find(({ reason }) => reason === 'certificateHold') ?? entries[0]
}

interface Fields {
  crlNumber: bigint | undefined
  baseCrlNumber: bigint | undefined
  issuingDistributionPoint: IssuingDistributionPoint | undefined
  authorityKeyIdentifier: AuthorityKeyIdentifier | undefined
}

interface ReadList {
  readonly view: CertificateListView
  readonly index: EntryIndex
  readonly extensions: readonly ExtensionView[]
  readonly issuerKey: string
  readonly fields: Fields
}

function readList(der: Uint8Array): ReadList {
  const view = new CertificateListView(der)
  // RFC 5280 section 5.1.1.2; what is outside is not signed.
  if (!sameBytes(view.signatureAlgorithm, view.tbsSignatureAlgorithm))
    throw new CrlError('ERR_CRL_INVALID', 'two different signature algorithms, inside and outside of what is signed')
  const extensions = view.extensions()
  if (view.version < 2 && extensions.length > 0)
    throw new CrlError('ERR_CRL_INVALID', 'extensions in a list of version 1')
  if (new Set(extensions.map(({ oid }) => oid)).size < extensions.length)
    throw new CrlError('ERR_CRL_INVALID', 'an extension comes twice')
  const index = indexEntries(der, view.revokedStart, view.revokedEnd, view.version)
  return { view, index, extensions, issuerKey: canonicalName(view.issuer), fields: readFields(extensions) }
}

function readFields(extensions: readonly ExtensionView[]): Fields {
  const valueOf = (oid: string): Uint8Array | undefined => extensions.find((extension) => extension.oid === oid)?.value
  const read = <T>(oid: string, reader: (value: Uint8Array) => T): T | undefined => {
    const value = valueOf(oid)
    return value === undefined ? undefined : reader(value)
  }
  return {
    crlNumber: read(ExtensionId.CRL_NUMBER, readNumber),
    baseCrlNumber: read(ExtensionId.DELTA_CRL_INDICATOR, readNumber),
    issuingDistributionPoint: read(ExtensionId.ISSUING_DISTRIBUTION_POINT, readIssuingDistributionPoint),
    authorityKeyIdentifier: read(ExtensionId.AUTHORITY_KEY_IDENTIFIER, readAuthorityKeyIdentifier),
  }
}

/** At most 20 octets by RFC 5280 section 5.2.3; more are read, but not without limit. */
function readNumber(value: Uint8Array): bigint {
  if (value.length > 64) throw new CrlError('ERR_CRL_INVALID', 'a CRL number of more than 64 octets')
  const cursor = new DerCursor(value).expect(Tag.INTEGER)
  cursor.finish()
  return readInteger(cursor)
}

/** The octets of a list's issuing distribution point: lists of one issuer with equal ones have the same scope. */
export function scopeKey(crl: Crl): string {
  const value = crl.extensions.find(({ oid }) => oid === ExtensionId.ISSUING_DISTRIBUTION_POINT)?.value
  return value === undefined ? '' : latin1(value)
}
