import { ExtensionId, type GeneralNameView, readNameConstraints } from '@x/der/x509'
import { attempt } from './attempt.ts'
import type { CertificateFacts } from './certificate-facts.ts'
import type { PathCode } from './codes.ts'
import { constrainedNames, type HostNameRule } from './constrained-names.ts'
import { describeName, SUBTREE_RULES } from './subtrees.ts'

/** The constraints of one CA, by type of name; bases are parsed once. */
type Subtrees = ReadonlyMap<number, { readonly permitted: readonly Base[]; readonly excluded: readonly Base[] }>

interface Base {
  /** undefined: malformed. */
  readonly parsed: unknown
  readonly view: GeneralNameView
}

interface Constraints {
  readonly subtrees: Subtrees
  readonly count: number
}

export type ReportAt = (code: PathCode, depth: number, detail?: string) => void

/**
 * Holds the names of every certificate against the constraints of those above it (RFC 5280 section 6.1.3 (b), (c)), the
 * anchor's too. Self-issued intermediates are passed over. `spend` is asked before names are compared; where it refuses, so do we.
 */
export function checkNameConstraints(
  path: readonly CertificateFacts[],
  hosts: HostNameRule,
  spend: (comparisons: number) => boolean,
  report: ReportAt,
): void {
  const constraints = path.map((facts, depth) => {
    const read = readConstraints(facts)
    if (read === 'malformed') report('INVALID_EXTENSION', depth, 'its name constraints are malformed or empty')
    return read
  })
  for (const [depth, facts] of path.entries()) {
    const above = constraints.slice(depth + 1).filter((one) => typeof one === 'object')
    if (above.length === 0) return
    if (depth > 0 && facts.selfIssued) continue
    const names = constrainedNames(facts, depth === 0 ? hosts : undefined)
    if (names === undefined) {
      report('UNSUPPORTED_NAME_SYNTAX', depth, 'its subject is malformed')
      continue
    }
    for (const { subtrees, count } of above) {
      if (!spend(names.length * count))
        return report('ERR_SECURE_SOCKET_CHAIN_LIMIT', depth, `${names.length} names, ${count} name constraints`)
      for (const name of names) checkName(name, subtrees, (code, detail) => report(code, depth, detail))
    }
  }
}

function checkName(view: GeneralNameView, subtrees: Subtrees, report: (code: PathCode, detail: string) => void): void {
  const constrained = subtrees.get(view.tag)
  if (constrained === undefined) return
  const rule = SUBTREE_RULES[view.tag]
  if (rule === undefined) return report('UNSUPPORTED_CONSTRAINT_TYPE', describeName(view))
  const { permitted, excluded } = constrained
  const malformed = [...permitted, ...excluded].find(({ parsed }) => parsed === undefined)
  if (malformed !== undefined) return report('UNSUPPORTED_CONSTRAINT_SYNTAX', describeName(malformed.view))
  const name = rule.name(view.value)
  if (name === undefined) return report('UNSUPPORTED_NAME_SYNTAX', describeName(view))
  if (permitted.length > 0 && !permitted.some(({ parsed }) => rule.within(name, parsed)))
    report('PERMITTED_VIOLATION', describeName(view))
  if (excluded.some(({ parsed }) => (rule.touches ?? rule.within)(name, parsed)))
    report('EXCLUDED_VIOLATION', describeName(view))
}

const remembered = new WeakMap<CertificateFacts, Constraints | 'malformed' | 'none'>()

function readConstraints(facts: CertificateFacts): Constraints | 'malformed' | 'none' {
  let constraints = remembered.get(facts)
  if (constraints === undefined) {
    const extension = facts.extension(ExtensionId.NAME_CONSTRAINTS)
    constraints = extension === undefined ? 'none' : parse(extension.value)
    remembered.set(facts, constraints)
  }
  return constraints
}

/** RFC 5280 section 4.2.1.10: an empty sequence is forbidden. */
function parse(value: Uint8Array): Constraints | 'malformed' {
  const read = attempt(() => readNameConstraints(value))
  if (read === undefined) return 'malformed'
  const { permitted, excluded } = read
  const count = permitted.length + excluded.length
  if (count === 0) return 'malformed'
  const subtrees = new Map<number, { permitted: Base[]; excluded: Base[] }>()
  for (const [list, views] of Object.entries({ permitted, excluded }) as [
    'permitted' | 'excluded',
    readonly GeneralNameView[],
  ][])
    for (const view of views) {
      const group = subtrees.get(view.tag) ?? { permitted: [], excluded: [] }
      group[list].push({ parsed: SUBTREE_RULES[view.tag]?.base(view.value), view })
      subtrees.set(view.tag, group)
    }
  return { subtrees, count }
}
