import { isDerError } from '@x/der'

/** What `read` returns, or undefined where the DER is not what it should be. Other errors pass. */
export function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (isDerError(error)) return undefined
    throw error
  }
}
