import { illegalConstructor, PeerRefusedError } from '../errors.ts'

/** What a passed check found. The keys are the checks, in the order in which they run. */
export interface Evidence {
  /** The pin that matched, as `sha256$…`. */
  readonly fingerprint: { readonly matched: string }
  readonly chain: ChainEvidence
  /** `entry` is the certificate's entry that matched, as it stands there. */
  readonly name: { readonly host: string; readonly scheme: string; readonly entry: string }
  /** Depths (0 is the leaf) that have a good status, and until when the earliest of them holds. */
  readonly revocation: { readonly by: 'staple' | 'ocsp' | 'crl'; readonly of: readonly number[]; readonly until: Date }
}

export interface ChainEvidence {
  /** DER from the leaf to the anchor. */
  readonly path: readonly Uint8Array[]
  /** Where the anchor came from: a file, `bundled`, `option 'ca'`; `psk` where no certificate was involved. */
  readonly anchor: string
  /** 'earlier': the signatures were checked when the resumed session was made. */
  readonly proven: 'now' | 'earlier'
}

export type CheckName = keyof Evidence

/** The order of the checks; `judge` walks this list and no other. */
export const CHECKS = ['fingerprint', 'chain', 'name', 'revocation'] as const satisfies readonly CheckName[]

/** One thing that a check held against a certificate; depth 0 is the leaf. */
export interface Failure {
  readonly code: string
  readonly depth: number
  readonly error: Error
}

/** Why a check did not have to pass. */
export type Waiver =
  | { readonly by: 'option'; readonly option: string }
  | { readonly by: 'fingerprint' | 'callback' | 'soft-failure' }

export type Outcome<N extends CheckName> =
  | { readonly result: 'passed'; readonly evidence: Evidence[N] }
  | { readonly result: 'waived'; readonly waiver: Waiver; readonly failures: readonly Failure[] }
  | { readonly result: 'refused'; readonly failures: readonly [Failure, ...Failure[]] }

export type Outcomes = { readonly [N in CheckName]?: Outcome<N> }

const token = Symbol('Verification')

/**
 * The proof that every check was run and none refused; the gate opens for nothing else.
 * Only `Verification.judge` makes one.
 */
export class Verification {
  readonly #genuine = true
  readonly outcomes: Required<Outcomes>
  /** True where the session was resumed. */
  readonly resumed: boolean

  private constructor(key: symbol, outcomes: Required<Outcomes>, resumed: boolean) {
    if (key !== token) throw illegalConstructor('a Verification is made by judging outcomes')
    this.outcomes = outcomes
    this.resumed = resumed
    Object.freeze(this)
  }

  /**
   * Walks the constant list of checks. A missing outcome, one of a shape that is not exactly known, or a refusal throws.
   * @throws PeerRefusedError with the first refusing check's failures.
   */
  static judge(outcomes: Outcomes, resumed = false): Verification {
    let refusal: { check: CheckName; failures: readonly [Failure, ...Failure[]] } | undefined
    for (const check of CHECKS) {
      const outcome = Object.hasOwn(outcomes, check) ? outcomes[check] : undefined
      const failures = standing(check, outcome)
      if (failures !== undefined && refusal === undefined) refusal = { check, failures }
    }
    if (refusal !== undefined)
      throw new PeerRefusedError(refusal.check, refusal.failures, Object.freeze({ ...outcomes }))
    const { fingerprint, chain, name, revocation } = outcomes as Required<Outcomes>
    // written out: a copy by spreading is frozen at the price of all the checks
    return new Verification(token, Object.freeze({ fingerprint, chain, name, revocation }), resumed)
  }

  static isGenuine(value: unknown): value is Verification {
    return typeof value === 'object' && value !== null && #genuine in value && value.#genuine
  }

  /**
   * True where the peer has proven who it is: by its chain, a pin, a callback's word or a pre-shared key. False under
   * `rejectUnauthorized: false`, and for a client that has shown no certificate where none is required.
   */
  get authorized(): boolean {
    const { chain } = this.outcomes
    return !(chain.result === 'waived' && chain.waiver.by === 'option')
  }
}

/** The failures for which an outcome refuses; undefined where it does not. Whatever is not exactly known refuses. */
function standing(
  check: CheckName,
  outcome: Outcome<CheckName> | undefined,
): readonly [Failure, ...Failure[]] | undefined {
  if (outcome?.result === 'passed' && typeof outcome.evidence === 'object' && outcome.evidence !== null)
    return undefined
  if (outcome?.result === 'waived' && isWaiver(outcome.waiver) && Array.isArray(outcome.failures)) return undefined
  if (outcome?.result === 'refused' && Array.isArray(outcome.failures) && outcome.failures.length > 0)
    return outcome.failures
  return [failure('ERR_SECURE_SOCKET_CHECK_FAILED', 0, `the ${check} check gave no verdict`)]
}

const waiverKinds: readonly unknown[] = [
  'option',
  'fingerprint',
  'callback',
  'soft-failure',
] satisfies readonly Waiver['by'][]

function isWaiver(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'by' in value && waiverKinds.includes(value.by)
}

export function failure(code: string, depth: number, reason: string | Error): Failure {
  const error = reason instanceof Error ? reason : Object.assign(new Error(reason), { code })
  return { code, depth, error }
}

export function refused(
  first: Failure,
  ...others: readonly Failure[]
): { result: 'refused'; failures: readonly [Failure, ...Failure[]] } {
  return { result: 'refused', failures: [first, ...others] }
}

export function waivedByOption(
  option: string,
  failures: readonly Failure[] = [],
): { result: 'waived'; waiver: Waiver; failures: readonly Failure[] } {
  return { result: 'waived', waiver: { by: 'option', option }, failures }
}

/** A Promise where a verdict was expected: refused already, and its rejection must not end the program. */
export function disown(answer: unknown): void {
  if (typeof answer === 'object' && answer !== null && 'then' in answer) Promise.resolve(answer).catch(() => undefined)
}
