import { ReasonFlag } from '@x/der/x509'

/** Why a certificate was revoked (RFC 5280 section 5.3.1). `'unspecified'` also stands for codes that nobody defined. */
export type RevocationReason =
  | 'unspecified'
  | 'keyCompromise'
  | 'caCompromise'
  | 'affiliationChanged'
  | 'superseded'
  | 'cessationOfOperation'
  | 'certificateHold'
  | 'removeFromCrl'
  | 'privilegeWithdrawn'
  | 'aaCompromise'

/** CRLReason's numbers; 7 is not used. */
const CODES: Readonly<Record<RevocationReason, number>> = {
  unspecified: 0,
  keyCompromise: 1,
  caCompromise: 2,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  certificateHold: 6,
  removeFromCrl: 8,
  privilegeWithdrawn: 9,
  aaCompromise: 10,
}
const BY_CODE = new Map(Object.entries(CODES).map(([reason, code]) => [code, reason as RevocationReason]))

/** The bits of ReasonFlags (RFC 5280 section 4.2.1.13) by reason: what a list may be limited to. */
const FLAGS: Readonly<Partial<Record<RevocationReason, number>>> = {
  keyCompromise: ReasonFlag.KEY_COMPROMISE,
  caCompromise: ReasonFlag.CA_COMPROMISE,
  affiliationChanged: ReasonFlag.AFFILIATION_CHANGED,
  superseded: ReasonFlag.SUPERSEDED,
  cessationOfOperation: ReasonFlag.CESSATION_OF_OPERATION,
  certificateHold: ReasonFlag.CERTIFICATE_HOLD,
  privilegeWithdrawn: ReasonFlag.PRIVILEGE_WITHDRAWN,
  aaCompromise: ReasonFlag.AA_COMPROMISE,
}

/** Every reason that a list can be limited to: a certificate is good only where lists for all of them say so. */
export const ALL_REASONS: number = Object.values(FLAGS).reduce((mask, flag) => mask | flag, 0)

/** The reason of a CRLReason's number. A code that is unknown is still a revocation. */
export function reasonOfCode(code: number): RevocationReason {
  return BY_CODE.get(code) ?? 'unspecified'
}

/** CRLReason's number; undefined for a word that is none. */
export function codeOfReason(reason: string): number | undefined {
  return Object.hasOwn(CODES, reason) ? CODES[reason as RevocationReason] : undefined
}

/** The bit number in ReasonFlags; undefined for reasons that have none. */
export function flagNumber(reason: string): number | undefined {
  const flag = Object.hasOwn(FLAGS, reason) ? FLAGS[reason as RevocationReason] : undefined
  return flag === undefined ? undefined : Math.log2(flag)
}
