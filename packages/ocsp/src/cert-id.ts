import {
  type DerCursor,
  DerError,
  element,
  encodeOid,
  nullElement,
  octetString,
  oid,
  readIntegerBytes,
  sequence,
  Tag,
} from '@x/der'
import { type CertificateView, DigestId, sameBytes } from '@x/der/x509'
import type { CertificateFacts, CertIdHash } from './facts.ts'

/** Which certificate a request asks about or a response speaks of (RFC 6960 section 4.1.1), as views. */
export interface CertId {
  /** Undefined for a digest that we do not know: such an id matches nothing. */
  readonly hash: CertIdHash | undefined
  readonly issuerNameHash: Uint8Array
  readonly issuerKeyHash: Uint8Array
  /** Content octets of the serial number, two's complement. */
  readonly serialNumber: Uint8Array
  /** The whole CertID with its header. */
  readonly der: Uint8Array
}

/** The digests of CertIDs: NIST's identifiers, and SHA-1 from RFC 3279, which is what responders index by. */
const hashes: readonly { readonly hash: CertIdHash; readonly id: Uint8Array; readonly algorithm: Uint8Array }[] = (
  ['sha1', 'sha256', 'sha384', 'sha512'] as const
).map((hash) => ({
  hash,
  id: encodeOid(DigestId[hash]),
  algorithm: sequence(oid(DigestId[hash]), nullElement()),
}))

/** Reads the CertID at the cursor. */
export function readCertId(cursor: DerCursor): CertId {
  const fields = cursor.enterExpected(Tag.SEQUENCE)
  const der = cursor.element()
  const algorithm = fields.enterExpected(Tag.SEQUENCE)
  const id = algorithm.expect(Tag.OID).content()
  if (algorithm.optional(Tag.NULL) && algorithm.contentEnd !== algorithm.contentStart)
    throw new DerError('ERR_DER_INVALID_VALUE', 'NULL with a content', algorithm.start)
  algorithm.finish()
  const issuerNameHash = fields.expect(Tag.OCTET_STRING).content()
  const issuerKeyHash = fields.expect(Tag.OCTET_STRING).content()
  const serialNumber = readIntegerBytes(fields.expect(Tag.INTEGER))
  fields.finish()
  let hash: CertIdHash | undefined
  for (const row of hashes) if (sameBytes(row.id, id)) hash = row.hash
  return { hash, issuerNameHash, issuerKeyHash, serialNumber, der }
}

/** True where the id names this certificate of this issuer: serial, issuer name and issuer key all have to agree. */
export function certIdMatches(id: CertId, certificate: CertificateView, issuer: CertificateFacts): boolean {
  return (
    id.hash !== undefined &&
    sameBytes(id.serialNumber, certificate.serialNumber) &&
    sameBytes(id.issuerKeyHash, issuer.hashes(id.hash).key) &&
    sameBytes(id.issuerNameHash, issuer.nameHash(id.hash, certificate.issuer))
  )
}

/** Writes the CertID of a certificate. */
export function writeCertId(
  hash: CertIdHash,
  certificate: { readonly issuer: Uint8Array; readonly serialNumber: Uint8Array },
  issuer: CertificateFacts,
): Uint8Array {
  const row = hashes.find((one) => one.hash === hash) as (typeof hashes)[number]
  return sequence(
    row.algorithm,
    octetString(issuer.nameHash(hash, certificate.issuer)),
    octetString(issuer.hashes(hash).key),
    element(Tag.INTEGER, certificate.serialNumber),
  )
}
