import { type DerCursor, openDer } from '../cursor.ts'
import { DerError } from '../errors.ts'

/** The identifier octets of a GeneralName's choices (RFC 5280 section 4.2.1.6). */
export const GeneralNameTag = {
  OTHER_NAME: 0xa0,
  EMAIL: 0x81,
  DNS: 0x82,
  X400: 0xa3,
  DIRECTORY: 0xa4,
  EDI_PARTY: 0xa5,
  URI: 0x86,
  IP: 0x87,
  REGISTERED_ID: 0x88,
} as const

/**
 * One GeneralName: which choice, and its content octets as a view. `EMAIL`, `DNS` and `URI` hold ASCII (`decodeAscii`),
 * `IP` 4 or 16 octets (8 or 32 in name constraints), `DIRECTORY` a Name with its header (`readName`), `REGISTERED_ID` the
 * octets of an OID (`decodeOid`). None of that is checked here.
 */
export interface GeneralNameView {
  readonly tag: number
  readonly value: Uint8Array
}

/** The value of a subjectAltName, issuerAltName or certificateIssuer extension. An empty list is returned as such. */
export function readSubjectAltName(value: Uint8Array): GeneralNameView[] {
  return readGeneralNames(openDer(value))
}

/**
 * Every GeneralName left on this level.
 * @throws DerError `ERR_DER_UNEXPECTED_TAG` for what is none of the nine choices.
 */
export function readGeneralNames(cursor: DerCursor): GeneralNameView[] {
  const names: GeneralNameView[] = []
  while (!cursor.done) names.push(readGeneralName(cursor))
  return names
}

/** Reads the next element, which must be a GeneralName. */
export function readGeneralName(cursor: DerCursor): GeneralNameView {
  const tag = expectGeneralName(cursor)
  return { tag, value: cursor.content() }
}

/** Steps over the next element, which must be a GeneralName, without making a view of it. Returns its tag. */
export function expectGeneralName(cursor: DerCursor): number {
  const tag = cursor.next()
  if (!(tag >= 0x80 && tag <= 0xa8 && CHOICES[tag - 0x80] === 1))
    throw new DerError('ERR_DER_UNEXPECTED_TAG', `0x${tag.toString(16)} is not a GeneralName`, cursor.start)
  return tag
}

/** 1 at each identifier octet of {@link GeneralNameTag}, counted from 0x80: a lookup without a search. */
const CHOICES: Uint8Array = new Uint8Array(0x29)
for (const tag of Object.values(GeneralNameTag)) CHOICES[tag - 0x80] = 1
