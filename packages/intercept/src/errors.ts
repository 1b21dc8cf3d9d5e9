/** What can go wrong with interception, one code each; the README says what to do about each. */
export type InterceptErrorCode =
  | 'ERR_INTERCEPT_CA_INVALID'
  | 'ERR_INTERCEPT_KEY_MISMATCH'
  | 'ERR_INTERCEPT_CERTIFICATE_INVALID'
  | 'ERR_INTERCEPT_NOT_CLONABLE'
  | 'ERR_INTERCEPT_CACHE_INVALID'
  | 'ERR_INTERCEPT_NO_ORIGIN'
  | 'ERR_INTERCEPT_SERIALIZED_INVALID'
  | 'ERR_INTERCEPT_PASSPHRASE_WRONG'

/** A certificate, a cache or saved state that is not what it should be. Misuse of the API is a `TypeError` instead. */
export class InterceptError extends Error {
  override readonly name = 'InterceptError'
  readonly code: InterceptErrorCode

  constructor(code: InterceptErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
  }
}
