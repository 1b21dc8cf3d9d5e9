/** What `read` returns, or undefined where the DER is not what it should be. Other errors pass. */
export function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (isDerError(error)) return undefined
    throw error
  }
}

/** By code, since `@x/der` may be loaded twice. */
export function isDerError(error: unknown): error is Error {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('ERR_DER_')
  )
}
