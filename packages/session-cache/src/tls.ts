import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { connect as tlsConnect, type ConnectionOptions, type DetailedPeerCertificate, type TLSSocket } from 'node:tls'
import { SessionCacheError } from './errors.ts'
import { invalidType, invalidValue, positiveInteger, refuseInherited, refuseUnknownOptions } from './misuse.ts'
import { isShareable, type PeerEvidence, policyKey, stillHolds, verifiedName } from './policy.ts'
import type { SessionEntry } from './session-entry.ts'
import type { SessionStore } from './session-store.ts'
import { readTicket } from './ticket.ts'

export type { PeerEvidence } from './policy.ts'
export { peerIn, withoutPeer, withPeer } from './session-peer.ts'
export { readTicket, type TicketFacts } from './ticket.ts'

const dayMs = 86_400_000
/** For a session whose own lifetime cannot be read. */
const cautiousMs = 300_000

/** How a connection shares sessions with others. */
export interface SharingOptions {
  /** Where sessions are kept: a `SessionCache`, an `EncryptedSessionStore`, or one's own. */
  readonly store: SessionStore<PeerEvidence>
  /** Milliseconds for which a verification counts; after that a full handshake verifies again. Default one day, at most 7. */
  readonly maxAge?: number | undefined
  /**
   * Whether a TLS 1.3 ticket may be used for another connection where the server has sent none in its place. `'once'` (the default)
   * keeps an observer from seeing that both come from one client (RFC 8446, C.4). Servers on node:tls send two tickets with a full
   * handshake and none on resumption, so that with them two of three connections resume; with `'again'` all but the first do.
   */
  readonly tickets?: 'once' | 'again' | undefined
  /** Milliseconds from the call to a verified connection. Default 30,000. */
  readonly timeout?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** The clock, in milliseconds since 1970. Default `Date.now`. */
  readonly now?: (() => number) | undefined
  /** Told of each failure of the store. Connections go on without a session. Default: nobody is told. */
  readonly onStoreError?: ((error: unknown) => void) | undefined
}

/** Who is at the other end, known also where the session was resumed and Node has no certificate to show. */
export interface SessionPeer {
  readonly resumed: boolean
  /** The verified chain, leaf first, root included where it is known. */
  readonly chain: readonly X509Certificate[]
  readonly name: string
  readonly verifiedAt: Date
}

/**
 * `tls.connect` that resumes sessions, each only under the policy it was earned under.
 *
 * A resumed connection passes by `ca`, `checkServerIdentity` and every other check of Node's. Here a session is offered only to a
 * connection whose options are equal in all that decides trust (`trustKey`), and only after `checkServerIdentity` has accepted the stored
 * certificate again and its chain is in date. What cannot be judged so is not shared, and connects with a full handshake: `rejectUnauthorized: false`,
 * a `secureContext` of the caller's, `crl`, `requestOCSP`, `pskCallback`.
 *
 * Resolves with the socket once it is secure and verified. Node's own errors pass through.
 *
 * @throws TypeError for `session` (a raw session carries no policy), for inherited options, and where there is no name to verify
 * @throws SessionCacheError (rejections) ERR_SESSION_CONNECT_TIMEOUT, ERR_SESSION_PARAMETER for an option that cannot be part of a trust key
 */
export async function connect(given: ConnectionOptions, sharing: SharingOptions): Promise<TLSSocket> {
  const rules = checkSharing(sharing)
  refuseInherited(given) // the copy would be without it, or with what was never verified
  // What the key says must be what is verified, whatever the caller does to its object while the store is asked.
  const options = { ...given }
  if (options.session !== undefined)
    throw invalidValue('options.session', 'is not taken: only sessions of the store are resumed')
  const name = verifiedName(options)
  if (name === undefined) throw invalidValue('options.servername', 'or options.host must name the server')
  rules.signal?.throwIfAborted()
  const started = rules.now()
  const key = isShareable(options) ? policyKey(options) : undefined
  const entry = key === undefined ? undefined : await findEntry(key, options, rules)
  const socket = tlsConnect(entry === undefined ? options : { ...options, session: Buffer.from(entry.session) })
  const early: Buffer[] = []
  const collect = (session: Buffer): unknown => early.push(session)
  socket.on('session', collect)
  try {
    await untilSecure(socket, rules)
  } catch (error) {
    socket.destroy()
    throw error
  }
  socket.off('session', collect)
  if (key === undefined || !socket.authorized) return socket
  const resumed = socket.isSessionReused()
  const chain = resumed ? (entry?.chain ?? []) : peerChain(socket)
  const verifiedAt = resumed ? (entry?.evidence.verifiedAt ?? Number.NaN) : started
  peers.set(socket, { resumed, chain, name, verifiedAt })
  const keep = keeper(socket, key, { chain, name, evidence: { verifiedAt } }, resumed ? entry : undefined, rules)
  if (resumed && entry !== undefined && rules.again && entry.protocol !== 'TLSv1.2') put(key, entry, rules)
  for (const session of early) keep(session)
  return socket
}

interface Peer {
  readonly resumed: boolean
  readonly chain: readonly Uint8Array[]
  readonly name: string
  readonly verifiedAt: number
}

const peers = new WeakMap<object, Peer>()

