/** What can be wrong with a revocation list or with getting one, one code each; the README says what to do about each. */
export type CrlErrorCode =
  | 'ERR_CRL_INVALID'
  | 'ERR_CRL_NOT_FOUND'
  | 'ERR_CRL_TOO_LARGE'
  | 'ERR_CRL_CERTIFICATE_INVALID'
  | 'ERR_CRL_MISSING'
  | 'ERR_CRL_ISSUER_MISMATCH'
  | 'ERR_CRL_KEY_MISMATCH'
  | 'ERR_CRL_SIGNER_UNAUTHORIZED'
  | 'ERR_CRL_SIGNATURE_INVALID'
  | 'ERR_CRL_ALGORITHM_UNSUPPORTED'
  | 'ERR_CRL_DIGEST_WEAK'
  | 'ERR_CRL_NOT_YET_VALID'
  | 'ERR_CRL_EXPIRED'
  | 'ERR_CRL_NO_NEXT_UPDATE'
  | 'ERR_CRL_CRITICAL_EXTENSION'
  | 'ERR_CRL_OUT_OF_SCOPE'
  | 'ERR_CRL_REASONS_INCOMPLETE'
  | 'ERR_CRL_DELTA_MISMATCH'
  | 'ERR_CRL_NO_DISTRIBUTION_POINT'
  | 'ERR_CRL_URL_UNSUPPORTED'
  | 'ERR_CRL_REDIRECT_REFUSED'
  | 'ERR_CRL_FETCH_FAILED'
  | 'ERR_CRL_FETCH_TIMEOUT'
  | 'ERR_CRL_FILE_READ'

/** A list that cannot be used, or could not be had. Misuse of the API is a `TypeError` instead. */
export class CrlError extends Error {
  override readonly name = 'CrlError'
  readonly code: CrlErrorCode
  /** The URL or the file it concerns, where there is one. */
  readonly source: string | undefined

  constructor(code: CrlErrorCode, message: string, details: { cause?: unknown; source?: string | undefined } = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    this.source = details.source
  }
}

/** Runs a reader of hostile bytes; what it throws (`DerError`, `CertificateError`) becomes the cause of an error of ours. */
export function reading<T>(code: CrlErrorCode, what: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (cause instanceof CrlError || isMisuse(cause)) throw cause
    throw new CrlError(code, cause instanceof Error ? `${what}: ${cause.message}` : what, { cause })
  }
}

function isMisuse(error: unknown): boolean {
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_INVALID_ARG_')
}
