import { SecureSocketError } from './errors.ts'
import { shake } from './handshake.ts'
import { prepare } from './options/prepare.ts'
import { resolve, type Resolved } from './options/resolve.ts'
import type { StartTlsOptions } from './options/types.ts'
import type { SecureSocket } from './secure-socket.ts'
import type { SocketCore } from './socket-core.ts'

/** The options of `startTls`, read; a client without a name is refused before anything is sent (node:tls would take "localhost"). */
export function upgradeOptions(options: StartTlsOptions): Resolved {
  const resolved = resolve('startTls', options)
  const { policy, handshake, transport } = resolved
  const named = policy.verify?.name !== undefined || handshake.servername || transport.host !== undefined
  const needed =
    roleOf(resolved) === 'client' && policy.rejectUnauthorized !== false && policy.verify?.scheme !== 'none'
  if (needed && !named)
    throw new SecureSocketError('ERR_SECURE_SOCKET_NAME_REQUIRED', 'no name to check the server against', {
      phase: 'starttls',
      hint: "give 'host', 'servername' or 'verify.name'",
    })
  return resolved
}

export function roleOf({ handshake }: Resolved): 'client' | 'server' {
  return handshake.isServer === true ? 'server' : 'client'
}

/** Plain to secure, on one socket. Whatever goes wrong destroys it and rejects. */
export async function upgrade(socket: SecureSocket, core: SocketCore, resolved: Resolved): Promise<void> {
  const role = roleOf(resolved)
  try {
    const left = core.leavePlain(role)
    const [transport, prepared] = await Promise.all([left, prepare(role, resolved)])
    const { head } = resolved.handshake
    if (head !== undefined) transport.unshift(head)
    await shake(socket, core, { role, transport, prepared, resolved })
  } catch (error) {
    socket.on('error', () => undefined) // the rejection tells it
    throw giveUp(core, error as Error, resolved)
  }
}

/** TLS has failed: the facade closes, and the transport too, unless `onHandshakeError` takes it over. */
export function giveUp(core: SocketCore, error: Error, { handshake }: Resolved): Error {
  const { onHandshakeError } = handshake
  const transport = onHandshakeError === undefined || core.closing.aborted ? undefined : core.surrender()
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
