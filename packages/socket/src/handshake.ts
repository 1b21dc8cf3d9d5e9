import type { Server } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { startTlsEngine } from './engine/choose.ts'
import type { PeerClaim } from './engine/engine.ts'
import { traced } from './diagnostics.ts'
import { SecureSocketError } from './errors.ts'
import { logKeys } from './keylog.ts'
import type { Prepared } from './options/prepare.ts'
import type { Resolved } from './options/resolve.ts'
import type { SecureSocket } from './secure-socket.ts'
import { ClientSessions } from './sessions.ts'
import type { SocketCore } from './socket-core.ts'

export interface Handshake {
  readonly role: 'client' | 'server'
  readonly transport: Duplex
  readonly prepared: Prepared
  readonly resolved: Resolved
  /** What a server has beside: see `Host` and `acceptTls`. */
  readonly stapling?: Server | undefined
  /** Milliseconds; default `handshakeTimeout`. Infinity: the caller keeps the time. */
  readonly timeout?: number
  /** Looks at what the handshake came to before the checks do; may throw. */
  readonly examine?: (tls: TLSSocket, claim: PeerClaim) => PeerClaim
}

/**
 * From a connected transport to a secure socket: a session to offer, the engine, the handshake, the checks, the gate.
 * Rejects with what went wrong; the caller destroys the socket with it.
 */
export function shake(socket: SecureSocket, core: SocketCore, handshake: Handshake): Promise<void> {
  const { host, port } = core.where
  return traced({ socket, role: handshake.role, host, port }, () => run(socket, core, handshake))
}

async function run(
  socket: SecureSocket,
  core: SocketCore,
  { role, transport, prepared, resolved, stapling, timeout, examine }: Handshake,
): Promise<void> {
  const { secureContext, policy, sessions: where } = prepared
  const { handshake, transport: address } = resolved
  const sessions = where === undefined ? undefined : new ClientSessions(where.store, where.key, handshake.tickets)
  if (sessions !== undefined) {
    await sessions.take(policy, core.closing)
    if (socket.destroyed)
      throw new SecureSocketError('ERR_SECURE_SOCKET_CLOSED', 'the socket was closed', { phase: 'handshake' })
  }
  core.allowsTruncation = handshake.truncation === 'allow'
  core.onPeerShutdown = handshake.onPeerShutdown
  const observer = handshake.onMessage && (await import('./messages/observer.ts')).observe(role, handshake.onMessage)
  const engine = startTlsEngine({
    role,
    transport,
    secureContext,
    psk: resolved.context.psk,
    handshake,
    host: address.host,
    sessions,
    staple: policy.enabled && policy.revocation.staple !== 'off',
    observer,
    stapling,
  })
  if (handshake.keylog === true) logKeys(engine.tls)
  await core.secure(engine, policy, timeout ?? handshake.handshakeTimeout ?? 30_000, sessions, examine)
}
