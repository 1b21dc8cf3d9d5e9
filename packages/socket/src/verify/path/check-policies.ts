import type { CertificateFacts } from './certificate-facts.ts'
import type { ReportAt } from './check-name-constraints.ts'
import type { PolicyInputs } from './path-request.ts'
import { ANY_POLICY, constrainsPolicies, type PolicyExtensions, readPolicyExtensions } from './policy-extensions.ts'
import { initialLevel, type Level, mapPolicies, nextLevel, rootPolicies } from './policy-graph.ts'

/**
 * Certificate policies (RFC 5280 section 6.1, over the graph of RFC 9618, which cannot be blown up). Returns the policies for
 * which the path is valid, of the initial set. Where nobody asks for a policy, and no certificate limits policies, nothing
 * can fail: nothing is done then, and the answer is empty.
 */
export function checkPolicies(
  path: readonly CertificateFacts[],
  anchored: boolean,
  inputs: PolicyInputs | undefined,
  report: ReportAt,
): readonly string[] {
  const certificates = anchored ? path.slice(0, -1) : path
  if (inputs === undefined && !certificates.some(constrainsPolicies)) return []
  return new PolicyWalk(certificates, inputs ?? {}, report).run()
}

/** The state variables of RFC 5280 section 6.1.2, and the steps that change them. */
class PolicyWalk {
  readonly #certificates: readonly CertificateFacts[]
  readonly #inputs: PolicyInputs
  readonly #report: ReportAt
  #level: Level = initialLevel()
  /** How many more certificates until a policy is needed, "any" is void, mapping is forbidden. */
  #explicitPolicy: number
  #inhibitAnyPolicy: number
  #policyMapping: number
  #missing = false

  constructor(certificates: readonly CertificateFacts[], inputs: PolicyInputs, report: ReportAt) {
    const never = certificates.length + 1
    this.#certificates = certificates
    this.#inputs = inputs
    this.#report = report
    this.#explicitPolicy = inputs.explicitPolicy === true ? 0 : never
    this.#inhibitAnyPolicy = inputs.inhibitAnyPolicy === true ? 0 : never
    this.#policyMapping = inputs.inhibitPolicyMapping === true ? 0 : never
  }

  run(): readonly string[] {
    for (let depth = this.#certificates.length - 1; depth >= 0; depth--) {
      const facts = this.#certificates[depth] as CertificateFacts
      const extensions = readPolicyExtensions(facts)
      if (extensions === undefined) this.#report('INVALID_POLICY_EXTENSION', depth)
      this.#process(facts, depth, extensions ?? NO_POLICIES)
      this.#demand(depth, this.#level.size > 0)
      if (depth > 0) this.#prepareNext(facts, depth, extensions ?? NO_POLICIES)
      else this.#wrapUp(extensions ?? NO_POLICIES)
    }
    const policies = this.#constrained()
    this.#demand(0, policies.length > 0)
    return policies
  }

  /** Section 6.1.3 (d), (e). */
  #process(facts: CertificateFacts, depth: number, { policies }: PolicyExtensions): void {
    const anyCounts = this.#inhibitAnyPolicy > 0 || (depth > 0 && facts.selfIssued)
    this.#level = policies === undefined ? new Map() : nextLevel(this.#level, policies, anyCounts)
  }

  /** Section 6.1.3 (f); told once. */
  #demand(depth: number, found: boolean): void {
    if (this.#explicitPolicy > 0 || found || this.#missing) return
    this.#report('NO_EXPLICIT_POLICY', depth)
    this.#missing = true
  }

  /** Section 6.1.4 (a), (b), (h) to (j). */
  #prepareNext({ selfIssued }: CertificateFacts, depth: number, extensions: PolicyExtensions): void {
    const { mappings = [], requireExplicitPolicy, inhibitPolicyMapping, inhibitAnyPolicy } = extensions
    if (mappings.flat().includes(ANY_POLICY)) this.#report('INVALID_POLICY_EXTENSION', depth, 'a mapping of any policy')
    this.#level = mapPolicies(this.#level, mappings, this.#policyMapping > 0)
    const step = selfIssued ? 0 : 1
    this.#explicitPolicy = lower(this.#explicitPolicy - step, requireExplicitPolicy)
    this.#policyMapping = lower(this.#policyMapping - step, inhibitPolicyMapping)
    this.#inhibitAnyPolicy = lower(this.#inhibitAnyPolicy - step, inhibitAnyPolicy)
  }

  /** Section 6.1.5 (a), (b). */
  #wrapUp({ requireExplicitPolicy }: PolicyExtensions): void {
    this.#explicitPolicy = lower(this.#explicitPolicy - 1, requireExplicitPolicy === 0 ? 0 : undefined)
  }

  /** Section 6.1.5 (g): the intersection with the initial set. */
  #constrained(): readonly string[] {
    const found = rootPolicies(this.#level)
    const { initialPolicySet } = this.#inputs
    if (initialPolicySet === undefined || initialPolicySet.includes(ANY_POLICY)) return [...found]
    return initialPolicySet.filter((policy) => found.has(policy) || found.has(ANY_POLICY))
  }
}

/** A malformed extension counts as an absent one, beside its failure. */
const NO_POLICIES: PolicyExtensions = {
  policies: undefined,
  mappings: undefined,
  requireExplicitPolicy: undefined,
  inhibitPolicyMapping: undefined,
  inhibitAnyPolicy: undefined,
}

function lower(count: number, limit: number | undefined): number {
  return Math.max(0, Math.min(count, limit ?? count))
}
