import { type DerCursor, openDer } from '../cursor.ts'
import { DerError } from '../errors.ts'
import { contextTag, Tag } from '../tags.ts'
import { readBoolean } from '../values.ts'
import { uriText } from './access-description.ts'
import { type GeneralNameView, GeneralNameTag, readGeneralNames } from './general-name.ts'
import { readNamedBits } from './key-usage.ts'
import { type NameAttribute, readRdn } from './name.ts'

/** Where a list is found (RFC 5280 section 4.2.1.13): either whole names, or one RDN to append to the CRL issuer's name. */
export type DistributionPointName =
  | { readonly fullName: readonly GeneralNameView[]; readonly relativeName?: undefined }
  | { readonly fullName?: undefined; readonly relativeName: readonly NameAttribute[] }

/** One DistributionPoint of RFC 5280 section 4.2.1.13. */
export interface DistributionPoint {
  readonly name: DistributionPointName | undefined
  /** Mask of {@link ReasonFlag}; undefined: the list covers every reason. */
  readonly reasons: number | undefined
  readonly crlIssuer: readonly GeneralNameView[] | undefined
}

/** Bits of ReasonFlags (RFC 5280 section 4.2.1.13); bit 0 is unused. */
export const ReasonFlag = {
  KEY_COMPROMISE: 0x002,
  CA_COMPROMISE: 0x004,
  AFFILIATION_CHANGED: 0x008,
  SUPERSEDED: 0x010,
  CESSATION_OF_OPERATION: 0x020,
  CERTIFICATE_HOLD: 0x040,
  PRIVILEGE_WITHDRAWN: 0x080,
  AA_COMPROMISE: 0x100,
} as const

/** The scope of a CRL (RFC 5280 section 5.2.5). */
export interface IssuingDistributionPoint {
  readonly name: DistributionPointName | undefined
  readonly onlyContainsUserCerts: boolean
  readonly onlyContainsCaCerts: boolean
  /** Mask of {@link ReasonFlag}; undefined: every reason. */
  readonly onlySomeReasons: number | undefined
  readonly indirectCrl: boolean
  readonly onlyContainsAttributeCerts: boolean
}

/**
 * The value of a cRLDistributionPoints or freshestCRL extension. Not checked: that a point has a name or a CRL issuer
 * (a point with reasons alone is useless, and returned as such).
 */
export function readDistributionPoints(value: Uint8Array): DistributionPoint[] {
  const list = openDer(value)
  const points: DistributionPoint[] = []
  while (!list.done) {
    const fields = list.enterExpected(Tag.SEQUENCE)
    const name = readOptionalName(fields)
    const reasons = fields.optional(contextTag(1)) ? readNamedBits(fields) : undefined
    const crlIssuer = fields.optional(contextTag(2, true)) ? readGeneralNames(fields.enter()) : undefined
    fields.finish()
    points.push({ name, reasons, crlIssuer })
  }
  return points
}

/** All `fullName` URIs in a cRLDistributionPoints extension's value, in order. */
export function readDistributionPointUris(value: Uint8Array): string[] {
  const uris: string[] = []
  for (const point of readDistributionPoints(value))
    for (const name of point.name?.fullName ?? []) if (name.tag === GeneralNameTag.URI) uris.push(uriText(name))
  return uris
}

/** The value of a CRL's issuingDistributionPoint extension. Not checked: that at most one `only…` is true. */
export function readIssuingDistributionPoint(value: Uint8Array): IssuingDistributionPoint {
  const fields = openDer(value)
  const name = readOptionalName(fields)
  const onlyContainsUserCerts = fields.optional(contextTag(1)) && readBoolean(fields)
  const onlyContainsCaCerts = fields.optional(contextTag(2)) && readBoolean(fields)
  const onlySomeReasons = fields.optional(contextTag(3)) ? readNamedBits(fields) : undefined
  const indirectCrl = fields.optional(contextTag(4)) && readBoolean(fields)
  const onlyContainsAttributeCerts = fields.optional(contextTag(5)) && readBoolean(fields)
  fields.finish()
  return {
    name,
    onlyContainsUserCerts,
    onlyContainsCaCerts,
    onlySomeReasons,
    indirectCrl,
    onlyContainsAttributeCerts,
  }
}

/** `[0]` around a CHOICE is explicit (X.680 section 31.2.7), so the choice stands inside as an element of its own. */
function readOptionalName(fields: DerCursor): DistributionPointName | undefined {
  if (!fields.optional(contextTag(0, true))) return undefined
  const choice = fields.enter()
  const tag = choice.next()
  let name: DistributionPointName
  if (tag === contextTag(0, true)) name = { fullName: readGeneralNames(choice.enter()) }
  else if (tag === contextTag(1, true)) name = { relativeName: readRdn(choice.enter(), 0) }
  else throw new DerError('ERR_DER_UNEXPECTED_TAG', 'not a distribution point name', choice.start)
  choice.finish()
  return name
}
