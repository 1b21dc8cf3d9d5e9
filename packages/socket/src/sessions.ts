import type { TLSSocket } from 'node:tls'
import type { SessionEntry, SessionStore } from '@x/session-cache'
import { readTicket, withoutPeer, withPeer } from '@x/session-cache/tls'
import type { PeerClaim } from './engine/engine.ts'
import {
  copyOf,
  evidenceOf,
  isEarnedHere,
  isGoodAtOnce,
  isGoodByNow,
  isUsable,
  rememberEarned,
  resumedClaim,
  type SessionEvidence,
  VERDICT_LIFETIME,
} from './session-evidence.ts'
import type { Ending } from './verify/chain.ts'
import { unlessAborted } from './verify/network-time.ts'
import type { TrustPolicy } from './verify/policy.ts'
import { viewOf } from './verify/view.ts'

/** Milliseconds that a store may take to hand out a session; later costs a full handshake. */
const PATIENCE = 2_000

/** A ticket is offered for at most two hours, which is what most servers keep it for. */
const TICKET_LIFETIME = 2 * 3_600_000
/** Entries that are looked at, and dropped, before there is a full handshake. */
const TRIES = 4

/**
 * The sessions of one connection: one that may be offered, and those that the server gives us. They are kept only after a positive
 * verdict (in TLS 1.2 the event comes earlier), together with the chain, so that a resumed peer is judged by the same checks.
 */
export class ClientSessions {
  readonly #store: SessionStore
  readonly #key: string
  readonly #again: boolean
  /** A copy of what the store has handed out, and that itself, which is all that the store gets back. */
  #offered: SessionEntry | undefined
  #original: SessionEntry | undefined
  /** While the store, or a check, is waited for; a second call waits for the same. */
  #taking: Promise<SessionEntry | undefined> | undefined
  #isOver = false
  #early: Buffer[] = []
  #kept = 0
  #looks = 0
  #onVerdict: ((session: Buffer) => void) | undefined

  /** `tickets` is the option of that name. */
  constructor(store: SessionStore, key: string, tickets: 'once' | 'again' = 'once') {
    this.#store = store
    this.#key = key
    this.#again = tickets === 'again'
  }

