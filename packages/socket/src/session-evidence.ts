import type { SessionEntry } from '@x/session-cache'
import { sameBytes } from '@x/der/x509'
import { peerIn } from '@x/session-cache/tls'
import type { PeerClaim } from './engine/engine.ts'
import { knownCertificate } from './engine/known-certificates.ts'
import { SecureSocketError } from './errors.ts'
import { checkChain } from './verify/chain.ts'
import { checkFingerprint } from './verify/fingerprint.ts'
import type { TrustPolicy } from './verify/policy.ts'
import { checkRevocation, needsInquiry } from './verify/revocation.ts'
import { revocationSubject } from './verify/revocation-subject.ts'
import { viewOf } from './verify/view.ts'
import { walk } from './verify/walk.ts'

/** What an entry of ours carries beside the chain. */
export interface SessionEvidence {
  /** Milliseconds since 1970: when a full handshake last verified the peer. */
  readonly verifiedAt: number
  /** The trust key that the entry belongs under, so that a store that mixes keys up is noticed. */
  readonly key: string
  /** OpenSSL's verdict in that handshake, null for none: a chain that only a pin or a callback let pass must not come back as a good one. */
  readonly openssl: { readonly code: string; readonly reason: string | null } | null
}

/** However often it was resumed, after a day the peer is verified again in full. */
export const VERDICT_LIFETIME: number = 24 * 3_600_000

/** Entries of full handshakes of this process; what others bring has its signatures checked again. */
const earnedHere = new WeakSet<SessionEntry>()

/** This entry comes of a full handshake of this process, or of one that such an entry has resumed. */
export function isEarnedHere(entry: SessionEntry): boolean {
  return earnedHere.has(entry)
}

export function rememberEarned(entry: SessionEntry): void {
  earnedHere.add(entry)
}

export function evidenceOf(entry: SessionEntry | undefined): SessionEvidence | undefined {
  const { key, verifiedAt, openssl } = Object(entry?.evidence) as Partial<SessionEvidence>
  if (typeof key !== 'string' || typeof verifiedAt !== 'number') return undefined
  if (openssl === null) return { key, verifiedAt, openssl }
  const { code, reason } = Object(openssl) as { code?: unknown; reason?: unknown }
  if (typeof code !== 'string') return undefined
  return { key, verifiedAt, openssl: { code, reason: typeof reason === 'string' ? reason : null } }
}

/**
 * What a store has handed out, read once: it may change while a connection is made, or answer otherwise when it is asked again. Undefined where it is no
 * entry of ours.
 */
export function copyOf(entry: SessionEntry): SessionEntry | undefined {
  const { session, protocol, expires, chain, name } = entry
  const evidence = evidenceOf(entry)
  if (evidence === undefined || !(session instanceof Uint8Array) || !Array.isArray(chain)) return undefined
  const certificates = [...(chain as readonly unknown[])]
  if (!certificates.every((der) => der instanceof Uint8Array)) return undefined
  const copy: SessionEntry<SessionEvidence> = {
    session: Buffer.from(session),
    protocol,
    expires,
    chain: certificates.map(knownCertificate),
    name,
    evidence,
  }
  if (earnedHere.has(entry)) earnedHere.add(copy)
  return copy
}

/** Whatever a store of somebody else's hands out (see `copyOf`): the entry must hold what a verdict needs, for the name that is asked for now. */
export function isUsable(entry: SessionEntry, key: string, policy: TrustPolicy): boolean {
  const evidence = evidenceOf(entry)
  const name = policy.name.by === 'nothing' ? undefined : policy.name.host
  const now = Date.now()
  return (
    entry.chain.length > 0 &&
    entry.chain.every(isCertificate) &&
    entry.name === name &&
    evidence !== undefined &&
    evidence.key === key &&
    evidence.verifiedAt <= now &&
    now < evidence.verifiedAt + VERDICT_LIFETIME &&
    now < entry.expires &&
    isAbout(entry.session, entry.chain[0] as Uint8Array) &&
    isProven(entry, evidence, policy)
  )
}

function isCertificate(der: Uint8Array): boolean {
  return viewOf(der).der === der
}

/** OpenSSL keeps the peer's certificate in the session, so that a chain put beside another session is seen. */
function isAbout(session: Uint8Array, leaf: Uint8Array): boolean {
  const peer = peerIn(session)
  return peer !== undefined && sameBytes(peer, leaf)
}

/**
 * That OpenSSL accepted the chain is known of what this process has earned, and else only said by the store: then our walk must accept it too.
 * The program's own clock is asked of either.
 */
function isProven(entry: SessionEntry, { openssl }: SessionEvidence, policy: TrustPolicy): boolean {
  if (openssl !== null || policy.callback !== undefined) return true // the checks refuse, walk or ask the callback
  if (isEarnedHere(entry) && policy.now === undefined) return true
  return walk(resumedClaim(entry), policy).failures.length === 0
}

/**
 * Where a good status is demanded, the entry of this claim is offered only if the caches and lists at hand give one now (rule 10): a resumed
 * handshake brings no staple.
 */
export function isGoodAtOnce(claim: PeerClaim, policy: TrustPolicy): boolean {
  return !needsInquiry(claim, offline(policy))
}

export async function isGoodByNow(entry: SessionEntry, policy: TrustPolicy, signal: AbortSignal): Promise<boolean> {
  const claim = resumedClaim(entry)
  if (isGoodAtOnce(claim, policy)) return true
  const rules = offline(policy)
  // the callback has accepted this chain once, and is asked again when it is resumed
  const chain = await checkChain(claim, { ...rules, callback: undefined }, { closing: signal })
  const subject = revocationSubject(claim, rules, checkFingerprint(claim, rules), chain)
  return (await checkRevocation(claim, subject, rules, signal)).result !== 'refused'
}

function offline(policy: TrustPolicy): TrustPolicy {
  let rules = offlineRules.get(policy)
  if (rules === undefined) {
    rules = { ...policy, revocation: { ...policy.revocation, onStaple: undefined, online: false } }
    offlineRules.set(policy, rules)
  }
  return rules
}

const offlineRules = new WeakMap<TrustPolicy, TrustPolicy>()

/** The claim of a resumed peer: the chain of the entry, since the handshake carries none. */
export function resumedClaim(entry: SessionEntry): PeerClaim {
  const openssl = evidenceOf(entry)?.openssl
  if (openssl === undefined)
    throw new SecureSocketError('ERR_SECURE_SOCKET_STATE', 'a session without the verdict that it was earned by')
  return {
    chain: entry.chain,
    source: 'session',
    opensslError: openssl?.code,
    opensslReason: openssl?.reason ?? undefined,
    staple: undefined,
    pskUsed: false,
    leaf: undefined,
  }
}
