import { memberOfClass } from '@x/der'
import { HostnameVerificationError, invalidArgument, quoted } from './errors.ts'
import type { PresentedName } from './presented-names.ts'

/** Where a `*` may stand: nowhere, as the whole leftmost label, or as a part of it too. */
export type WildcardRule = 'none' | 'whole-label' | 'within-label'

/** By which rules a name is compared with a certificate. What is left out of the first four is the strictest choice. */
export interface Scheme {
  /** In dNSName entries of the subjectAltName (the original's `wildcards_in_alt`). Default 'none'. */
  readonly sanWildcard?: WildcardRule
  /** In the subject's common name (`wildcards_in_cn`). Default 'none'. */
  readonly commonNameWildcard?: WildcardRule
  /** Whether the subject's common name counts (`check_cn`). Default 'never'. */
  readonly commonName?: 'never' | 'when-no-dns-name' | 'always'
  /** Whether it may hold an IP address (`ip_in_cn`). Default 'never'. */
  readonly ipInCommonName?: 'never' | 'ipv4' | 'ipv6' | 'any'
  /**
   * 'lenient': trailing dots on both sides and blanks around a SAN are ignored. 'strict': a presented name counts as it
   * stands; a host has at most one trailing dot, no number as its last label, and IPv6 in lower case. Default 'lenient'.
   */
  readonly spelling?: 'lenient' | 'strict'
}

/**
 * Decides alone; only `true` accepts. Gets the host without trailing dots, the first common name (undefined where there
 * is none) and every entry of the subjectAltName. Synchronous: a Promise is a TypeError.
 */
export type SchemeCallback = (
  hostname: string,
  commonName: string | undefined,
  subjectAltNames: readonly PresentedName[],
) => boolean

export type SchemeName =
  | 'default'
  | 'http'
  | 'www'
  | 'rfc2818'
  | 'rfc3920'
  | 'xmpp'
  | 'rfc4217'
  | 'ftp'
  | 'rfc4513'
  | 'ldap'
  | 'rfc2595'
  | 'smtp'
  | 'rfc4642'
  | 'imap'
  | 'pop3'
  | 'acap'
  | 'rfc5539'
  | 'nntp'
  | 'rfc5538'
  | 'netconf'
  | 'rfc5425'
  | 'syslog'
  | 'rfc5953'
  | 'snmp'
  | 'rfc5971'
  | 'gist'
  | 'rfc5922'
  | 'sip'
  | 'rfc9525'
  | 'none'

function row(
  sanWildcard: WildcardRule,
  commonNameWildcard: WildcardRule,
  commonName: 'never' | 'when-no-dns-name' | 'always',
  ipInCommonName: 'never' | 'ipv4' | 'ipv6' | 'any',
  spelling: 'lenient' | 'strict' = 'lenient',
): Required<Scheme> {
  return Object.freeze({ sanWildcard, commonNameWildcard, commonName, ipInCommonName, spelling })
}

/** The superset of all others, for when the protocol is not known (the original's 'default'). */
const anyProtocol = row('within-label', 'within-label', 'always', 'any')
/** RFC 2818 section 3.1, and an IPv4 address in the common name, as browsers long accepted it. */
const http = row('within-label', 'within-label', 'when-no-dns-name', 'ipv4')
/** RFC 2818 section 3.1; RFC 3920 section 14.2 refers to it, and RFC 4217 leaves the matter open. */
const likeHttp = row('within-label', 'within-label', 'when-no-dns-name', 'never')
/** RFC 4513 section 3.1.3. */
const ldap = row('whole-label', 'none', 'always', 'never')
/**
 * RFC 2595 section 2.4, which RFC 4642 section 5, RFC 5425 section 5.2 and others repeat. Which protocol goes with which
 * number is the original's word: RFC 4642 is NNTP's, RFC 5539 NETCONF's, but they share this row.
 */
const mail = row('whole-label', 'whole-label', 'always', 'never')
/** RFC 5971 section 5.7.3.1. */
const gist = row('whole-label', 'whole-label', 'when-no-dns-name', 'never')
/** RFC 5922 section 7.2: no wildcards. */
const sip = row('none', 'none', 'always', 'never')
/** RFC 9525 section 6.3: whole-label wildcards in SANs, no common name at all, names as they stand. Ours. */
const rfc9525 = row('whole-label', 'none', 'never', 'never', 'strict')
/** Nothing is compared: every certificate is accepted for every name. Only the name 'none' means that, never this row. */
const none = row('none', 'none', 'never', 'never')

