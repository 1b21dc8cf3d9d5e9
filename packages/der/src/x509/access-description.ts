import { openDer } from '../cursor.ts'
import { DerError } from '../errors.ts'
import { decodeAscii } from '../strings.ts'
import { Tag } from '../tags.ts'
import { readOid } from '../values.ts'
import { type GeneralNameView, GeneralNameTag, readGeneralName } from './general-name.ts'

/** One AccessDescription (RFC 5280 section 4.2.2.1). */
export interface AccessDescription {
  /** Dotted OID: `AccessMethod.OCSP`, `AccessMethod.CA_ISSUERS` or another. */
  readonly method: string
  readonly location: GeneralNameView
}

/** Access methods of RFC 5280 section 4.2.2.1. */
export const AccessMethod = {
  OCSP: '1.3.6.1.5.5.7.48.1',
  CA_ISSUERS: '1.3.6.1.5.5.7.48.2',
} as const

/** The value of an authorityInfoAccess (or subjectInfoAccess) extension, in order. */
export function readAuthorityInfoAccess(value: Uint8Array): AccessDescription[] {
  const list = openDer(value)
  const descriptions: AccessDescription[] = []
  while (!list.done) {
    const fields = list.enterExpected(Tag.SEQUENCE)
    const method = readOid(fields.expect(Tag.OID))
    const location = readGeneralName(fields)
    fields.finish()
    descriptions.push({ method, location })
  }
  return descriptions
}

/** URIs of one access method in an authorityInfoAccess extension's value, in order; other kinds of location are passed over. */
export function readAccessUris(value: Uint8Array, method: string): string[] {
  const uris: string[] = []
  for (const { method: found, location } of readAuthorityInfoAccess(value))
    if (found === method && location.tag === GeneralNameTag.URI) uris.push(uriText(location))
  return uris
}

/**
 * Text of a `URI` GeneralName. Its syntax is not checked.
 * @throws DerError `ERR_DER_INVALID_VALUE` for octets beyond ASCII.
 */
export function uriText(name: GeneralNameView): string {
  const text = decodeAscii(name.value)
  if (text === undefined) throw new DerError('ERR_DER_INVALID_VALUE', 'URI is not ASCII', 0)
  return text
}
