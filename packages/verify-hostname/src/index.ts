export type { CertificateInput } from './certificate-input.ts'
export { createCheckServerIdentity } from './check-server-identity.ts'
export {
  type HostnameErrorCode,
  type HostnameErrorDetails,
  HostnameVerificationError,
  type MismatchReason,
  type NameInError,
  type NameMismatch,
} from './errors.ts'
export type { VerifyHostnameOptions } from './options.ts'
export type { PresentedName, PresentedNameType } from './presented-names.ts'
export {
  PublicSuffixList,
  type PublicSuffixListOptions,
  type SuffixLookup,
  type SuffixTextOptions,
} from './public-suffix.ts'
export { type Scheme, type SchemeCallback, type SchemeName, schemes, type WildcardRule } from './schemes.ts'
export { type HostnameMatch, matchHostname, verifyHostname } from './verify-hostname.ts'
