import type { CheckName, Failure, Outcomes } from './verify/verification.ts'

/** Codes of this package; Node's and OpenSSL's own codes pass through beside them. */
export type SecureSocketErrorCode =
  | 'ERR_SECURE_SOCKET_CLIENT_HELLO'
  | 'ERR_SECURE_SOCKET_CLOSED'
  | 'ERR_SECURE_SOCKET_CREDENTIALS'
  | 'ERR_SECURE_SOCKET_ENGINE'
  | 'ERR_SECURE_SOCKET_HANDSHAKE_INTERRUPTED'
  | 'ERR_SECURE_SOCKET_HANDSHAKE_TIMEOUT'
  | 'ERR_SECURE_SOCKET_LINE_TOO_LONG'
  | 'ERR_SECURE_SOCKET_NAME_REQUIRED'
  | 'ERR_SECURE_SOCKET_NOT_TLS'
  | 'ERR_SECURE_SOCKET_OVERLOADED'
  | 'ERR_SECURE_SOCKET_PLAINTEXT_LEFT'
  | 'ERR_SECURE_SOCKET_READ_TIMEOUT'
  | 'ERR_SECURE_SOCKET_SESSION_STORE'
  | 'ERR_SECURE_SOCKET_STATE'
  | 'ERR_SECURE_SOCKET_STOP_TIMEOUT'
  | 'ERR_SECURE_SOCKET_TICKET_KEY'
  | 'ERR_SECURE_SOCKET_TRUNCATED'
  | 'ERR_SECURE_SOCKET_UNSUPPORTED'
  | 'ERR_SECURE_SOCKET_UNRECOGNIZED_NAME'
  | 'ERR_SECURE_SOCKET_UNREAD'

/** Codes with which a check of ours refuses a peer, where neither Node nor OpenSSL has one. */
export type RefusalCode =
  | 'ERR_SECURE_SOCKET_NO_PEER_CERTIFICATE'
  | 'ERR_SECURE_SOCKET_FINGERPRINT_MISMATCH'
  | 'ERR_SECURE_SOCKET_CHECK_FAILED'
  | 'ERR_SECURE_SOCKET_CHECK_TIMEOUT'
  | 'ERR_SECURE_SOCKET_CALLBACK_FAILED'
  | 'ERR_SECURE_SOCKET_CALLBACK_REFUSED'
  | 'ERR_SECURE_SOCKET_NO_PEER_NAME'
  | 'ERR_SECURE_SOCKET_NO_REVOCATION_STATUS'

/** What the socket was doing. */
export type Phase = 'resolve' | 'connect' | 'starttls' | 'handshake' | 'verify' | 'read' | 'write' | 'stop' | 'close'

export interface ErrorDetails {
  readonly phase?: Phase
  readonly host?: string
  readonly port?: number
  /** What to do about it, in one sentence. */
  readonly hint?: string
  readonly cause?: unknown
}

/** Something went wrong that is neither misuse (a TypeError) nor a refused peer ({@link PeerRefusedError}). */
export class SecureSocketError extends Error {
  override readonly name = 'SecureSocketError'
  readonly code: SecureSocketErrorCode
  readonly phase: Phase | undefined
  readonly host: string | undefined
  readonly port: number | undefined
  readonly hint: string | undefined

  constructor(code: SecureSocketErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.phase = details.phase
    this.host = details.host
    this.port = details.port
    this.hint = details.hint
  }
}

/**
 * The peer was reached and the handshake done, but a check refused it.
 * `code` is the first failure's: OpenSSL's (`CERT_HAS_EXPIRED` …), Node's (`ERR_TLS_CERT_ALTNAME_INVALID`) or one of {@link RefusalCode}.
 */
export class PeerRefusedError extends Error {
  override readonly name = 'PeerRefusedError'
  readonly code: string
  /** The check that refused first. */
  readonly check: CheckName
  /** What every check said, those that passed too. */
  readonly outcomes: Outcomes
  readonly failures: readonly Failure[]
  readonly phase = 'verify' as const
  readonly hint: string | undefined
  host: string | undefined
  port: number | undefined

  constructor(check: CheckName, failures: readonly [Failure, ...Failure[]], outcomes: Outcomes) {
    const [first] = failures
    super(`peer refused by the ${check} check: ${first.error.message} (${first.code})`, { cause: first.error })
    this.code = first.code
    this.check = check
    this.failures = failures
    this.outcomes = outcomes
    this.hint = hints[first.code]
  }
}

/** Remedies by code: the answer to the question that the error raises. */
const hints: Readonly<Record<string, string>> = {
  SELF_SIGNED_CERT_IN_CHAIN: "give the issuing CA as 'ca' or 'caFile', or pin the certificate with verify.fingerprints",
  DEPTH_ZERO_SELF_SIGNED_CERT: "give the certificate itself as 'ca', or pin it with verify.fingerprints",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "give the issuing CA as 'ca' or 'caFile'; the CA store in use does not know it",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    "the peer sends no intermediate certificate: have it mended, or give the intermediate as 'ca'",
  CERT_HAS_EXPIRED: 'the peer has to renew its certificate; check this machine’s clock too',
  CERT_NOT_YET_VALID: 'check the clocks of both machines',
  INVALID_PURPOSE: 'the certificate is not made for this role: its extended key usage lacks it',
  ERR_TLS_CERT_ALTNAME_INVALID: 'connect by a name that the certificate has, or say which to expect with verify.name',
}

/** Where a connection goes. */
export interface Where {
  readonly host: string | undefined
  readonly port: number | undefined
}

/** A connection of two halves: adds where it went to an error of Node's without changing its code. */
export function withDetails<E>(error: E, details: Pick<ErrorDetails, 'phase' | 'hint'> & Partial<Where>): E {
  if (!(error instanceof Error)) return error
  const target = error as Error & Record<string, unknown>
  for (const key of ['phase', 'host', 'port', 'hint'] as const)
    if (details[key] !== undefined && target[key] === undefined)
      try {
        target[key] = details[key]
      } catch {
        // a frozen error keeps what it has
      }
  return error
}

/** Misuse: an option of the wrong type. */
export function invalidType(option: string, expected: string): TypeError {
  return Object.assign(new TypeError(`option '${option}' must be ${expected}`), { code: 'ERR_INVALID_ARG_TYPE' })
}

/** Misuse: an option whose value makes no sense, is unknown, or contradicts another. */
export function invalidValue(option: string, why: string): TypeError {
  return Object.assign(new TypeError(`option '${option}' ${why}`), { code: 'ERR_INVALID_ARG_VALUE' })
}

/** Misuse: `new` of a class whose instances only this package makes. */
export function illegalConstructor(message: string): TypeError {
  return Object.assign(new TypeError(message), { code: 'ERR_ILLEGAL_CONSTRUCTOR' })
}
