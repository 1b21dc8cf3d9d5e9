import type { PathLimits, PathWork } from './path-request.ts'

const DEFAULTS: Required<PathLimits> = {
  pathLength: 10,
  certificates: 100,
  signatureChecks: 50,
  nameConstraintComparisons: 1 << 20,
  steps: 10_000,
}

/**
 * What is left of the work that a peer may cause, over everything that one walk tries. Without it, cross-signed
 * certificates make the number of paths grow exponentially, and names times constraints quadratically.
 */
export class Budget {
  readonly limits: Required<PathLimits>
  readonly used: Record<keyof PathWork, number> = { signatureChecks: 0, nameConstraintComparisons: 0, steps: 0 }
  /** The first limit that was hit; from then on the walk cannot succeed. */
  exceeded: keyof PathLimits | undefined

  constructor(limits: PathLimits = {}) {
    this.limits = { ...DEFAULTS, ...limits }
  }

  /** Whether `amount` more is granted; a limit that is no number grants nothing. */
  spend(what: keyof PathWork, amount = 1): boolean {
    if (this.exceeded !== undefined) return false
    this.used[what] += amount
    if (this.used[what] <= this.limits[what]) return true
    this.exceeded = what
    return false
  }
}
