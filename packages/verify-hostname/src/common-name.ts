import type { MismatchReason } from './errors.ts'
import type { HostIdentity } from './host-identity.ts'
import { matchDnsName } from './match-dns-name.ts'
import type { Policy } from './options.ts'
import type { PresentedName } from './presented-names.ts'
import type { Scheme } from './schemes.ts'

/**
 * Why the common name does not count for this host under these rules; undefined where it does.
 * RFC 2818 section 3.1: "If a subjectAltName extension of type dNSName is present, that MUST be used as the identity."
 */
export function commonNameRuledOut(
  rules: Required<Scheme>,
  host: HostIdentity,
  altNames: readonly PresentedName[],
): MismatchReason | undefined {
  if (rules.commonName === 'never') return 'common name not used by the scheme'
  if (host.kind === 'ip') {
    const { ipInCommonName } = rules
    const allowed = ipInCommonName === 'any' || ipInCommonName === (host.address.length === 4 ? 'ipv4' : 'ipv6')
    if (!allowed) return 'IP address in the common name not allowed by the scheme'
  }
  if (rules.commonName === 'always') return undefined
  // The original counts no names at all for an IP address, and so takes the common name beside any SAN.
  const rulesOut = (name: PresentedName): boolean => name.type === 'dns' || (host.kind === 'ip' && name.type === 'ip')
  return altNames.some(rulesOut) ? 'common name ruled out by the alternative names' : undefined
}

/** Compares the common name, white space and all; an IP address as the text that was asked for, without wildcards. */
export function matchCommonName(
  commonName: PresentedName,
  host: Exclude<HostIdentity, { kind: 'invalid' }>,
  policy: Policy,
  rules: Required<Scheme>,
): 'exact' | 'wildcard' | MismatchReason {
  const text = commonName.text
  if (host.kind === 'ip') return text === host.text ? 'exact' : 'different address'
  const result = matchDnsName(text, host, rules.commonNameWildcard)
  return result === 'wildcard' && !policy.wildcardGuard(host.name) ? 'wildcard spans the registrable domain' : result
}
