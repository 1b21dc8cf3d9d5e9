/** Everything that can be refused or fail, one code each; the last one is Node's own and stays what it is. */
export type HostnameErrorCode =
  | 'ERR_HOSTNAME_MISMATCH'
  | 'ERR_HOSTNAME_INVALID_HOST'
  | 'ERR_HOSTNAME_INVALID_CERTIFICATE'
  | 'ERR_HOSTNAME_NO_CERTIFICATE'
  | 'ERR_HOSTNAME_CALLBACK_REFUSED'
  | 'ERR_HOSTNAME_OBSOLETE_SCHEME'
  | 'ERR_HOSTNAME_SUFFIX_LIST'
  | 'ERR_TLS_CERT_ALTNAME_INVALID'

/** Why one presented name is not the name of the host. */
export type MismatchReason =
  | 'different name'
  | 'different address'
  | 'control character in the name'
  | 'empty label in the name'
  | 'name is not ASCII'
  | 'trailing dot not allowed by the scheme'
  | 'wildcard not allowed by the scheme'
  | 'partial wildcard not allowed by the scheme'
  | 'partial wildcard against an A-label'
  | 'wildcard spans the registrable domain'
  | 'wildcard outside the leftmost label'
  | 'more than one wildcard'
  | 'wildcard without a domain'
  | 'not an address of 4 or 16 bytes'
  | 'an IP address is never matched by a DNS name'
  | 'a host name is never matched by an IP address'
  | 'kind of name that is not compared'
  | 'common name not used by the scheme'
  | 'common name ruled out by the alternative names'
  | 'IP address in the common name not allowed by the scheme'

/** One name that a certificate presents. `type` is the kind of GeneralName (RFC 5280 section 4.2.1.6), or the subject's. */
export interface NameInError {
  readonly type: string
  /** As text; of IP addresses the usual notation. */
  readonly value: string
}

/** One presented name and why it did not match. */
export interface NameMismatch extends NameInError {
  readonly reason: MismatchReason
}

/** What a {@link HostnameVerificationError} carries beside its code. */
export interface HostnameErrorDetails {
  readonly host?: string
  readonly scheme?: string
  readonly presented?: readonly NameInError[]
  readonly reasons?: readonly NameMismatch[]
  readonly cert?: unknown
  readonly cause?: unknown
}

/**
 * The certificate does not belong to the host, or that could not be found out. It also carries the fields of Node's
 * own error (`reason`, `host`, `cert`): {@link createCheckServerIdentity} returns it under Node's code
 * ERR_TLS_CERT_ALTNAME_INVALID; where it is thrown, `cause` has that code.
 */
export class HostnameVerificationError extends Error {
  override readonly name = 'HostnameVerificationError'
  readonly code: HostnameErrorCode
  /** The name that was asked for, as given. */
  readonly host: string
  /** Name of the scheme; 'custom' for a scheme of one's own, 'callback' for a callback. */
  readonly scheme: string
  /** Every name of the certificate that could be read, in order; the common name is last. */
  readonly presented: readonly NameInError[]
  /** For every presented name, why it did not match. Empty where no name was compared. */
  readonly reasons: readonly NameMismatch[]
  /** One sentence without the error's code, as Node has it. */
  readonly reason: string
  /** The certificate as it was given. */
  readonly cert: unknown

  constructor(code: HostnameErrorCode, reason: string, details: HostnameErrorDetails = {}) {
    super(reason, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.reason = reason
    this.host = details.host ?? ''
    this.scheme = details.scheme ?? ''
    this.presented = details.presented ?? []
    this.reasons = details.reasons ?? []
    this.cert = details.cert
  }
}

/** A TypeError with Node's code for misuse of the API. */
export function invalidArgument(
  code: 'ERR_INVALID_ARG_TYPE' | 'ERR_INVALID_ARG_VALUE',
  message: string,
): TypeError & { code: string } {
  return Object.assign(new TypeError(message), { code })
}

/** Text for a message: control and non-ASCII characters escaped, cut at 100. */
export function quoted(text: string): string {
  const cut = text.length > 100 ? `${text.slice(0, 100)}…` : text
  return `'${cut.replace(/[^\x20-\x7e…]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)}'`
}
