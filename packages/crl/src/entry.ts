import { DerCursor, readIntegerBytes, readSmallInteger, readTime, Tag } from '@x/der'
import { ExtensionId, ExtensionOid, GeneralNameTag, readExtensions, readSubjectAltName } from '@x/der/x509'
import { CrlError } from './errors.ts'
import { reasonOfCode, type RevocationReason } from './reasons.ts'

/** One entry of a list, read when asked for (RFC 5280 sections 5.1.2.6 and 5.3). */
export interface RevokedEntry {
  /** Content octets of the INTEGER, two's complement: a view. */
  readonly serialNumber: Uint8Array
  readonly revocationDate: Date
  /** `'unspecified'` where the entry gives none. */
  readonly reason: RevocationReason
  /** Since when the certificate is believed to be invalid, where the entry says so. */
  readonly invalidityDate: Date | undefined
}

/** Reads the entry at this offset, which `indexEntries` found. */
export function readEntry(der: Uint8Array, offset: number, end: number): RevokedEntry {
  const fields = entryFields(der, offset, end)
  const serialNumber = readIntegerBytes(fields.expect(Tag.INTEGER))
  fields.next()
  const revocationDate = new Date(readTime(fields))
  let reason: RevocationReason = 'unspecified'
  let invalidityDate: Date | undefined
  if (fields.optional(Tag.SEQUENCE))
    for (const { oid, value } of readExtensions(fields.enter())) {
      if (oid === ExtensionId.CRL_REASON)
        reason = reasonOfCode(readSmallInteger(new DerCursor(value).expect(Tag.ENUMERATED)))
      else if (oid === ExtensionId.INVALIDITY_DATE) invalidityDate = new Date(readDate(value))
    }
  return { serialNumber, revocationDate, reason, invalidityDate }
}

/**
 * The directory names of an entry's certificateIssuer extension (RFC 5280 section 5.3.3), each with its header.
 * @throws CrlError ERR_CRL_INVALID where there is none: then nobody knows whose certificates the entries behind it are.
 */
export function readCertificateIssuers(der: Uint8Array, offset: number, end: number): Uint8Array[] {
  const fields = entryFields(der, offset, end)
  fields.expect(Tag.INTEGER).next()
  const names: Uint8Array[] = []
  for (const { value } of readExtensions(fields.enterExpected(Tag.SEQUENCE), ExtensionOid.CERTIFICATE_ISSUER))
    for (const name of readSubjectAltName(value)) if (name.tag === GeneralNameTag.DIRECTORY) names.push(name.value)
  if (names.length === 0)
    throw new CrlError('ERR_CRL_INVALID', 'a certificateIssuer extension without a directory name')
  return names
}

function readDate(value: Uint8Array): number {
  const cursor = new DerCursor(value).expect(Tag.GENERALIZED_TIME)
  return readTime(cursor)
}

function entryFields(der: Uint8Array, offset: number, end: number): DerCursor {
  return new DerCursor(der, offset, end).enterExpected(Tag.SEQUENCE)
}
