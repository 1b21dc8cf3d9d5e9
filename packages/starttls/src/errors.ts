/** Everything that can keep a dialogue from reaching TLS, one code each. */
export type StartTlsErrorCode =
  /** The peer was asked and said no; `reply` is what it said. */
  | 'ERR_STARTTLS_REFUSED'
  /** The peer does not offer TLS: it lacks the feature, or somebody on the way has taken it out of the list. */
  | 'ERR_STARTTLS_UNSUPPORTED'
  /** Bytes that came before their question or after the answer that allows TLS: they would be taken for part of the secure connection. */
  | 'ERR_STARTTLS_INJECTED'
  /** An answer that this protocol does not know. */
  | 'ERR_STARTTLS_PROTOCOL'
  /** A line, an answer or the whole dialogue was longer than allowed. */
  | 'ERR_STARTTLS_LIMIT'
  /** The peer closed the connection in the middle of the dialogue. */
  | 'ERR_STARTTLS_CLOSED'
  | 'ERR_STARTTLS_TIMEOUT'

/**
 * A dialogue that did not reach TLS. The connection is still in clear, and whatever the peer said may be forged. `code` is API, the
 * message is not.
 */
export class StartTlsError extends Error {
  override readonly name = 'StartTlsError'
  readonly code: StartTlsErrorCode
  /** The function that failed, for instance `smtp`. */
  readonly protocol: string
  /** The peer's answer as far as it matters, printable ASCII only, at most 200 characters. */
  readonly reply: string | undefined

  constructor(code: StartTlsErrorCode, protocol: string, message: string, reply?: string) {
    const shown = reply === undefined ? undefined : printable(reply)
    super(`${protocol}: ${message}${shown === undefined ? '' : `: ${shown}`}`)
    this.code = code
    this.protocol = protocol
    this.reply = shown
  }
}

function printable(text: string): string {
  return text.slice(0, 200).replaceAll(/[^\x20-\x7e]/g, '?')
}
