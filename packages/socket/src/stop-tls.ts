import type { Duplex } from 'node:stream'
import { SecureSocketError } from './errors.ts'
import type { SocketCore } from './socket-core.ts'
import type { SecureSocket } from './secure-socket.ts'

export interface StopTlsOptions {
  /** Wait for the peer's close_notify before going on in clear; default true. */
  readonly waitForPeer?: boolean
  /** Resolve with the transport itself, unread bytes put back, and close the SecureSocket; default false. */
  readonly detach?: boolean
}

/**
 * Ends TLS and goes on in clear, with every byte in order. Only for connections made with `stoppable: true`.
 * Data that had been decrypted but not read stays readable, before what arrives in clear: `unreadSecure` of the core says how much.
 */
export async function stopTls(
  socket: SecureSocket,
  core: SocketCore,
  options: StopTlsOptions,
): Promise<SecureSocket | Duplex> {
  const { waitForPeer = true, detach = false } = options
  const { released, unreadSecure } = await core.stop(waitForPeer)
  const { transport, unread } = released
  for (const chunk of [...unread].reverse()) transport.unshift(chunk)
  if (detach) {
    if (unreadSecure > 0)
      throw new SecureSocketError('ERR_SECURE_SOCKET_STATE', `${unreadSecure} decrypted bytes have not been read yet`, {
        phase: 'stop',
      })
    core.letGo()
    return transport
  }
  core.adoptPlain(transport)
  return socket
}
