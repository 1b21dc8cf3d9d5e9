import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { certificateFor } from './certificate-choice.ts'
import { type CheckedHello, normalName, parseClientHello } from './client-hello.ts'
import type { PeerClaim } from './engine/engine.ts'
import { guard } from './engine/guard.ts'
import { SecureSocketError } from './errors.ts'
import { type Handshake, shake } from './handshake.ts'
import type { Host, HostTable } from './hosts.ts'
import { readHello } from './read-hello.ts'
import { resumesById } from './server-sessions.ts'
import type { SecureSocket } from './secure-socket.ts'
import { handshakeTimeout } from './failures.ts'
import type { SocketCore } from './socket-core.ts'

export interface Acceptance {
  readonly transport: Duplex
  readonly table: HostTable
  /** True where the caller keeps the time, and closes the socket when it is over. */
  readonly isTimed?: boolean
  /** The client has said something. */
  readonly onFirstByte?: () => void
  /** Takes a client that does not speak TLS; without it, it is refused. */
  readonly onPlaintext?: ((bytes: Uint8Array) => void) | undefined
}

/**
 * The server's side of a handshake: the hello, the host, TLS with its context, the checks, all within one deadline. Resolves with 'plain' where
 * `onPlaintext` has taken the client.
 *
 * Rejects with ERR_SECURE_SOCKET_CLIENT_HELLO, ERR_SECURE_SOCKET_NOT_TLS, ERR_SECURE_SOCKET_UNRECOGNIZED_NAME, ERR_SECURE_SOCKET_HANDSHAKE_TIMEOUT,
 * what `onHello` throws, and as every handshake does; the caller destroys the socket.
 */
export async function acceptTls(
  socket: SecureSocket,
  core: SocketCore,
  { transport, table, isTimed = false, onFirstByte, onPlaintext }: Acceptance,
): Promise<'secure' | 'plain'> {
  const { handshakeTimeout: limit = 30_000, maxHelloSize = 16_384 } = table.server.resolved.handshake
  const deadline = performance.now() + limit
  guard(core, transport, 'handshake')
  const first = await readHello(transport, { maxHelloSize, timeout: isTimed ? undefined : limit, onFirstByte })
  if (first.kind === 'plaintext') {
    if (onPlaintext === undefined) throw notTls(first.bytes)
    onPlaintext(first.bytes)
    return 'plain'
  }
  const { hello } = first
  core.clientHello = hello
  let host: Host | undefined
  try {
    const chosen = table.choose(hello)
    host = chosen instanceof Promise ? await inTime(chosen, left(deadline), limit, core.closing) : chosen
  } catch (error) {
    sendAlert(transport, INTERNAL_ERROR)
    throw error
  }
  if (host === undefined) {
    sendAlert(transport, hello.servername === undefined ? MISSING_EXTENSION : UNRECOGNIZED_NAME)
    throw unrecognized(hello.servername)
  }
  const plain = host.keeping === undefined && host.singles.length === 0 && !hello.offersTicket
  const { prepared, stapling } = plain ? host : await shownTo(hello, host)
  await shake(socket, core, {
    role: 'server',
    transport,
    prepared,
    resolved: host.resolved,
    stapling,
    timeout: isTimed ? Number.POSITIVE_INFINITY : left(deadline),
    examine: (tls, claim) =>
      examine(tls, claim, hello, host.prepared.secureContext !== host.resolved.context.secureContext),
  })
  core.servername = hello.servername ?? false
  return 'secure'
}

/** The context for this client, and whom node:tls asks for staples and sessions. */
async function shownTo(hello: CheckedHello, host: Host): Promise<Pick<Handshake, 'prepared' | 'stapling'>> {
  const { prepared, resolved, stapling, keeping, singles, renewing } = host
  if (keeping !== undefined && resumesById(hello, resolved.context)) return { prepared, stapling: keeping }
  const one = singles.length === 0 ? undefined : certificateFor(parseClientHello(hello.raw), singles, resolved.context)
  if (one !== undefined) return { prepared: { ...prepared, secureContext: one.secureContext }, stapling: one.stapling }
  return { prepared: (hello.offersTicket ? await renewing?.() : undefined) ?? prepared, stapling }
}

/** Milliseconds, at least one. */
function left(deadline: number): number {
  return Math.max(1, Math.ceil(deadline - performance.now()))
}

/**
 * OpenSSL must have understood the same name as we (rule 22): the host was chosen by ours. A session of a context of the program's own may have been
 * earned under another policy, so that its certificate counts as none (rule 9).
 */
function examine(tls: TLSSocket, claim: PeerClaim, hello: CheckedHello, isOurContext: boolean): PeerClaim {
  const named: unknown = tls.servername
  const isSame = named !== undefined && named === hello.servername
  const understood = isSame ? hello.servername : typeof named === 'string' ? normalName(named) : undefined
  // on a resumed TLS 1.2 session OpenSSL has no name; there is no second hello either, and the session is bound to the host
  const unnamed = understood === undefined && claim.source === 'session' && tls.getProtocol() === 'TLSv1.2'
  if (understood !== hello.servername && !unnamed)
    throw new SecureSocketError(
      'ERR_SECURE_SOCKET_UNRECOGNIZED_NAME',
      `the client asked for '${hello.servername ?? ''}' and then for '${understood ?? ''}'`,
      { phase: 'handshake' },
    )
  if (claim.source === 'handshake' || isOurContext) return claim
  return { ...claim, chain: [], leaf: undefined }
}

/** Record header (alert, TLS 1.2, 2 bytes) and level: fatal. */
const FATAL_ALERT = [21, 3, 3, 0, 2, 2] as const
/** RFC 8446 section 6.2. */
const INTERNAL_ERROR = 80
const MISSING_EXTENSION = 109
const UNRECOGNIZED_NAME = 112

/** A fatal alert in clear: no keys have been agreed on yet. */
function sendAlert(transport: Duplex, description: number): void {
  if (!transport.writable) return
  transport.write(Buffer.from([...FATAL_ALERT, description]))
}

/** The answer, unless the deadline or the end of the connection comes first. */
function inTime<T>(work: Promise<T>, timeout: number, limit: number, closing: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onClosing = (): void => reject(closing.reason as Error)
    const timer = setTimeout(() => reject(handshakeTimeout(limit)), timeout)
    closing.addEventListener('abort', onClosing, { once: true })
    work.then(resolve, reject).finally(() => {
      clearTimeout(timer)
      closing.removeEventListener('abort', onClosing)
    })
  })
}

function notTls(bytes: Uint8Array): SecureSocketError {
  return new SecureSocketError(
    'ERR_SECURE_SOCKET_NOT_TLS',
    `the client does not speak TLS: it began with ${JSON.stringify(Buffer.from(bytes.subarray(0, 24)).toString('latin1'))}`,
    { phase: 'handshake', hint: "such clients can be taken by 'onPlaintext'" },
  )
}

function unrecognized(name: string | undefined): SecureSocketError {
  return new SecureSocketError(
    'ERR_SECURE_SOCKET_UNRECOGNIZED_NAME',
    name === undefined ? 'the client asked for no name' : `the client asked for '${name}', which is not served here`,
    { phase: 'handshake', hint: "a host '' stands for all other names" },
  )
}