/** The table: one row per protocol, by its name and its RFC's. Aliases share a row. */
export const schemes: Readonly<Record<SchemeName, Required<Scheme>>> = Object.freeze({
  // Without a prototype the table knows no 'constructor'.
  __proto__: null,
  default: anyProtocol,
  http,
  www: http,
  rfc2818: likeHttp,
  rfc3920: likeHttp,
  xmpp: likeHttp,
  rfc4217: likeHttp,
  ftp: likeHttp,
  rfc4513: ldap,
  ldap,
  rfc2595: mail,
  smtp: mail,
  rfc4642: mail,
  imap: mail,
  pop3: mail,
  acap: mail,
  rfc5539: mail,
  nntp: mail,
  rfc5538: mail,
  netconf: mail,
  rfc5425: mail,
  syslog: mail,
  rfc5953: mail,
  snmp: mail,
  rfc5971: gist,
  gist,
  rfc5922: sip,
  sip,
  rfc9525,
  none,
} as Record<SchemeName, Required<Scheme>>)

/** What a `scheme` option comes to. */
export type ResolvedScheme =
  | { readonly kind: 'rules'; readonly name: SchemeName | 'custom'; readonly rules: Required<Scheme> }
  | { readonly kind: 'callback'; readonly name: 'callback'; readonly callback: SchemeCallback }
  | { readonly kind: 'none'; readonly name: 'none' }

/** Names that only the oldest manuals have, and what means the same today. */
const obsolete: ReadonlyMap<string, SchemeName> = new Map<string, SchemeName>([
  ['rfc3207', 'smtp'],
  ['rfc2995', 'imap'],
])

const DEFAULT: ResolvedScheme = { kind: 'rules', name: 'default', rules: schemes.default }

/**
 * @throws HostnameVerificationError ERR_HOSTNAME_OBSOLETE_SCHEME for a name of the oldest manuals.
 * @throws TypeError ERR_INVALID_ARG_VALUE or ERR_INVALID_ARG_TYPE for anything that is no scheme.
 */
export function resolveScheme(scheme: unknown): ResolvedScheme {
  if (scheme === undefined || scheme === 'default') return DEFAULT
  if (scheme === 'none') return { kind: 'none', name: 'none' }
  if (typeof scheme === 'string') {
    const rules = schemes[scheme as SchemeName] as Required<Scheme> | undefined
    if (rules !== undefined) return { kind: 'rules', name: scheme as SchemeName, rules }
    const today = obsolete.get(scheme)
    if (today === undefined)
      throw invalidArgument('ERR_INVALID_ARG_VALUE', `options.scheme: there is no scheme ${quoted(scheme)}`)
    throw new HostnameVerificationError(
      'ERR_HOSTNAME_OBSOLETE_SCHEME',
      `The scheme ${scheme} is gone; what it meant is '${today}' today`,
      { scheme },
    )
  }
  if (typeof scheme === 'function') return { kind: 'callback', name: 'callback', callback: scheme as SchemeCallback }
  if (typeof scheme === 'object' && scheme !== null && !Array.isArray(scheme))
    return { kind: 'rules', name: 'custom', rules: customRules(scheme as Record<string, unknown>) }
  throw invalidArgument('ERR_INVALID_ARG_TYPE', 'options.scheme must be the name of a scheme, a Scheme or a function')
}

const wildcardRules: readonly unknown[] = ['none', 'whole-label', 'within-label']
const fields: Readonly<Record<keyof Scheme, readonly unknown[]>> = {
  sanWildcard: wildcardRules,
  commonNameWildcard: wildcardRules,
  commonName: ['never', 'when-no-dns-name', 'always'],
  ipInCommonName: ['never', 'ipv4', 'ipv6', 'any'],
  spelling: ['lenient', 'strict'],
}

function customRules(scheme: Record<string, unknown>): Required<Scheme> {
  for (const key in scheme) {
    const allowed = Object.hasOwn(fields, key) && Object.hasOwn(scheme, key) ? fields[key as keyof Scheme] : undefined
    if (allowed === undefined)
      throw invalidArgument('ERR_INVALID_ARG_VALUE', `options.scheme: unknown field ${quoted(key)}`)
    if (scheme[key] !== undefined && !allowed.includes(scheme[key]))
      throw invalidArgument('ERR_INVALID_ARG_VALUE', `options.scheme.${key} must be one of ${allowed.join(', ')}`)
  }
  const member = memberOfClass(scheme)
  if (member !== undefined)
    throw invalidArgument('ERR_INVALID_ARG_VALUE', `options.scheme: unknown field ${quoted(member)}`)
  const { sanWildcard, commonNameWildcard, commonName, ipInCommonName, spelling } = scheme as Scheme
  return {
    sanWildcard: sanWildcard ?? 'none',
    commonNameWildcard: commonNameWildcard ?? 'none',
    commonName: commonName ?? 'never',
    ipInCommonName: ipInCommonName ?? 'never',
    spelling: spelling ?? 'lenient',
  }
}
