import type { Duplex } from 'node:stream'
import { SecureSocketError } from './errors.ts'
import { closedMeanwhile } from './failures.ts'
import { milliseconds } from './options/parse.ts'
import type { SocketCore } from './socket-core.ts'
import type { SecureSocket } from './secure-socket.ts'

export interface StopTlsOptions {
  /**
   * Wait for the peer's close_notify before going on in clear; default true. Without waiting, TLS records that the peer has under way,
   * its close_notify among them, arrive later as they are, between the bytes in clear: for peers that answer ours in clear at once, as
   * `curl --ftp-ssl-ccc` does.
   */
  readonly waitForPeer?: boolean
  /** Resolve with the transport itself, paused, unread bytes put back, and close the SecureSocket; default false. */
  readonly detach?: boolean
  /** Milliseconds for all of it; default 30,000. */
  readonly timeout?: number
}

/**
 * Ends TLS and goes on in clear, with every byte in order. Only for connections made with `stoppable: true`.
 * Data that had been decrypted but not read stays readable, before what arrives in clear: `socket.unreadSecure` says how much.
 *
 * Rejects with ERR_SECURE_SOCKET_ENGINE (not stoppable) and ERR_SECURE_SOCKET_STATE (not secure), the connection untouched; and after
 * closing it with ERR_SECURE_SOCKET_TRUNCATED (it ended without the peer's close_notify), ERR_SECURE_SOCKET_STOP_TIMEOUT, and
 * ERR_SECURE_SOCKET_UNREAD (more than 1 MiB arrived that nobody read, or anything with `detach`). The original's stop_SSL.
 */
export async function stopTls(
  socket: SecureSocket,
  core: SocketCore,
  options: StopTlsOptions,
): Promise<SecureSocket | Duplex> {
  const { waitForPeer = true, detach = false, timeout = 30_000 } = options
  const released = await core.crossing.stop(waitForPeer, milliseconds(timeout, 'timeout'))
  try {
    const { transport, unread } = released
    for (const chunk of [...unread].reverse()) transport.unshift(chunk)
    if (!detach) {
      core.adoptPlain(transport)
      return socket
    }
    if (core.phase === 'closed') throw closedMeanwhile() // since TLS has ended, a moment ago
    if (socket.readableLength > 0)
      throw new SecureSocketError(
        'ERR_SECURE_SOCKET_UNREAD',
        `${socket.readableLength} decrypted bytes have not been read`,
        { phase: 'stop', hint: 'read everything that was sent in TLS before detaching the transport' },
      )
    core.letGo(null)
    return transport
  } catch (error) {
    released.transport.destroy()
    socket.on('error', () => undefined) // the rejection tells it
    throw core.closeWith(error as Error)
  }
}
