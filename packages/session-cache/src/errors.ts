/** Everything that can go wrong with stored sessions, one code each. */
export type SessionErrorCode =
  /** A trust parameter of a kind that has no canonical form (undefined, NaN, -0, a symbol, an unknown class …). */
  | 'ERR_SESSION_PARAMETER'
  /** Stored bytes that were altered, cut, made under another key, or moved to another place. */
  | 'ERR_SESSION_TAMPERED'
  /** Evidence that cannot be written to bytes (a function, an instance of a class …). */
  | 'ERR_SESSION_EVIDENCE'
  /** The store behind an `EncryptedSessionStore` failed, or did not answer in time. */
  | 'ERR_SESSION_STORE'
  /** The connection that a helper was making did not become a verified TLS connection in time. */
  | 'ERR_SESSION_CONNECT_TIMEOUT'

/** What was being looked at when a `SessionCacheError` arose. */
export interface SessionErrorDetails {
  /** Where in the parameters or the evidence, for instance `verify.fingerprints[2]`. */
  readonly path?: string | undefined
  readonly cause?: unknown
}

/** A session, key or parameter that this package refuses. `code` is API, the message is not. */
export class SessionCacheError extends Error {
  override readonly name = 'SessionCacheError'
  readonly code: SessionErrorCode
  readonly path: string | undefined

  constructor(code: SessionErrorCode, message: string, details: SessionErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.path = details.path
  }
}
