import type { MismatchReason } from './errors.ts'
import type { HostIdentity } from './host-identity.ts'
import { matchDnsName } from './match-dns-name.ts'
import { sameAddress } from './match-ip-address.ts'
import type { Policy } from './options.ts'
import type { PresentedName } from './presented-names.ts'
import type { Scheme } from './schemes.ts'

/** Compares one entry of the subjectAltName; each kind of host with its own kind of entry and no other. */
export function matchAltName(
  entry: PresentedName,
  host: Exclude<HostIdentity, { kind: 'invalid' }>,
  policy: Policy,
  rules: Required<Scheme>,
): 'exact' | 'wildcard' | MismatchReason {
  if (entry.type === 'dns') {
    if (host.kind === 'ip') return 'an IP address is never matched by a DNS name'
    const { text } = entry
    const strict = rules.spelling === 'strict'
    if (strict && text.endsWith('.')) return 'trailing dot not allowed by the scheme'
    const result = matchDnsName(strict ? text : withoutSpaces(text), host, rules.sanWildcard)
    return result === 'wildcard' && !policy.wildcardGuard(host.name) ? 'wildcard spans the registrable domain' : result
  }
  if (entry.type === 'ip') {
    if (host.kind === 'dns') return 'a host name is never matched by an IP address'
    const { raw } = entry
    if (raw.length !== 4 && raw.length !== 16) return 'not an address of 4 or 16 bytes'
    return sameAddress(raw, host.address) ? 'exact' : 'different address'
  }
  return 'kind of name that is not compared'
}

/** As the original does, but blanks only: a tab or a newline is a control character, and such a name never matches. */
function withoutSpaces(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && text.charCodeAt(start) === 0x20) start++
  while (start < end && text.charCodeAt(end - 1) === 0x20) end--
  return start === 0 && end === text.length ? text : text.slice(start, end)
}
