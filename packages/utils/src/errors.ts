/** What can be wrong with certificates and keys, one code each; the README says what to do about each. */
export type CertificateErrorCode =
  | 'ERR_CERT_INVALID'
  | 'ERR_CERT_NOT_FOUND'
  | 'ERR_CERT_TOO_LARGE'
  | 'ERR_CERT_PEM_INVALID'
  | 'ERR_CERT_KEY_INVALID'
  | 'ERR_CERT_KEY_NOT_FOUND'
  | 'ERR_CERT_KEY_UNSUPPORTED'
  | 'ERR_CERT_KEY_MISMATCH'
  | 'ERR_CERT_PASSPHRASE_REQUIRED'
  | 'ERR_CERT_PASSPHRASE_WRONG'
  | 'ERR_CERT_PKCS12_INVALID'
  | 'ERR_CERT_PKCS12_UNSUPPORTED'
  | 'ERR_CERT_SIGNATURE_INVALID'
  | 'ERR_CERT_ALGORITHM_UNSUPPORTED'
  | 'ERR_CERT_DIGEST_WEAK'
  | 'ERR_CERT_FINGERPRINT_INVALID'

/** A certificate, a key or a file that is not what it should be. Misuse of the API is a `TypeError` instead. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError'
  readonly code: CertificateErrorCode
  /** The file it was read from, where there is one. */
  readonly path: string | undefined

  constructor(code: CertificateErrorCode, message: string, details: { cause?: unknown; path?: string } = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    this.path = details.path
  }
}
