/** Everything that can be wrong with DER, one code each. */
export type DerErrorCode =
  | 'ERR_DER_TRUNCATED'
  | 'ERR_DER_TRAILING_DATA'
  | 'ERR_DER_INDEFINITE_LENGTH'
  | 'ERR_DER_NON_MINIMAL_LENGTH'
  | 'ERR_DER_LENGTH_TOO_LARGE'
  | 'ERR_DER_LONG_TAG'
  | 'ERR_DER_TOO_DEEP'
  | 'ERR_DER_UNEXPECTED_TAG'
  | 'ERR_DER_INVALID_VALUE'
  | 'ERR_DER_TOO_LARGE'

/** Bytes that are not the DER they should be. `offset` counts bytes from the start of the buffer that was read. */
export class DerError extends Error {
  override readonly name = 'DerError'
  readonly code: DerErrorCode
  readonly offset: number

  constructor(code: DerErrorCode, message: string, offset: number) {
    super(`${message} at offset ${offset}`)
    this.code = code
    this.offset = offset
  }
}

/** Whether an error is a {@link DerError}, by its code: a program may have two copies of this package. */
export function isDerError(error: unknown): error is DerError {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('ERR_DER_')
  )
}
