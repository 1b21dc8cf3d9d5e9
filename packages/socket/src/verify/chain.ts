import { X509Certificate } from 'node:crypto'
import type { PeerClaim } from '../engine/engine.ts'
import { AcceptedChain } from './anchor.ts'
import { askCallback } from './callback.ts'
import { sentence } from './path/codes.ts'
import {
  type AnchorSource,
  caStoreAnchors,
  isExplained,
  listedAnchors,
  type PathResult,
  validatePath,
} from './path/index.ts'
import type { TrustPolicy } from './policy.ts'
import { type Failure, failure, type Outcome, refused, waivedByOption } from './verification.ts'
import { viewOf } from './view.ts'

/**
 * Is there a path of valid certificates from the leaf to a CA that we trust?
 *
 * Without a callback OpenSSL's verdict decides, and our own walk only tells more about a refusal. With one, it may waive what the
 * walk found at a certificate; what OpenSSL reports and the walk did not find refuses all the same (rule 2). An injected clock can only
 * refuse (rule 5).
 */
export function checkChain(
  claim: PeerClaim,
  policy: TrustPolicy,
  signal: AbortSignal,
): Outcome<'chain'> | Promise<Outcome<'chain'>> {
  if (claim.pskUsed) return { result: 'passed', evidence: { path: [], anchor: 'psk', proven: 'now' } }
  if (claim.chain.length === 0) return withoutCertificate(policy)
  const late = outsideValidity(claim, policy)
  if (policy.callback !== undefined) return withCallback(claim, policy, late, signal)
  if (claim.opensslError !== undefined) return refused(...explained(claim, policy, claim.opensslError))
  if (late !== undefined) return refused(late)
  return { result: 'passed', evidence: new AcceptedChain(claim, policy) }
}

function withoutCertificate(policy: TrustPolicy): Outcome<'chain'> {
  if (policy.certificate === 'none' || policy.certificate === 'optional') return waivedByOption('requestCert')
  return refused(failure('ERR_SECURE_SOCKET_NO_PEER_CERTIFICATE', 0, 'the peer has shown no certificate'))
}

/**
 * Validity by the program's own clock, and, for a resumed session, by the system's: no handshake has looked.
 * The comparisons are written so that NaN refuses.
 */
function outsideValidity(claim: PeerClaim, policy: TrustPolicy): Failure | undefined {
  if (policy.now === undefined && claim.source === 'handshake') return undefined
  const now = (policy.now ?? Date.now)()
  for (const [depth, der] of claim.chain.entries()) {
    const { notBefore, notAfter } = viewOf(der)
    if (!(now >= notBefore)) return failure('CERT_NOT_YET_VALID', depth, sentence('CERT_NOT_YET_VALID'))
    if (!(now <= notAfter)) return failure('CERT_HAS_EXPIRED', depth, sentence('CERT_HAS_EXPIRED'))
  }
  return undefined
}

/** OpenSSL's verdict first, then everything else that the walk finds: OpenSSL stops at one error. */
function explained(claim: PeerClaim, policy: TrustPolicy, code: string): [Failure, ...Failure[]] {
  const found = walk(claim, policy).failures.map((entry) => failure(entry.code, entry.depth, entry.message))
  const first = found.find((entry) => entry.code === code) ?? failure(code, 0, claim.opensslReason ?? sentence(code))
  return [first, ...found.filter((entry) => entry !== first)]
}

async function withCallback(
  claim: PeerClaim,
  policy: TrustPolicy,
  late: Failure | undefined,
  signal: AbortSignal,
): Promise<Outcome<'chain'>> {
  const { path, failures: found } = walk(claim, policy)
  const failures = found.map((entry) => failure(entry.code, entry.depth, entry.message))
  if (late !== undefined && !failures.some(({ code, depth }) => code === late.code && depth === late.depth))
    failures.push(late)
  const hidden = claim.opensslError !== undefined && !isExplained(claim.opensslError, failures, claim.opensslReason)
  if (hidden)
    return refused(failure(claim.opensslError, 0, claim.opensslReason ?? sentence(claim.opensslError)), ...failures)
  const [first] = failures
  if (path.length === 0 && first !== undefined) return refused(first, ...failures.slice(1))
  const certificates = path.map((view) => new X509Certificate(view.der))
  const refusals = await askCallback(certificates, failures, policy, signal)
  if (refusals !== undefined) return refused(...refusals)
  if (failures.length > 0) return { result: 'waived', waiver: { by: 'callback' }, failures }
  return { result: 'passed', evidence: new AcceptedChain(claim, policy) }
}

/** RFC 5280 path validation of what the peer claims, under this policy. */
export function walk(claim: PeerClaim, policy: TrustPolicy): PathResult {
  return validatePath({
    chain: claim.chain,
    anchors: anchorsOf(policy),
    purpose: policy.role === 'client' ? 'server' : 'client',
    now: (policy.now ?? Date.now)(),
    partialChain: policy.partialChain,
  })
}

function anchorsOf({ anchors }: TrustPolicy): AnchorSource {
  return anchors === undefined ? listedAnchors([]) : caStoreAnchors(anchors)
}
