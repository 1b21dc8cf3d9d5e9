import { isDerError } from '@x/der'
import { matchAltName } from './alternative-names.ts'
import { type CertificateInput, certificateDer } from './certificate-input.ts'
import { commonNameRuledOut, matchCommonName } from './common-name.ts'
import { invalidArgument } from './errors.ts'
import { parseHost, withoutTrailingDots } from './host-identity.ts'
import { type Policy, resolvePolicy, type VerifyHostnameOptions } from './options.ts'
import { type CertificateNames, readCertificateNames, readCommonName } from './presented-names.ts'
import { type Claim, type Refusal, refusalError } from './refusal.ts'
import type { ResolvedScheme, SchemeCallback, SchemeName } from './schemes.ts'

/** The evidence: which name of the certificate stands for the host, and by which rules. */
export interface HostnameMatch {
  /** As it was given, without trailing dots. */
  readonly host: string
  /** Name of the scheme as given; 'custom' for a Scheme of one's own, 'callback' for a callback. */
  readonly scheme: SchemeName | 'custom' | 'callback'
  /** Kind of the name that matched; 'callback' where a callback accepted, 'none' where nothing was compared. */
  readonly type: 'dns' | 'ip' | 'common-name' | 'callback' | 'none'
  /** The name that matched, as the certificate has it; undefined with 'callback' and 'none'. */
  readonly entry: string | undefined
  /** Whether it matched by its wildcard. */
  readonly wildcard: boolean
}

/**
 * Checks that a certificate belongs to a host name or IP address, by the rules of a protocol (the original's
 * `verify_hostname_of_cert`; RFC 6125 section 6, RFC 9525 section 6).
 * Not checked: whether the certificate is trusted, valid today, revoked, or meant for servers.
 *
 * @param certificate PEM, DER, an X509Certificate or a node:tls peer certificate (its `raw` counts).
 * @param hostname as one would resolve it: no port, no brackets; U-labels are converted.
 * @throws HostnameVerificationError ERR_HOSTNAME_MISMATCH with host, scheme, the names presented and why each did not
 *   match; ERR_HOSTNAME_INVALID_HOST, ERR_HOSTNAME_INVALID_CERTIFICATE, ERR_HOSTNAME_CALLBACK_REFUSED,
 *   ERR_HOSTNAME_OBSOLETE_SCHEME, ERR_HOSTNAME_SUFFIX_LIST.
 * @throws TypeError ERR_INVALID_ARG_TYPE or ERR_INVALID_ARG_VALUE for misuse; it names the argument.
 */
export function verifyHostname(
  certificate: CertificateInput,
  hostname: string,
  options?: VerifyHostnameOptions,
): HostnameMatch {
  const verdict = judge(certificate, hostname, resolvePolicy(options))
  if ('code' in verdict) throw refusalError(verdict)
  return verdict
}

/**
 * Like {@link verifyHostname}, but undefined where the certificate does not belong to the host, whatever the reason.
 * @throws TypeError and HostnameVerificationError only for misuse: ERR_HOSTNAME_OBSOLETE_SCHEME, ERR_HOSTNAME_SUFFIX_LIST.
 */
export function matchHostname(
  certificate: CertificateInput,
  hostname: string,
  options?: VerifyHostnameOptions,
): HostnameMatch | undefined {
  const verdict = judge(certificate, hostname, resolvePolicy(options))
  return 'code' in verdict ? undefined : verdict
}

/** The verdict. A refusal is no Error yet: that is made only where someone looks at it. */
export function judge(certificate: CertificateInput, hostname: string, policy: Policy): HostnameMatch | Refusal {
  if (typeof hostname !== 'string') throw invalidArgument('ERR_INVALID_ARG_TYPE', 'hostname must be a string')
  const { scheme } = policy
  if (scheme.kind === 'none')
    return { host: withoutTrailingDots(hostname), scheme: 'none', type: 'none', entry: undefined, wildcard: false }
  const der = certificateDer(certificate)
  const claim: Claim = { certificate, hostname, policy }
  if (der === undefined) return { ...claim, code: 'ERR_HOSTNAME_INVALID_CERTIFICATE' }
  try {
    const names = readCertificateNames(der)
    return scheme.kind === 'callback' ? askCallback(scheme.callback, names, claim) : compare(scheme, names, claim)
  } catch (cause) {
    if (!isDerError(cause)) throw cause
    return { ...claim, code: 'ERR_HOSTNAME_INVALID_CERTIFICATE', cause }
  }
}

/** The steps in order (RFC 6125 section 6.4): alternative names of the host's own kind, then perhaps the common name. */
function compare(
  scheme: ResolvedScheme & { kind: 'rules' },
  names: CertificateNames,
  claim: Claim,
): HostnameMatch | Refusal {
  const host = parseHost(claim.hostname, scheme.rules.spelling)
  if (host.kind === 'invalid') return { ...claim, code: 'ERR_HOSTNAME_INVALID_HOST', names, host }
  const { rules, name } = scheme
  for (const entry of names.altNames) {
    const result = matchAltName(entry, host, claim.policy, rules)
    if (result === 'exact' || result === 'wildcard')
      return { host: host.text, scheme: name, type: host.kind, entry: entry.value, wildcard: result === 'wildcard' }
  }
  if (commonNameRuledOut(rules, host, names.altNames) === undefined) {
    const commonName = readCommonName(names)
    if (commonName !== undefined) {
      const result = matchCommonName(commonName, host, claim.policy, rules)
      if (result === 'exact' || result === 'wildcard')
        return {
          host: host.text,
          scheme: name,
          type: 'common-name',
          entry: commonName.value,
          wildcard: result === 'wildcard',
        }
    }
  }
  return { ...claim, code: 'ERR_HOSTNAME_MISMATCH', names, host }
}

/** Only `true` accepts, a throw refuses, and a Promise is a mistake to be told of. */
function askCallback(callback: SchemeCallback, names: CertificateNames, claim: Claim): HostnameMatch | Refusal {
  const host = withoutTrailingDots(claim.hostname)
  const commonName = readCommonName(names)?.value
  let answer: unknown
  try {
    answer = callback(host, commonName, names.altNames)
  } catch (cause) {
    return { ...claim, code: 'ERR_HOSTNAME_CALLBACK_REFUSED', names, cause }
  }
  if (answer === true) return { host, scheme: 'callback', type: 'callback', entry: undefined, wildcard: false }
  if (typeof answer === 'object' && answer !== null && 'then' in answer) {
    // Its rejection has no one else to handle it.
    Promise.resolve(answer).catch(() => {})
    throw invalidArgument(
      'ERR_INVALID_ARG_VALUE',
      'options.scheme: the callback must answer at once, not with a Promise',
    )
  }
  return { ...claim, code: 'ERR_HOSTNAME_CALLBACK_REFUSED', names }
}
