import { acceptTls } from './accept.ts'
import { ignore } from './engine/plain.ts'
import { invalidValue, SecureSocketError } from './errors.ts'
import { shake } from './handshake.ts'
import { HostTable } from './hosts.ts'
import { prepare } from './options/prepare.ts'
import { resolve, type Resolved, type ResolvedServer, resolveServer } from './options/resolve.ts'
import type { StartTlsOptions } from './options/types.ts'
import type { SecureSocket } from './secure-socket.ts'
import type { SocketCore } from './socket-core.ts'
import { TicketKeys } from './ticket-keys.ts'
import { unlessAborted } from './verify/network-time.ts'

/** The options of `startTls`, read. */
export interface Upgrade {
  readonly resolved: Resolved
  /** Undefined: we are the client. */
  readonly server: ResolvedServer | undefined
}

/** Reads the options of `startTls`; a client without a name is refused before anything is sent (node:tls would take "localhost"). */
export function upgradeOptions(options: StartTlsOptions): Upgrade {
  if (options.isServer === true) {
    const server = resolveServer('startTls', options)
    if (server.hosts.length === 0 && options.onHello === undefined) throw invalidValue('cert', 'is needed by a server')
    return { resolved: server.resolved, server }
  }
  const resolved = resolve('startTls', options)
  const { policy, handshake, transport } = resolved
  const named = policy.verify?.name !== undefined || handshake.servername || transport.host !== undefined
  const needed = policy.rejectUnauthorized !== false && policy.verify?.scheme !== 'none'
  if (needed && !named)
    throw new SecureSocketError('ERR_SECURE_SOCKET_NAME_REQUIRED', 'no name to check the server against', {
      phase: 'starttls',
      hint: "give 'host', 'servername' or 'verify.name'",
    })
  return { resolved, server: undefined }
}

/**
 * Plain to secure, on one socket. Whatever goes wrong destroys it and rejects. A socket of a server that is told nothing of its own goes by that
 * server's hosts, as they are now.
 */
export async function upgrade(
  socket: SecureSocket,
  core: SocketCore,
  { resolved, server }: Upgrade,
  inherits: boolean,
): Promise<void> {
  const { head, ticketKeys, handshakeTimeout = 30_000 } = resolved.handshake
  core.crossing.expectPlain() // a mistake of the program's leaves the connection as it is
  socket.on('error', toldByRejection)
  try {
    const left = core.crossing.leavePlain(server === undefined ? 'client' : 'server', handshakeTimeout)
    left.catch(ignore) // what stands beside it may fail first
    if (server === undefined) {
      const [transport, prepared] = await unlessAborted(Promise.all([left, prepare('client', resolved)]), core.closing)
      await shake(socket, core, { role: 'client', transport, prepared, resolved })
    } else {
      const own = inherits ? core.hosts?.() : undefined
      const keys = ticketKeys === undefined ? undefined : TicketKeys.of(ticketKeys)
      const made = own ?? HostTable.create(server, { ticketKeys: keys })
      const [transport, table] = await unlessAborted(Promise.all([left, made]), core.closing)
      if (head !== undefined) transport.unshift(head)
      await acceptTls(socket, core, { transport, table })
    }
    socket.off('error', toldByRejection)
  } catch (error) {
    throw giveUp(core, error as Error, resolved)
  }
}

function toldByRejection(): void {
  // of startTls()
}

/** TLS has failed: the facade closes, and the transport too, unless `onHandshakeError` takes it over. */
export function giveUp(core: SocketCore, error: Error, { handshake }: Resolved): Error {
  const { onHandshakeError } = handshake
  const transport = onHandshakeError === undefined ? undefined : core.crossing.surrender()
  if (transport === undefined || onHandshakeError === undefined) return core.closeWith(error)
  const explained = core.explained(error)
  core.letGo(explained)
  try {
    onHandshakeError(transport, explained)
  } catch (thrown) {
    transport.destroy()
    return thrown as Error
  }
  return explained
}
