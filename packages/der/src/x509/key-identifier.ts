import { DerCursor, openDer } from '../cursor.ts'
import { DerError } from '../errors.ts'
import { contextTag, Tag } from '../tags.ts'
import { readIntegerBytes } from '../values.ts'
import { type GeneralNameView, readGeneralNames } from './general-name.ts'

/** RFC 5280 section 4.2.1.1: every field may be absent, but issuer and serial number come together or not at all. */
export interface AuthorityKeyIdentifier {
  readonly keyIdentifier: Uint8Array | undefined
  readonly issuer: readonly GeneralNameView[] | undefined
  /** Content octets, two's complement. */
  readonly serialNumber: Uint8Array | undefined
}

/** The value of a subjectKeyIdentifier extension (RFC 5280 section 4.2.1.2): the identifier's octets, a view. */
export function readSubjectKeyIdentifier(value: Uint8Array): Uint8Array {
  const cursor = new DerCursor(value)
  const identifier = cursor.expect(Tag.OCTET_STRING).content()
  cursor.finish()
  return identifier
}

/** The value of an authorityKeyIdentifier extension. */
export function readAuthorityKeyIdentifier(value: Uint8Array): AuthorityKeyIdentifier {
  const fields = openDer(value)
  const keyIdentifier = fields.optional(contextTag(0)) ? fields.content() : undefined
  const issuer = fields.optional(contextTag(1, true)) ? readGeneralNames(fields.enter()) : undefined
  const serialNumber = fields.optional(contextTag(2)) ? readIntegerBytes(fields) : undefined
  fields.finish()
  if ((issuer === undefined) !== (serialNumber === undefined))
    throw new DerError('ERR_DER_INVALID_VALUE', 'authority issuer without serial number, or the reverse', 0)
  return { keyIdentifier, issuer, serialNumber }
}
