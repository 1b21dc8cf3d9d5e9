import { SecureSocketError } from '../errors.ts'

/* How a connection fails that goes record by record. */

export function notTls(bytes: Uint8Array | undefined, established: boolean): SecureSocketError {
  const shown = JSON.stringify(Buffer.from((bytes ?? new Uint8Array(0)).subarray(0, 32)).toString('latin1'))
  return new SecureSocketError(
    'ERR_SECURE_SOCKET_NOT_TLS',
    established
      ? `bytes that are no TLS arrived within TLS: ${shown}`
      : `the peer does not speak TLS: it sent ${shown}`,
    { phase: established ? 'read' : 'handshake' },
  )
}

export function interrupted(): SecureSocketError {
  return new SecureSocketError(
    'ERR_SECURE_SOCKET_HANDSHAKE_INTERRUPTED',
    'the peer closed the connection during the TLS handshake',
    { phase: 'handshake' },
  )
}

export function truncated(): SecureSocketError {
  return new SecureSocketError(
    'ERR_SECURE_SOCKET_TRUNCATED',
    'the connection ended without close_notify: data may be missing',
    { phase: 'stop' },
  )
}
