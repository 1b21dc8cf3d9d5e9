import { DerCursor } from '../cursor.ts'
import { DerError } from '../errors.ts'
import { contextTag, Tag } from '../tags.ts'
import { readSmallInteger, readTime } from '../values.ts'
import { type ExtensionView, findExtension, listExtensions } from './extension.ts'
import { openExtensions, openSigned } from './signed.ts'

/**
 * A CRL's fields (RFC 5280 section 5.1) as views into its DER. The entries are not touched: a list of a million takes as
 * long as an empty one. Checked strictly: the structure around them. Not checked: signature, names, extensions' content,
 * the entries (whose length alone is known to fit).
 */
export class CertificateListView {
  readonly der: Uint8Array
  /** The signed part with its header. */
  readonly tbs: Uint8Array
  /** 1 or 2. */
  readonly version: number
  /** AlgorithmIdentifier inside the signed part, with its header. */
  readonly tbsSignatureAlgorithm: Uint8Array
  /** Name, with its header. */
  readonly issuer: Uint8Array
  /** Milliseconds since 1970. */
  readonly thisUpdate: number
  /** Milliseconds since 1970; undefined where the CRL does not say. */
  readonly nextUpdate: number | undefined
  /** Offset in `der` of the first entry of revokedCertificates; equal to `revokedEnd` where there is none. */
  readonly revokedStart: number
  /** Offset in `der` behind the last entry. */
  readonly revokedEnd: number
  /** AlgorithmIdentifier outside the signed part, with its header. */
  readonly signatureAlgorithm: Uint8Array
  readonly signature: Uint8Array
  readonly #extensionsStart: number
  readonly #extensionsEnd: number

  /** @throws DerError where the bytes are not one CRL and nothing else. */
  constructor(der: Uint8Array) {
    this.der = der
    const signed = openSigned(der)
    const tbs = signed.fields
    this.tbs = signed.tbs
    this.signatureAlgorithm = signed.signatureAlgorithm
    this.signature = signed.signature

    this.version = 1
    if (tbs.optional(Tag.INTEGER)) {
      if (readSmallInteger(tbs) !== 1) throw new DerError('ERR_DER_INVALID_VALUE', 'not a CRL version', tbs.start)
      this.version = 2
    }
    this.tbsSignatureAlgorithm = tbs.expect(Tag.SEQUENCE).element()
    this.issuer = tbs.expect(Tag.SEQUENCE).element()
    tbs.next()
    this.thisUpdate = readTime(tbs)
    this.nextUpdate = tbs.optional(Tag.UTC_TIME) || tbs.optional(Tag.GENERALIZED_TIME) ? readTime(tbs) : undefined
    this.revokedStart = this.revokedEnd = tbs.position
    if (tbs.optional(Tag.SEQUENCE)) {
      this.revokedStart = tbs.contentStart
      this.revokedEnd = tbs.contentEnd
    }
    const extensions = openExtensions(tbs, contextTag(0, true))
    this.#extensionsStart = extensions?.contentStart ?? 0
    this.#extensionsEnd = extensions?.contentEnd ?? 0
  }

  /** A cursor over the entries, each a SEQUENCE of serial number, date and, in version 2, extensions. */
  revoked(): DerCursor {
    return new DerCursor(this.der, this.revokedStart, this.revokedEnd)
  }

  /** Every extension of the list in order. Walked at each call: keep the result where it is needed twice. */
  extensions(): ExtensionView[] {
    return listExtensions(this.#extensionCursor())
  }

  /** The first extension of this type: `ExtensionOid.…`, or dotted text. */
  extension(oid: string | Uint8Array): ExtensionView | undefined {
    return findExtension(this.#extensionCursor(), oid)
  }

  #extensionCursor(): DerCursor {
    return new DerCursor(this.der, this.#extensionsStart, this.#extensionsEnd)
  }
}
