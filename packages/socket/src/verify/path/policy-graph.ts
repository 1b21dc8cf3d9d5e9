import { ANY_POLICY } from './policy-extensions.ts'

/**
 * One node of the valid policy graph (RFC 9618 section 3): unlike the tree of RFC 5280 it has at most one node per policy and
 * certificate, so that its size grows with the certificates and not exponentially with their number.
 */
export interface PolicyNode {
  readonly policy: string
  /** What certificates below may call it. */
  readonly expected: ReadonlySet<string>
  readonly parents: readonly PolicyNode[]
}

/** The nodes of one certificate, by policy. Empty: the graph is null. */
export type Level = ReadonlyMap<string, PolicyNode>

/** Section 6.1.2 (a): one node, for any policy. */
export function initialLevel(): Level {
  return new Map([[ANY_POLICY, node(ANY_POLICY, [])]])
}

/** Section 6.1.3 (d): the nodes of a certificate that has these policies. */
export function nextLevel(above: Level, policies: ReadonlySet<string>, anyCounts: boolean): Level {
  const expecting = byExpectation(above)
  const any = above.get(ANY_POLICY)
  const level = new Map<string, PolicyNode>()
  for (const policy of policies) {
    if (policy === ANY_POLICY) continue
    const parents = expecting.get(policy) ?? (any === undefined ? [] : [any])
    if (parents.length > 0) level.set(policy, node(policy, parents))
  }
  if (policies.has(ANY_POLICY) && anyCounts)
    for (const [policy, parents] of expecting) if (!level.has(policy)) level.set(policy, node(policy, parents))
  return level
}

/** Section 6.1.4 (b): what the certificates below call the policies; where mapping is forbidden, the mapped ones go. */
export function mapPolicies(level: Level, mappings: readonly (readonly [string, string])[], allowed: boolean): Level {
  if (mappings.length === 0) return level
  const subjects = new Map<string, Set<string>>()
  for (const [issuer, subject] of mappings) subjects.set(issuer, (subjects.get(issuer) ?? new Set()).add(subject))
  const mapped = new Map(level)
  const any = level.get(ANY_POLICY)
  for (const [policy, expected] of subjects) {
    const parents = level.get(policy)?.parents ?? any?.parents
    if (!allowed) mapped.delete(policy)
    else if (parents !== undefined) mapped.set(policy, { policy, expected, parents })
  }
  return mapped
}

/** The policies, in the words of the anchor's domain, from which the last level can be reached. */
export function rootPolicies(level: Level): ReadonlySet<string> {
  const found = new Set<string>()
  if (level.has(ANY_POLICY)) found.add(ANY_POLICY)
  const seen = new Set<PolicyNode>(level.values())
  for (const one of seen) {
    // a set is iterated with what is added meanwhile
    if (one.policy !== ANY_POLICY && one.parents.some(({ policy }) => policy === ANY_POLICY)) found.add(one.policy)
    for (const parent of one.parents) seen.add(parent)
  }
  return found
}

function node(policy: string, parents: readonly PolicyNode[]): PolicyNode {
  return { policy, expected: new Set([policy]), parents }
}

function byExpectation(level: Level): ReadonlyMap<string, readonly PolicyNode[]> {
  const expecting = new Map<string, PolicyNode[]>()
  for (const one of level.values())
    for (const policy of one.expected) {
      const nodes = expecting.get(policy)
      if (nodes === undefined) expecting.set(policy, [one])
      else nodes.push(one)
    }
  return expecting
}
