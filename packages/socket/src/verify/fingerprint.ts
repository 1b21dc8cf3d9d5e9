import { matchesFingerprint } from '@x/utils'
import type { PeerClaim } from '../engine/engine.ts'
import type { TrustPolicy } from './policy.ts'
import { failure, type Outcome, refused, waivedByOption } from './verification.ts'

/** Is the leaf one of the pinned certificates or keys? (the original's SSL_fingerprint and SSL_force_fingerprint) */
export function checkFingerprint(claim: PeerClaim, policy: TrustPolicy): Outcome<'fingerprint'> {
  const { fingerprints, forceFingerprints } = policy
  if (fingerprints.length === 0 && !forceFingerprints) return waivedByOption('verify.fingerprints')
  const leaf = claim.chain[0]
  const matched = leaf === undefined || fingerprints.length === 0 ? undefined : matchesFingerprint(leaf, fingerprints)
  if (matched !== undefined) return { result: 'passed', evidence: { matched } }
  const reason = failure(
    'ERR_SECURE_SOCKET_FINGERPRINT_MISMATCH',
    0,
    'the certificate matches none of the pinned fingerprints',
  )
  // without forceFingerprints a pin only ever adds a way to be accepted
  return forceFingerprints ? refused(reason) : waivedByOption('verify.forceFingerprints', [reason])
}
