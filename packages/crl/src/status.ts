import type { Crl } from './crl.ts'
import type { CrlError, CrlErrorCode } from './errors.ts'
import type { RevocationReason } from './reasons.ts'

/** What revocation lists say about one certificate. Only `'good'` is good: `'unknown'` refuses wherever revocation is demanded. */
export type CrlStatus = CrlGood | CrlRevoked | CrlUnknown

/** Lists that are verified, current and together complete for the certificate's scope do not have it. */
export interface CrlGood {
  readonly status: 'good'
  /** When the oldest of the lists was made. */
  readonly thisUpdate: Date
  /** Until when the answer holds: the first of their nextUpdates. */
  readonly nextUpdate: Date
  /** The lists it rests on. */
  readonly crls: readonly Crl[]
}

/** A verified list in scope has it. */
export interface CrlRevoked {
  readonly status: 'revoked'
  /** When the CA revoked it. */
  readonly date: Date
  readonly reason: RevocationReason
  /** Since when it is believed to be invalid, where the CA says so. */
  readonly invalidityDate: Date | undefined
  readonly thisUpdate: Date
  /** The list that has it. It may be past its nextUpdate: a revocation other than a hold is final. */
  readonly crl: Crl
}

/** Nothing can be said, and why. */
export interface CrlUnknown {
  readonly status: 'unknown'
  /** The code of the first error. */
  readonly code: CrlErrorCode
  /** Why each list, file or URL did not answer, the most telling first. Never empty. */
  readonly errors: readonly CrlError[]
}
