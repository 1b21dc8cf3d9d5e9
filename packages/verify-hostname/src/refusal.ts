import { matchAltName } from './alternative-names.ts'
import { commonNameRuledOut, matchCommonName } from './common-name.ts'
import {
  type HostnameErrorCode,
  HostnameVerificationError,
  type MismatchReason,
  type NameInError,
  type NameMismatch,
  quoted,
} from './errors.ts'
import type { HostIdentity } from './host-identity.ts'
import type { Policy } from './options.ts'
import { type CertificateNames, type PresentedName, readCommonName } from './presented-names.ts'

/** What was asked. */
export interface Claim {
  readonly certificate: unknown
  readonly hostname: string
  readonly policy: Policy
}

/** Why the answer is no, with all that an error needs to tell it. */
export interface Refusal extends Claim {
  readonly code: HostnameErrorCode
  readonly names?: CertificateNames
  readonly host?: HostIdentity
  readonly cause?: unknown
}

/** The error a refusal comes to; its `cause` is Node's own error for a wrong name, or what went wrong before. */
export function refusalError(refusal: Refusal): HostnameVerificationError {
  const details = detailsOf(refusal)
  const reason = sentence(refusal, details.reasons)
  const cause = refusal.cause ?? new HostnameVerificationError('ERR_TLS_CERT_ALTNAME_INVALID', reason, details)
  return new HostnameVerificationError(refusal.code, reason, { ...details, cause })
}

function detailsOf(refusal: Refusal): {
  host: string
  scheme: string
  presented: NameInError[]
  reasons: NameMismatch[]
  cert: unknown
} {
  const { hostname, policy, names, host, certificate } = refusal
  const presented = names === undefined ? [] : everyName(names)
  return {
    host: hostname,
    scheme: policy.scheme.name,
    presented: presented.map(({ type, value }) => ({ type, value })),
    reasons:
      names === undefined || host === undefined || host.kind === 'invalid'
        ? []
        : reasonsOf(presented, host, policy, names),
    cert: certificate,
  }
}

function everyName(names: CertificateNames): readonly PresentedName[] {
  try {
    const commonName = readCommonName(names)
    return commonName === undefined ? names.altNames : [...names.altNames, commonName]
  } catch {
    return names.altNames // a subject that cannot be decoded presents nothing
  }
}

/** Compares again, by the same functions as the verdict, this time keeping what each said. */
function reasonsOf(
  presented: readonly PresentedName[],
  host: Exclude<HostIdentity, { kind: 'invalid' }>,
  policy: Policy,
  names: CertificateNames,
): NameMismatch[] {
  const { scheme } = policy
  if (scheme.kind !== 'rules') return []
  const { rules } = scheme
  const ruledOut = commonNameRuledOut(rules, host, names.altNames)
  const reasons: NameMismatch[] = []
  for (const name of presented) {
    const isCommonName = name.type === 'common-name'
    const result = isCommonName
      ? (ruledOut ?? matchCommonName(name, host, policy, rules))
      : matchAltName(name, host, policy, rules)
    if (result === 'exact' || result === 'wildcard') continue
    reasons.push({
      type: name.type,
      value: name.value,
      reason: result === 'different name' ? whyDifferent(name) : result,
    })
  }
  return reasons
}

/** A name that can match no host at all is said to be so. */
function whyDifferent(name: PresentedName): MismatchReason {
  for (const character of name.text) {
    const code = character.charCodeAt(0)
    if (code < 0x20 || code === 0x7f) return 'control character in the name'
    if (code > 0x7f) return 'name is not ASCII'
  }
  return /^\.|\.\./.test(name.text.trim()) ? 'empty label in the name' : 'different name'
}

/** How many names a message lists; `reasons` has them all. */
const LISTED = 5

function sentence(refusal: Refusal, reasons: readonly NameMismatch[]): string {
  const host = quoted(refusal.hostname)
  if (refusal.code === 'ERR_HOSTNAME_INVALID_HOST')
    return `${host} cannot be verified: ${refusal.host?.kind === 'invalid' ? refusal.host.why : 'it is no host name'}`
  if (refusal.code === 'ERR_HOSTNAME_INVALID_CERTIFICATE')
    return `The certificate cannot be decoded, so it does not belong to ${host}`
  if (refusal.code === 'ERR_HOSTNAME_CALLBACK_REFUSED') return `The callback did not accept the certificate for ${host}`
  return `The certificate does not belong to ${host} by the rules of ${refusal.policy.scheme.name}: ${listed(reasons)}`
}

function listed(reasons: readonly NameMismatch[]): string {
  if (reasons.length === 0) return 'it presents no name'
  const shown = reasons.slice(0, LISTED).map(({ type, value, reason }) => `${type} ${quoted(value)} (${reason})`)
  const more = reasons.length - shown.length
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '')
}
