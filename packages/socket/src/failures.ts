import { PeerRefusedError, type Phase, SecureSocketError, type Where, withDetails } from './errors.ts'
import type { PhaseName } from './state.ts'

/** What came before TLS and was not read may be injected (STARTTLS injection). @throws ERR_SECURE_SOCKET_PLAINTEXT_LEFT */
export function refusePlaintextLeft(bytes: number): void {
  if (bytes > 0)
    throw new SecureSocketError(
      'ERR_SECURE_SOCKET_PLAINTEXT_LEFT',
      `${bytes} bytes of plaintext were received before TLS and not read`,
      {
        phase: 'starttls',
        hint: 'read everything that belongs to the plaintext dialogue first; anything beyond it may have been injected',
      },
    )
}

/** Rejects with ERR_SECURE_SOCKET_HANDSHAKE_TIMEOUT where it takes longer. */
export function inTime(flushed: Promise<void>, ms: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(handshakeTimeout(ms)), ms)
    flushed.finally(() => clearTimeout(timer)).then(resolve, reject)
  })
}

export function handshakeTimeout(ms: number): SecureSocketError {
  return new SecureSocketError('ERR_SECURE_SOCKET_HANDSHAKE_TIMEOUT', `the TLS handshake took more than ${ms} ms`, {
    phase: 'handshake',
    hint: "give it more time with 'handshakeTimeout'",
  })
}

export function stopTimeout(ms: number): SecureSocketError {
  return new SecureSocketError('ERR_SECURE_SOCKET_STOP_TIMEOUT', `the peer has not ended TLS within ${ms} ms`, {
    phase: 'stop',
    hint: "give it more time with 'timeout', or do not wait with 'waitForPeer: false'",
  })
}

export function closedMeanwhile(): SecureSocketError {
  return new SecureSocketError('ERR_SECURE_SOCKET_CLOSED', 'the socket was closed', { phase: 'close' })
}

/** More than `bytes` of what the peer sent in TLS wait to be read while TLS is being stopped. */
export function unread(bytes: number): SecureSocketError {
  return new SecureSocketError(
    'ERR_SECURE_SOCKET_UNREAD',
    `more than ${bytes} bytes came before the peer's end of TLS`,
    {
      phase: 'stop',
      hint: 'read while TLS is being stopped',
    },
  )
}

export function truncated(): SecureSocketError {
  return new SecureSocketError(
    'ERR_SECURE_SOCKET_TRUNCATED',
    'the connection ended without close_notify: data may be missing',
    { phase: 'read' },
  )
}

const phaseNames: { readonly [P in PhaseName]: Phase } = {
  connecting: 'connect',
  plain: 'read',
  handshaking: 'handshake',
  verifying: 'verify',
  secure: 'read',
  stopping: 'stop',
  closed: 'close',
}

/** The error with phase, host and port, where it has none. */
export function explained(error: Error, where: Where, phase: PhaseName): Error {
  if (!(error instanceof PeerRefusedError)) return withDetails(error, { ...where, phase: phaseNames[phase] })
  error.host ??= where.host
  error.port ??= where.port
  return error
}

/** The peer has not got to the end of the handshake. */
export function interrupted(): SecureSocketError {
  return new SecureSocketError(
    'ERR_SECURE_SOCKET_HANDSHAKE_INTERRUPTED',
    'the peer closed the connection during the TLS handshake',
    { phase: 'handshake' },
  )
}

/** The transport was closed before there was a connection. */
export function notConnected(): SecureSocketError {
  return new SecureSocketError('ERR_SECURE_SOCKET_CLOSED', 'the socket was closed before it was connected', {
    phase: 'connect',
  })
}
