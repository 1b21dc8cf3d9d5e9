import { memberOfClass } from '@x/der'
import { HostnameVerificationError, invalidArgument, quoted } from './errors.ts'
import { PublicSuffixList } from './public-suffix.ts'
import { type ResolvedScheme, resolveScheme, type Scheme, type SchemeCallback, type SchemeName } from './schemes.ts'

/** Options of {@link verifyHostname} and its kin. An unknown one is a TypeError. */
export interface VerifyHostnameOptions {
  /** The rules of which protocol: a name of the table, rules of one's own, or a callback. Default 'default'. */
  readonly scheme?: SchemeName | Scheme | SchemeCallback | undefined
  /**
   * Which list guards wildcards: 'icann' (the ICANN section, so that `*.github.io` matches and `*.co.uk` does not), 'none',
   * or a list of one's own (the original's `SSL_verifycn_publicsuffix`). Default 'icann'.
   */
  readonly publicSuffix?: 'icann' | 'none' | PublicSuffixList | undefined
}

/** Options, checked and resolved. */
export interface Policy {
  readonly scheme: ResolvedScheme
  /** Whether a wildcard may stand for this host: see PublicSuffixList.isBelowRegistrableDomain. */
  readonly wildcardGuard: (host: string) => boolean
}

const icannGuard = (host: string): boolean => PublicSuffixList.default().isBelowRegistrableDomain(host)
const noGuard = (): boolean => true
const DEFAULT: Policy = { scheme: resolveScheme(undefined), wildcardGuard: icannGuard }

/** @throws TypeError that names the option; HostnameVerificationError ERR_HOSTNAME_OBSOLETE_SCHEME. */
export function resolvePolicy(options: VerifyHostnameOptions | undefined): Policy {
  if (options === undefined) return DEFAULT
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw invalidArgument('ERR_INVALID_ARG_TYPE', 'options must be an object')
  // an inherited one too, since it would be read: on a polluted Object.prototype it is an attacker's
  for (const key in options)
    if (!Object.hasOwn(options, key) || (key !== 'scheme' && key !== 'publicSuffix'))
      throw invalidArgument('ERR_INVALID_ARG_VALUE', `options: unknown option ${quoted(key)}`)
  const member = memberOfClass(options)
  if (member !== undefined) throw invalidArgument('ERR_INVALID_ARG_VALUE', `options: unknown option ${quoted(member)}`)
  return { scheme: resolveScheme(options.scheme), wildcardGuard: resolveGuard(options.publicSuffix) }
}

function resolveGuard(publicSuffix: VerifyHostnameOptions['publicSuffix']): Policy['wildcardGuard'] {
  if (publicSuffix === undefined || publicSuffix === 'icann') return icannGuard
  if (publicSuffix === 'none') return noGuard
  // By shape, not by class: two copies of this package are common.
  if (
    typeof publicSuffix === 'object' &&
    publicSuffix !== null &&
    typeof publicSuffix.isBelowRegistrableDomain === 'function'
  )
    return (host) => {
      try {
        const answer: unknown = publicSuffix.isBelowRegistrableDomain(host)
        return answer === true
      } catch (cause) {
        throw new HostnameVerificationError('ERR_HOSTNAME_SUFFIX_LIST', 'The public suffix list failed', {
          host,
          cause,
        })
      }
    }
  throw invalidArgument('ERR_INVALID_ARG_VALUE', "options.publicSuffix must be 'icann', 'none' or a PublicSuffixList")
}
