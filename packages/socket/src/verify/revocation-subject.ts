import { X509Certificate } from 'node:crypto'
import type { PeerClaim } from '../engine/engine.ts'
import type { TrustPolicy } from './policy.ts'
import type { Outcome } from './verification.ts'
import { walk } from './walk.ts'

/** The path whose certificates are asked about, leaf first. Each has signed the one before it. */
export interface RevocationSubject {
  readonly path: readonly Uint8Array[]
  /** The last of the path is trusted for itself: nobody can revoke it. Without an anchor everyone of the path needs a status. */
  readonly anchored: boolean
  /** Who issued a leaf that is trusted for itself, where that is at hand. */
  readonly aboveTrusted?: Uint8Array | undefined
  /** Whether the chain was verified: only then are the URLs in its certificates followed (rule 21). */
  readonly verified: boolean
}

/**
 * Whom to ask about: the path that the walk finds, cut where a signature does not hold, so that nobody but a certificate's issuer can call
 * it good. A look-alike that the peer sends in the place of a revoked intermediate is on no such path.
 */
export function revocationSubject(
  claim: PeerClaim,
  policy: TrustPolicy,
  fingerprint: Outcome<'fingerprint'>,
  chain: Outcome<'chain'>,
): RevocationSubject {
  const result = walk(claim, policy)
  const all = result.path.map((view) => view.der)
  const path = result.failures.length === 0 ? all : signedPart(all)
  const anchored = result.anchor !== undefined && path.length === all.length
  const verified = chain.result === 'passed' && path.length === all.length
  // a pinned key says nothing of who certifies it: whoever holds the key can be its own CA, and call itself good
  if (!anchored && !verified && isKeyPin(fingerprint)) return { path: path.slice(0, 1), anchored, verified }
  return { path, anchored, verified, ...(anchored && path.length === 1 ? { aboveTrusted: beyond(claim, policy) } : {}) }
}

function beyond(claim: PeerClaim, policy: TrustPolicy): Uint8Array | undefined {
  const { path } = walk(claim, { ...policy, partialChain: false })
  return signedPart(path.map((view) => view.der))[1]
}

function isKeyPin(fingerprint: Outcome<'fingerprint'>): boolean {
  return fingerprint.result === 'passed' && /(?:^|\$)(?:pub|spki)\$/i.test(fingerprint.evidence.matched)
}

function signedPart(path: readonly Uint8Array[]): readonly Uint8Array[] {
  const end = path.findIndex((der, depth) => depth > 0 && !hasSigned(der, path[depth - 1] as Uint8Array))
  return end === -1 ? path : path.slice(0, end)
}

function hasSigned(issuer: Uint8Array, certificate: Uint8Array): boolean {
  try {
    return new X509Certificate(certificate).verify(new X509Certificate(issuer).publicKey)
  } catch {
    return false // a key that OpenSSL cannot use has signed nothing
  }
}
