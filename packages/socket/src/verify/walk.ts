import type { PeerClaim } from '../engine/engine.ts'
import { caStoreAnchors, listedAnchors, type PathCode, type PathResult, validatePath } from './path/index.ts'
import { currentTime, type TrustPolicy } from './policy.ts'

/** That no anchor is known. */
export const unanchored: ReadonlySet<string> = new Set<PathCode>([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/**
 * RFC 5280 path validation of what the peer claims, under this policy. The CAs of a secure context that the program brought are known to
 * OpenSSL alone: where it has found one, that the walk finds none is no failure, and the path has no anchor.
 */
export function walk(claim: PeerClaim, policy: TrustPolicy): PathResult {
  const { anchors } = policy
  const result = validatePath({
    chain: claim.chain,
    anchors: anchors === undefined ? listedAnchors([]) : caStoreAnchors(anchors),
    purpose: policy.role === 'client' ? 'server' : 'client',
    now: currentTime(policy),
    partialChain: policy.partialChain,
  })
  if (policy.anchorsKnown || claim.opensslError !== undefined) return result
  return { ...result, failures: result.failures.filter(({ code }) => !unanchored.has(code)) }
}