/** The peer of a socket that one of this package's helpers has made; undefined for others and where nothing was verified. */
export function sessionPeer(socket: object): SessionPeer | undefined {
  const peer = peers.get(socket)
  if (peer === undefined) return undefined
  return { ...peer, chain: peer.chain.map((der) => new X509Certificate(der)), verifiedAt: new Date(peer.verifiedAt) }
}

interface Rules {
  readonly store: SessionStore<PeerEvidence>
  readonly maxAge: number
  readonly again: boolean
  readonly timeout: number
  readonly signal: AbortSignal | undefined
  readonly now: () => number
  readonly report: (error: unknown) => void
}

/** Options of the helpers, checked and completed. */
export function checkSharing(sharing: SharingOptions): Rules {
  refuseUnknownOptions(sharing, ['store', 'maxAge', 'tickets', 'timeout', 'signal', 'now', 'onStoreError'])
  const { store } = sharing
  const isStore =
    typeof store === 'object' && store !== null && typeof store.get === 'function' && typeof store.add === 'function'
  if (!isStore) throw invalidType('sharing.store', 'a SessionStore')
  const maxAge = positiveInteger('sharing.maxAge', sharing.maxAge, dayMs)
  if (maxAge > 7 * dayMs) throw invalidValue('sharing.maxAge', 'must be at most 7 days')
  const tickets = sharing.tickets ?? 'once'
  if (tickets !== 'once' && tickets !== 'again') throw invalidValue('sharing.tickets', "must be 'once' or 'again'")
  return {
    store,
    maxAge,
    again: tickets === 'again',
    timeout: positiveInteger('sharing.timeout', sharing.timeout, 30_000),
    signal: sharing.signal,
    now: sharing.now ?? Date.now,
    report: sharing.onStoreError ?? (() => undefined),
  }
}

/** A session that may be offered. One that no longer holds is dropped, and the next one is looked at. */
async function findEntry(
  key: string,
  options: ConnectionOptions,
  rules: Rules,
): Promise<SessionEntry<PeerEvidence> | undefined> {
  try {
    for (let i = 0; i < 8; i++) {
      const entry = await rules.store.get(key)
      if (entry === undefined || stillHolds(entry, options, rules.now(), rules.maxAge)) return entry
      await rules.store.delete(key, entry)
    }
  } catch (error) {
    rules.report(error)
  }
  return undefined
}

async function untilSecure(socket: TLSSocket, rules: Rules): Promise<void> {
  const clock = AbortSignal.timeout(rules.timeout)
  const signal = rules.signal === undefined ? clock : AbortSignal.any([rules.signal, clock])
  // Without a listener an error that follows the abort would end the process.
  const ignore = (): undefined => undefined
  const closed = once(socket, 'close', { signal }).then(() => {
    throw new SessionCacheError('ERR_SESSION_CONNECT_TIMEOUT', 'the connection was closed before it was secure')
  })
  try {
    await Promise.race([once(socket, 'secureConnect', { signal }), closed])
  } catch (cause) {
    socket.on('error', ignore)
    if (rules.signal?.aborted === true) throw rules.signal.reason
    if (!clock.aborted) throw cause
    throw new SessionCacheError('ERR_SESSION_CONNECT_TIMEOUT', `no verified connection within ${rules.timeout} ms`, {
      cause,
    })
  }
}

/** Adds the sessions of a verified connection. `used` is the one it was resumed by. */
function keeper(
  socket: TLSSocket,
  key: string,
  known: Pick<SessionEntry<PeerEvidence>, 'chain' | 'name' | 'evidence'>,
  used: SessionEntry<PeerEvidence> | undefined,
  rules: Rules,
): (session: Uint8Array) => void {
  let seen = false
  const keep = (session: Uint8Array): void => {
    const ticket = readTicket(session)
    if (ticket !== undefined && ticket.id === undefined) return
    seen = true
    const protocol = ticket?.protocol ?? socket.getProtocol() ?? 'unknown'
    const expires = Math.min(ticket?.expires ?? rules.now() + cautiousMs, known.evidence.verifiedAt + rules.maxAge)
    put(key, { session, protocol, expires, ...known }, rules)
  }
  socket.on('session', keep)
  // Of sessions above 10,240 bytes Node emits no event; they are there once data has been read.
  const look = (): void => {
    const session = seen ? undefined : (socket.getSession() ?? undefined)
    if (session === undefined || readTicket(session)?.id === undefined) return
    // Where the server has sent no ticket on resumption, this is the one that was used.
    if (used === undefined || !sameTicket(session, used.session)) keep(session)
  }
  for (const event of ['end', 'finish', 'free']) socket.once(event, look)
  return keep
}

function put(key: string, entry: SessionEntry<PeerEvidence>, rules: Rules): void {
  Promise.resolve()
    .then(async () => rules.store.add(key, entry))
    .catch(rules.report)
}

function sameTicket(one: Uint8Array, two: Uint8Array): boolean {
  return Buffer.compare(readTicket(one)?.id ?? one, readTicket(two)?.id ?? two) === 0
}

/** The verified path as DER. Node follows the issuers up to a root of the trust store, which refers to itself. */
function peerChain(socket: TLSSocket): readonly Uint8Array[] {
  const chain: Uint8Array[] = []
  let certificate: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true)
  while (certificate?.raw !== undefined && chain.length < 32) {
    chain.push(certificate.raw)
    certificate = certificate.issuerCertificate === certificate ? undefined : certificate.issuerCertificate
  }
  return chain
}