  /**
   * The entry to offer; a Promise where the store answers with one, or where an entry has to be looked into.
   * A store that fails, is slow or answers nonsense costs a full handshake and no more.
   */
  take(policy: TrustPolicy, ending: Ending): SessionEntry | undefined | Promise<SessionEntry | undefined> {
    if (this.#taking !== undefined) return this.#taking
    let found: SessionEntry | undefined | Promise<SessionEntry | undefined>
    try {
      found = this.#store.get(this.#key)
      if (found === undefined) return undefined
      const entry = isThenable(found) ? undefined : copyOf(found)
      if (entry !== undefined && isUsable(entry, this.#key, policy) && isGoodAtOnce(resumedClaim(entry), policy)) {
        this.#original = found as SessionEntry
        return (this.#offered = entry)
      }
    } catch (error) {
      found = Promise.reject(error)
    }
    return (this.#taking = this.#takeInTime(found, policy, ending.closing))
  }

  async #takeInTime(
    first: SessionEntry | Promise<SessionEntry | undefined>,
    policy: TrustPolicy,
    closing: AbortSignal,
  ): Promise<SessionEntry | undefined> {
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), PATIENCE)
    const signal = AbortSignal.any([late.signal, closing])
    try {
      const found = await unlessAborted(this.#find(first, policy, signal), signal)
      this.#original = found?.original
      this.#offered = found?.entry
      if (this.#isOver) this.giveBack()
    } catch {
      this.#offered = this.#original = undefined
    } finally {
      clearTimeout(timer)
    }
    return this.#offered
  }

  async #find(
    first: SessionEntry | Promise<SessionEntry | undefined>,
    policy: TrustPolicy,
    signal: AbortSignal,
  ): Promise<{ readonly original: SessionEntry; readonly entry: SessionEntry } | undefined> {
    let original = await first
    for (let tries = 0; tries < TRIES && original !== undefined; tries++) {
      const entry = signal.aborted ? undefined : copyOf(original)
      const isGood =
        entry !== undefined && isUsable(entry, this.#key, policy) && (await isGoodByNow(entry, policy, signal))
      if (signal.aborted) {
        this.#putBack(original) // nobody waits for it any longer
        return undefined
      }
      if (isGood) return { original, entry }
      await this.#store.delete(this.#key, original) // in TLS 1.2 it would be handed out again
      if (tries < TRIES - 1) original = await this.#store.get(this.#key)
    }
    return undefined
  }

  /** The connection was not made: the entry that was to be offered, now or when the store has it, may be offered by another. */
  giveBack(): void {
    this.#isOver = true
    const unused = this.#original
    this.#offered = this.#original = undefined
    if (unused !== undefined) this.#putBack(unused)
  }

  #putBack(unused: SessionEntry): void {
    try {
      if (unused.protocol !== 'TLSv1.2') this.#add(unused) // in TLS 1.2 the store still has it
    } catch {
      // the store's own object: what cannot be read is not given back
    }
  }

  get offered(): SessionEntry | undefined {
    return this.#offered
  }

  /** What a peer claims that is resumed by the session offered. */
  get claim(): PeerClaim | undefined {
    return this.#offered === undefined ? undefined : resumedClaim(this.#offered)
  }

  /**
   * What is to be set: without the peer's certificate, which OpenSSL would decode and nobody ask it for, since a resumed peer is judged by the
   * entry's chain.
   */
  get toOffer(): Buffer | undefined {
    const session = this.#offered?.session
    return session === undefined ? undefined : (withoutPeer(session) ?? Buffer.from(session))
  }

  /** To be called for each session that Node reports; those before the verdict wait for it. */
  received(session: Buffer): void {
    if (this.#onVerdict === undefined) this.#early.push(session)
    else this.#onVerdict(session)
  }

  /** The peer is trusted: from now on its sessions are kept. */
  accepted(tls: TLSSocket, claim: PeerClaim, policy: TrustPolicy): void {
    const now = Date.now()
    const { opensslError: code, opensslReason: reason = null } = claim
    const fresh: SessionEvidence = {
      key: this.#key,
      verifiedAt: now,
      openssl: code === undefined ? null : { code, reason },
    }
    const used = claim.source === 'session' ? this.#offered : undefined
    const evidence = claim.source === 'session' ? evidenceOf(used) : fresh
    const protocol = tls.getProtocol()
    if (evidence === undefined || protocol === null || claim.chain.length === 0) return
    const name = policy.name.by === 'nothing' ? undefined : policy.name.host
    const notAfter = Math.min(...claim.chain.map((der) => viewOf(der).notAfter))
    const [leaf] = claim.chain
    this.#onVerdict = (received) => {
      // what a resumption brings has no certificate where none was offered; an entry's has (see `isUsable`)
      const session = (used === undefined || leaf === undefined ? undefined : withPeer(received, leaf)) ?? received
      const lifetime = readTicket(session)?.expires ?? Number.POSITIVE_INFINITY
      const expires = Math.min(lifetime, Date.now() + TICKET_LIFETIME, evidence.verifiedAt + VERDICT_LIFETIME, notAfter)
      const chain = claim.chain.map((der) => Uint8Array.from(der)) // the store is the program's
      const entry: SessionEntry = { session, protocol, expires, chain, name, evidence }
      this.#kept++
      // whoever was resumed by an entry that a store brought has proven no more than that
      if (used === undefined || isEarnedHere(used)) rememberEarned(entry)
      this.#add(entry)
    }
    if (used?.protocol === 'TLSv1.2') this.#lookForTicket(tls, used)
    // before what the server has sent in its place, which is to be found first
    if (this.#again && used !== undefined && used.protocol !== 'TLSv1.2' && this.#original !== undefined)
      this.#add(this.#original)
    for (const session of this.#early.splice(0)) this.#onVerdict(session)
  }

  /** In TLS 1.2 the ticket that comes in place of the one resumed by is part of the handshake, and Node emits no event for it. */
  #lookForTicket(tls: TLSSocket, used: SessionEntry): void {
    this.#looks = MAX_LOOKS
    const ticket = tls.getTLSTicket()
    const before = readTicket(used.session)?.id
    if (ticket === undefined || (before !== undefined && Buffer.compare(ticket, before) === 0)) return
    const session = tls.getSession() ?? undefined // null where the connection is gone
    if (session !== undefined) this.#onVerdict?.(session)
  }

  /**
   * What Node emits no event for: sessions over 10,240 bytes (fact 7). To be called when data has come and when the connection ends.
   * True: there is no more to look for.
   */
  fetchUnreported(tls: TLSSocket): boolean {
    if (this.#kept > 0 || this.#onVerdict === undefined || this.#looks >= MAX_LOOKS) return true
    const reused = tls.isSessionReused()
    const used = reused ? this.#offered : undefined
    if (reused && (used === undefined || used.session.length <= MAX_REPORTED)) return true
    const session = tls.getSession() ?? undefined // null where the connection is gone
    const isNew = session !== undefined && isAnother(session, used)
    if (isNew && (reused || session.length > MAX_REPORTED)) this.#onVerdict(session)
    // a server that speaks first may do so before its ticket; one that never sends any is not asked for long
    return isNew || ++this.#looks >= MAX_LOOKS
  }

  #add(entry: SessionEntry): void {
    try {
      Promise.resolve(this.#store.add(this.#key, entry)).catch(() => undefined) // a store that fails costs a full handshake later
    } catch {
      // the same
    }
  }
}

/** SSL::kMaxSessionSize of Node. */
const MAX_REPORTED = 10_240
const MAX_LOOKS = 4

/** In TLS 1.3 there is a session before there is a ticket to it; and a ticket that was used must not be kept again. */
function isAnother(session: Uint8Array, used: SessionEntry | undefined): boolean {
  const ticket = readTicket(session)
  if (ticket === undefined) return used === undefined // in a form of its own, of which nothing can be told
  if (ticket.id === undefined) return false
  const before = used === undefined ? undefined : readTicket(used.session)?.id
  return before === undefined || Buffer.compare(before, ticket.id) !== 0
}

function isThenable<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && 'then' in value
}
