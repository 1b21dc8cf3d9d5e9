import { DerCursor } from '../cursor.ts'
import { DerError } from '../errors.ts'
import { contextTag, Tag } from '../tags.ts'
import { readIntegerBytes, readSmallInteger, readTime } from '../values.ts'
import { type ExtensionView, findExtension, listExtensions } from './extension.ts'
import { openExtensions, openSigned } from './signed.ts'

/**
 * A certificate's fields (RFC 5280 section 4.1) as views into its DER, found in one pass over the headers.
 * The structure is checked strictly; signatures, names and the content of extensions are not.
 */
export class CertificateView {
  readonly der: Uint8Array
  /** The signed part with its header. */
  readonly tbs: Uint8Array
  /** 1, 2 or 3. */
  readonly version: number
  /** Content octets of the serial number, two's complement. */
  readonly serialNumber: Uint8Array
  /** AlgorithmIdentifier inside the signed part, with its header. */
  readonly tbsSignatureAlgorithm: Uint8Array
  /** Name, with its header. */
  readonly issuer: Uint8Array
  /** Both times, with the header of the SEQUENCE around them. */
  readonly validity: Uint8Array
  /** Milliseconds since 1970. */
  readonly notBefore: number
  /** Milliseconds since 1970. */
  readonly notAfter: number
  /** Name, with its header. */
  readonly subject: Uint8Array
  /** SubjectPublicKeyInfo, with its header. */
  readonly spki: Uint8Array
  /** AlgorithmIdentifier outside the signed part, with its header. */
  readonly signatureAlgorithm: Uint8Array
  readonly signature: Uint8Array
  readonly #extensionsStart: number
  readonly #extensionsEnd: number

  /** @throws DerError where the bytes are not one certificate and nothing else. */
  constructor(der: Uint8Array) {
    this.der = der
    const signed = openSigned(der)
    const tbs = signed.fields
    this.tbs = signed.tbs
    this.signatureAlgorithm = signed.signatureAlgorithm
    this.signature = signed.signature

    let version = 0
    if (tbs.optional(contextTag(0, true))) {
      const wrapper = tbs.enter()
      version = readSmallInteger(wrapper.expect(Tag.INTEGER))
      wrapper.finish()
      if (version < 0 || version > 2)
        throw new DerError('ERR_DER_INVALID_VALUE', 'not a certificate version', tbs.start)
    }
    this.version = version + 1
    this.serialNumber = readIntegerBytes(tbs.expect(Tag.INTEGER))
    this.tbsSignatureAlgorithm = tbs.expect(Tag.SEQUENCE).element()
    this.issuer = tbs.expect(Tag.SEQUENCE).element()
    const validity = tbs.enterExpected(Tag.SEQUENCE)
    this.validity = tbs.element()
    validity.next()
    this.notBefore = readTime(validity)
    validity.next()
    this.notAfter = readTime(validity)
    validity.finish()
    this.subject = tbs.expect(Tag.SEQUENCE).element()
    this.spki = tbs.expect(Tag.SEQUENCE).element()
    tbs.optional(contextTag(1)) // issuerUniqueID
    tbs.optional(contextTag(2)) // subjectUniqueID
    const extensions = openExtensions(tbs, contextTag(3, true))
    this.#extensionsStart = extensions?.contentStart ?? 0
    this.#extensionsEnd = extensions?.contentEnd ?? 0
  }

  /** Every extension in order. Walked at each call: keep the result where it is needed twice. */
  extensions(): ExtensionView[] {
    return listExtensions(this.#extensionCursor())
  }

  /** The first extension of this type: `ExtensionOid.…` or other content octets of an OID (`encodeOid`), or dotted text. */
  extension(oid: string | Uint8Array): ExtensionView | undefined {
    return findExtension(this.#extensionCursor(), oid)
  }

  #extensionCursor(): DerCursor {
    return new DerCursor(this.der, this.#extensionsStart, this.#extensionsEnd)
  }
}
