import { X509Certificate } from 'node:crypto'
import type { PeerClaim } from '../engine/engine.ts'
import { AcceptedChain } from './anchor.ts'
import { askCallback } from './callback.ts'
import { sentence } from './path/codes.ts'
import { caStoreAnchors, isExplained, type PathResult } from './path/index.ts'
import { currentTime, type TrustPolicy } from './policy.ts'
import { type Failure, failure, type Outcome, refused, waivedByOption } from './verification.ts'
import { viewOf } from './view.ts'
import { unanchored, walk } from './walk.ts'

/** What ends the wait of a check. A signal costs more than most checks, so it is only made where one waits. */
export interface Ending {
  readonly closing: AbortSignal
}

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
  ending: Ending,
): Outcome<'chain'> | Promise<Outcome<'chain'>> {
  if (claim.pskUsed) return { result: 'passed', evidence: { path: [], anchor: 'psk', proven: 'now' } }
  if (claim.chain.length === 0) return withoutCertificate(policy)
  if (policy.decidedBy === 'walk') return byWalk(claim, policy, ending)
  if (policy.callback !== undefined) return withCallback(claim, policy, ending)
  if (claim.opensslError !== undefined) return refused(...explained(claim, policy, claim.opensslError))
  const [first, ...others] = sinceHandshake(claim, policy)
  if (first !== undefined) return refused(first, ...others)
  return { result: 'passed', evidence: new AcceptedChain(claim, policy) }
}

/**
 * OpenSSL has been given CAs to name to clients, not ours: that it finds an anchor among them counts for nothing, and that it finds none is no
 * failure (rule 16). All else that it reports refuses.
 */
function byWalk(claim: PeerClaim, policy: TrustPolicy, ending: Ending): Outcome<'chain'> | Promise<Outcome<'chain'>> {
  if (policy.anchors === undefined)
    return refused(failure('UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 0, 'no CA is trusted to issue client certificates'))
  const { chain, opensslError } = claim
  const counts = opensslError !== undefined && !unanchored.has(opensslError)
  const judged: PeerClaim = counts ? claim : { ...claim, chain, opensslError: undefined, opensslReason: undefined }
  if (policy.callback !== undefined) return withCallback(judged, policy, ending)
  if (judged.opensslError !== undefined) return refused(...explained(judged, policy, judged.opensslError))
  const [first, ...others] = found(walk(judged, policy))
  if (first !== undefined) return refused(first, ...others)
  return { result: 'passed', evidence: new AcceptedChain(claim, policy) }
}

function withoutCertificate(policy: TrustPolicy): Outcome<'chain'> {
  if (policy.certificate === 'none' || policy.certificate === 'optional') return waivedByOption('requestCert')
  return refused(failure('ERR_SECURE_SOCKET_NO_PEER_CERTIFICATE', 0, 'the peer has shown no certificate'))
}

/**
 * What no handshake has looked at: whom the store distrusts, the program's own clock, and, for a resumed session, the system's. A certificate that was sent along
 * and is on no path may be outside its validity, so the walk decides where one is. The comparisons are written so that NaN refuses.
 */
function sinceHandshake(claim: PeerClaim, policy: TrustPolicy): readonly Failure[] {
  // OpenSSL does not know whom the store distrusts: where such a certificate was sent, the walk decides
  if (policy.anchors !== undefined && claim.chain.some(caStoreAnchors(policy.anchors).isDistrusted ?? (() => true)))
    return found(walk(claim, policy))
  if (policy.now === undefined && claim.source === 'handshake') return []
  const now = currentTime(policy)
  const current = claim.chain.map(viewOf).every(({ notBefore, notAfter }) => now >= notBefore && now <= notAfter)
  return policy.now === undefined && current ? [] : found(walk(claim, policy))
}

function found({ failures }: PathResult): readonly Failure[] {
  return failures.map(({ code, depth, message }) => failure(code, depth, message))
}

/** OpenSSL's verdict first, then everything else that the walk finds: OpenSSL stops at one error. */
function explained(claim: PeerClaim, policy: TrustPolicy, code: string): [Failure, ...Failure[]] {
  const all = found(walk(claim, policy))
  const first = all.find((entry) => entry.code === code) ?? failure(code, 0, claim.opensslReason ?? sentence(code))
  return [first, ...all.filter((entry) => entry !== first)]
}

async function withCallback(claim: PeerClaim, policy: TrustPolicy, ending: Ending): Promise<Outcome<'chain'>> {
  const result = walk(claim, policy)
  const failures = found(result)
  const { opensslError, opensslReason } = claim
  if (opensslError !== undefined && !isExplained(opensslError, failures, opensslReason))
    return refused(failure(opensslError, 0, opensslReason ?? sentence(opensslError)), ...failures)
  const certificates = result.path.map((view) => new X509Certificate(view.der))
  // what lies at no certificate of the path would never be put to the callback
  const unasked = failures.find(({ depth }) => !(depth < certificates.length))
  if (unasked !== undefined) return refused(unasked, ...failures.filter((entry) => entry !== unasked))
  const refusals = await askCallback(certificates, failures, policy, ending.closing)
  if (refusals !== undefined) return refused(...refusals)
  if (failures.length > 0) return { result: 'waived', waiver: { by: 'callback' }, failures }
  return { result: 'passed', evidence: new AcceptedChain(claim, policy) }
}
