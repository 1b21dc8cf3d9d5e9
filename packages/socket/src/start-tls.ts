import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { SecureSocketError } from './errors.ts'
import { undecoded } from './engine/node-internals.ts'
import { openTransport } from './engine/transport.ts'
import { forStartTls, type Resolved } from './options/resolve.ts'
import type { StartTlsOptions } from './options/types.ts'
import { coreOf } from './facade.ts'
import { makeSocket, SecureSocket } from './secure-socket.ts'
import { upgrade, upgradeOptions } from './upgrade.ts'

/**
 * Starts TLS on an open connection, as client or (`isServer`) as server, and resolves when the peer is trusted: with the same object
 * where it is a SecureSocket that is still plain, else with a SecureSocket over the transport given.
 *
 * A client must say the server's name (`host`, `servername` or `verify.name`). What was written before goes out in clear first.
 * On failure the connection is closed, or given to `onHandshakeError`. Options that are wrong leave it untouched.
 * A transport may be any Duplex, a file descriptor (which then belongs to the socket) or another SecureSocket (TLS in TLS).
 *
 * Rejects with ERR_SECURE_SOCKET_NAME_REQUIRED, ERR_SECURE_SOCKET_PLAINTEXT_LEFT (data was received before TLS that nobody has
 * read; never fed to TLS), PeerRefusedError, and as `connect` does. The original's start_SSL.
 */
export async function startTls(transport: Duplex | number, options: StartTlsOptions = {}): Promise<SecureSocket> {
  if (transport instanceof SecureSocket && transport.phase === 'plain') return await transport.startTls(options)
  const plan = upgradeOptions(options)
  const hasUnread = typeof transport !== 'number' && transport.readableLength + undecoded(transport).length > 0 // refused by `upgrade`, which sees to the transport
  const socket = wrap(hasUnread ? transport : openTransport(transport), plan.resolved)
  coreOf(socket).inherited = forStartTls({ ...options, head: undefined })
  await upgrade(socket, coreOf(socket), plan, false)
  return socket
}

/** A facade over somebody's connected transport, in the plain phase. */
function wrap(transport: Duplex, { facade, transport: where }: Resolved): SecureSocket {
  if (transport instanceof Socket && transport.connecting)
    throw new SecureSocketError('ERR_SECURE_SOCKET_STATE', 'TLS cannot be started before the transport is connected', {
      phase: 'starttls',
    })
  if (transport.destroyed || transport.readableEnded || !transport.writable)
    throw new SecureSocketError('ERR_SECURE_SOCKET_CLOSED', 'TLS cannot be started on a transport that is closed', {
      phase: 'starttls',
    })
  const socket = makeSocket(facade)
  const core = coreOf(socket)
  if (transport instanceof Socket) {
    core.transport = transport
    transport.setNoDelay(where.noDelay !== false)
  }
  core.where = { host: where.host, port: undefined }
  if (facade.timeout !== undefined) socket.setTimeout(facade.timeout)
  core.adoptPlain(transport)
  return socket
}
