import type { Server } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { startTlsEngine } from './engine/choose.ts'
import type { PeerClaim, TlsEngine } from './engine/engine.ts'
import type { Dial } from './engine/dial.ts'
import type { RecordObserver } from './engine/record.ts'
import { isTraced, traced } from './diagnostics.ts'
import { SecureSocketError } from './errors.ts'
import { logKeys } from './keylog.ts'
import type { Prepared } from './options/prepare.ts'
import type { Resolved } from './options/resolve.ts'
import type { SecureSocket } from './secure-socket.ts'
import { ClientSessions } from './sessions.ts'
import type { SocketCore } from './socket-core.ts'

export interface Handshake {
  readonly role: 'client' | 'server'
  /** Connected; or where the engine is to connect to (see `begin`). */
  readonly transport: Duplex | Dial
  readonly prepared: Prepared
  readonly resolved: Resolved
  /** Those that have been asked for one to offer already. */
  readonly sessions?: ClientSessions | undefined
  /** What a server has beside: see `Host` and `acceptTls`. */
  readonly stapling?: Server | undefined
  /** Milliseconds; default `handshakeTimeout`. */
  readonly timeout?: number
  /** Looks at what the handshake came to before the checks do; may throw. */
  readonly examine?: (tls: TLSSocket, claim: PeerClaim) => PeerClaim
}

/**
 * From a connected transport to a secure socket: a session to offer, the engine, the handshake, the checks, the gate.
 * Rejects with what went wrong; the caller destroys the socket with it.
 */
export function shake(socket: SecureSocket, core: SocketCore, handshake: Handshake): Promise<unknown> {
  const run = (): Promise<unknown> => offerAndProve(socket, core, handshake)
  return isTraced() ? told(socket, core, handshake, run) : run()
}

function offerAndProve(socket: SecureSocket, core: SocketCore, handshake: Handshake): Promise<unknown> {
  const { prepared, resolved } = handshake
  const sessions = handshake.sessions ?? clientSessions(prepared, resolved)
  const taking = sessions?.take(prepared.policy, core)
  // what need not wait costs no promise: a server runs this for each client
  return taking instanceof Promise || resolved.handshake.onMessage !== undefined
    ? proveLater(socket, core, handshake, sessions, taking)
    : prove(core, begin(core, handshake, sessions), handshake, sessions)
}

async function proveLater(
  socket: SecureSocket,
  core: SocketCore,
  handshake: Handshake,
  sessions: ClientSessions | undefined,
  taking: unknown,
): Promise<void> {
  const { onMessage } = handshake.resolved.handshake
  const observer = onMessage && (await import('./messages/observer.ts')).observe(handshake.role, onMessage)
  if (taking instanceof Promise) await taking
  if (socket.destroyed) {
    sessions?.giveBack()
    throw new SecureSocketError('ERR_SECURE_SOCKET_CLOSED', 'the socket was closed', { phase: 'handshake' })
  }
  await prove(core, begin(core, handshake, sessions, observer), handshake, sessions)
}

/** The same for an engine that `begin` has started, and whose connection is made. */
export function finish(
  socket: SecureSocket,
  core: SocketCore,
  engine: TlsEngine,
  handshake: Handshake,
  sessions: ClientSessions | undefined,
): Promise<unknown> {
  return isTraced()
    ? told(socket, core, handshake, () => prove(core, engine, handshake, sessions))
    : prove(core, engine, handshake, sessions)
}

function told(
  socket: SecureSocket,
  { where: { host, port } }: SocketCore,
  { role }: Handshake,
  run: () => Promise<unknown>,
): Promise<unknown> {
  return traced({ socket, role, host, port }, run)
}

/** A client's sessions, where they may be kept at all. */
export function clientSessions({ sessions }: Prepared, { handshake }: Resolved): ClientSessions | undefined {
  return sessions === undefined ? undefined : new ClientSessions(sessions.store, sessions.key, handshake.tickets)
}

/** The engine, started: where the transport is connected, our first message leaves in this tick. */
export function begin(
  core: SocketCore,
  { role, transport, prepared, resolved, stapling }: Handshake,
  sessions: ClientSessions | undefined,
  observer?: RecordObserver,
): TlsEngine {
  const { secureContext, policy } = prepared
  const { handshake, transport: address, context } = resolved
  core.allowsTruncation = handshake.truncation === 'allow'
  core.onPeerShutdown = handshake.onPeerShutdown
  const engine = startTlsEngine({
    role,
    transport,
    secureContext,
    psk: context.psk,
    handshake,
    host: address.host,
    sessions,
    staple: policy.enabled && policy.revocation.staple !== 'off',
    observer,
    stapling,
  })
  if (handshake.keylog === true) logKeys(engine.tls)
  return engine
}

function prove(
  core: SocketCore,
  engine: TlsEngine,
  { prepared, resolved, timeout, examine }: Handshake,
  sessions: ClientSessions | undefined,
): Promise<unknown> {
  const limit = timeout ?? resolved.handshake.handshakeTimeout ?? 30_000
  return core.secure(engine, prepared.policy, limit, sessions, examine)
}
