import { ExtensionId } from '@x/der/x509'
import { contextTag, DerCursor, openDer, readOid, readSmallInteger, Tag } from '@x/der'
import { attempt } from './attempt.ts'
import type { CertificateFacts } from './certificate-facts.ts'

/** The dotted OID that stands for every policy (RFC 5280 section 4.2.1.4). */
export const ANY_POLICY = '2.5.29.32.0'

/** What a certificate says of policies; undefined where an extension is absent. */
export interface PolicyExtensions {
  readonly policies: ReadonlySet<string> | undefined
  /** From the issuer's policy to the subject's. */
  readonly mappings: readonly (readonly [issuer: string, subject: string])[] | undefined
  readonly requireExplicitPolicy: number | undefined
  readonly inhibitPolicyMapping: number | undefined
  readonly inhibitAnyPolicy: number | undefined
}

/** Reads the four extensions of RFC 5280 sections 4.2.1.4, 5, 11 and 14; undefined where one is malformed. Qualifiers are passed over. */
export function readPolicyExtensions(facts: CertificateFacts): PolicyExtensions | undefined {
  return attempt(() => {
    const value = (oid: string): Uint8Array | undefined => facts.extension(oid)?.value
    const policies = read(value(ExtensionId.CERTIFICATE_POLICIES), readPolicies)
    if (policies === 'twice') return undefined
    const constraints = read(value(ExtensionId.POLICY_CONSTRAINTS), readConstraints)
    return {
      policies,
      mappings: read(value(ExtensionId.POLICY_MAPPINGS), readMappings),
      requireExplicitPolicy: constraints?.requireExplicitPolicy,
      inhibitPolicyMapping: constraints?.inhibitPolicyMapping,
      inhibitAnyPolicy: read(value(ExtensionId.INHIBIT_ANY_POLICY), readSkip),
    }
  })
}

/** Whether a certificate says anything that can make a path invalid although nobody asks for a policy. */
export function constrainsPolicies(facts: CertificateFacts): boolean {
  return facts.extensions.some(
    ({ oid, critical }) => DEMANDING.has(oid) || (critical && oid === ExtensionId.CERTIFICATE_POLICIES),
  )
}

const DEMANDING: ReadonlySet<string> = new Set([
  ExtensionId.POLICY_CONSTRAINTS,
  ExtensionId.POLICY_MAPPINGS,
  ExtensionId.INHIBIT_ANY_POLICY,
])

function read<T>(value: Uint8Array | undefined, reader: (value: Uint8Array) => T): T | undefined {
  return value === undefined ? undefined : reader(value)
}

/** "A certificate policy OID MUST NOT appear more than once." */
function readPolicies(value: Uint8Array): ReadonlySet<string> | 'twice' {
  const list = openDer(value)
  const policies = new Set<string>()
  do {
    const fields = list.enterExpected(Tag.SEQUENCE)
    const policy = readOid(fields.expect(Tag.OID))
    fields.optional(Tag.SEQUENCE)
    fields.finish()
    if (policies.has(policy)) return 'twice'
    policies.add(policy)
  } while (!list.done)
  return policies
}

function readMappings(value: Uint8Array): (readonly [string, string])[] {
  const list = openDer(value)
  const mappings: (readonly [string, string])[] = []
  do {
    const fields = list.enterExpected(Tag.SEQUENCE)
    const issuer = readOid(fields.expect(Tag.OID))
    mappings.push([issuer, readOid(fields.expect(Tag.OID))])
    fields.finish()
  } while (!list.done)
  return mappings
}

function readConstraints(value: Uint8Array): Pick<PolicyExtensions, 'requireExplicitPolicy' | 'inhibitPolicyMapping'> {
  const fields = openDer(value)
  const requireExplicitPolicy = optionalSkip(fields, contextTag(0))
  const inhibitPolicyMapping = optionalSkip(fields, contextTag(1))
  if (requireExplicitPolicy === undefined && inhibitPolicyMapping === undefined) fields.next() // refused: it is empty
  fields.finish()
  return { requireExplicitPolicy, inhibitPolicyMapping }
}

function optionalSkip(fields: DerCursor, tag: number): number | undefined {
  return fields.optional(tag) ? skipCount(fields) : undefined
}

function readSkip(value: Uint8Array): number {
  const cursor = new DerCursor(value)
  const count = skipCount(cursor.expect(Tag.INTEGER))
  cursor.finish()
  return count
}

/** SkipCerts: not negative. */
function skipCount(cursor: DerCursor): number {
  const count = readSmallInteger(cursor)
  return count < 0 ? 0 : count
}
