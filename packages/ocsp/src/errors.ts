import type { OcspResponseStatus } from './parse-response.ts'
import type { OcspStatus } from './verify-response.ts'

/** Why an OCSP question has no good answer, one code each; the README says what to do about each. */
export type OcspErrorCode =
  | 'ERR_OCSP_CERTIFICATE_INVALID'
  | 'ERR_OCSP_REQUEST_INVALID'
  | 'ERR_OCSP_RESPONSE_INVALID'
  | 'ERR_OCSP_RESPONSE_TOO_LARGE'
  | 'ERR_OCSP_RESPONDER_FAILED'
  | 'ERR_OCSP_RESPONDER_UNAUTHORIZED'
  | 'ERR_OCSP_SIGNATURE_INVALID'
  | 'ERR_OCSP_ALGORITHM_UNSUPPORTED'
  | 'ERR_OCSP_ALGORITHM_WEAK'
  | 'ERR_OCSP_CRITICAL_EXTENSION'
  | 'ERR_OCSP_NOT_COVERED'
  | 'ERR_OCSP_NOT_YET_VALID'
  | 'ERR_OCSP_EXPIRED'
  | 'ERR_OCSP_NONCE_MISMATCH'
  | 'ERR_OCSP_REVOKED'
  | 'ERR_OCSP_STATUS_UNKNOWN'
  | 'ERR_OCSP_NO_URL'
  | 'ERR_OCSP_NO_ISSUER'
  | 'ERR_OCSP_FETCH_FAILED'
  | 'ERR_OCSP_TIMEOUT'
  | 'ERR_OCSP_STAPLE_MISSING'

/** What an {@link OcspError} knows beyond its code. */
export interface OcspErrorDetails {
  readonly cause?: unknown
  /** The responder that was asked, where one was. */
  readonly url?: string | undefined
  /** What the responder said instead of an answer (RFC 6960 section 4.2.1); with ERR_OCSP_RESPONDER_FAILED. */
  readonly responseStatus?: OcspResponseStatus | undefined
  /** The verified answer; with ERR_OCSP_REVOKED and ERR_OCSP_STATUS_UNKNOWN. */
  readonly status?: OcspStatus | undefined
}

/** No good answer. Misuse of the API is a `TypeError` instead. */
export class OcspError extends Error {
  override readonly name = 'OcspError'
  readonly code: OcspErrorCode
  readonly url: string | undefined
  readonly responseStatus: OcspResponseStatus | undefined
  readonly status: OcspStatus | undefined

  constructor(code: OcspErrorCode, message: string, details: OcspErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    this.url = details.url
    this.responseStatus = details.responseStatus
    this.status = details.status
  }
}
