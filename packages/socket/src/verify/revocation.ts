import type { CrlStatus } from '@x/crl'
import { checkStaple, type OcspError, OcspResolver, requiresStaple } from '@x/ocsp'
import type { PeerClaim } from '../engine/engine.ts'
import type { RevocationPolicy, TrustPolicy } from './policy.ts'
import { type Evidence, type Failure, failure, type Outcome, refused, waivedByOption } from './verification.ts'

/** What is known of one certificate that is not the anchor. */
interface Good {
  readonly by: Evidence['revocation']['by']
  readonly until: Date
}

/** The path whose certificates are asked about, leaf first, the anchor last. */
export interface RevocationSubject {
  readonly path: readonly Uint8Array[]
  /** Whether the path was verified: only then are the URLs in its certificates followed (rule 21). */
  readonly verified: boolean
}

/**
 * Has any of the certificates been revoked? Staple, cache, revocation lists and, where allowed, the network are asked; "revoked" from
 * any of them refuses, whatever else was waived (rules 3 and 19).
 */
export async function checkRevocation(
  claim: PeerClaim,
  subject: RevocationSubject,
  policy: TrustPolicy,
  signal: AbortSignal,
): Promise<Outcome<'revocation'>> {
  const { revocation } = policy
  if (isOff(revocation)) return waivedByOption('revocation')
  if (claim.chain.length === 0) return waivedByOption(claim.pskUsed ? 'psk' : 'requestCert')
  const { path } = subject
  const inquiry: Inquiry = { claim, path, verified: subject.verified, policy, signal, good: new Map(), failures: [] }
  // an anchor is trusted for itself: nobody vouches for it, and nobody can revoke it
  const below = path.slice(0, -1).map((_der, depth) => depth)
  const needed = revocation.depth === 'leaf' ? below.slice(0, 1) : below
  const pinnedWithoutIssuer = path.length <= 1 && !subject.verified
  for (const ask of [askStaple, askLists, askNetwork]) {
    const refusal = await ask(inquiry, needed)
    if (refusal !== undefined) return refused(refusal, ...inquiry.failures)
  }
  const { good, failures } = inquiry
  const missing = pinnedWithoutIssuer ? [0] : needed.filter((depth) => !good.has(depth))
  if (missing.length === 0) return passed(inquiry, needed)
  for (const depth of missing)
    if (!failures.some((entry) => entry.depth === depth))
      failures.push(failure('ERR_SECURE_SOCKET_NO_REVOCATION_STATUS', depth, 'nothing says whether it was revoked'))
  if (revocation.failure === 'hard') return refused(failures[0] as Failure, ...failures.slice(1))
  return { result: 'waived', waiver: { by: 'soft-failure' }, failures }
}

interface Inquiry extends RevocationSubject {
  readonly claim: PeerClaim
  readonly policy: TrustPolicy
  readonly signal: AbortSignal
  readonly good: Map<number, Good>
  /** What did not answer, and why. */
  readonly failures: Failure[]
}

/** One source: marks what it knows to be good, notes what it cannot tell, returns what refuses. */
type Ask = (inquiry: Inquiry, needed: readonly number[]) => Promise<Failure | undefined>

function isOff({ staple, online, failure: mode, crlDepth }: RevocationPolicy): boolean {
  return staple === 'off' && !online && mode === 'soft' && crlDepth === undefined
}

const askStaple: Ask = async ({ claim, path, policy, good, failures }) => {
  const { staple, cache, onStaple } = policy.revocation
  if (staple === 'off') return undefined
  const resumed = claim.source === 'session'
  if (!resumed) onStaple?.(claim.staple)
  const [certificate, issuer] = path
  if (certificate === undefined) return undefined
  if (issuer === undefined)
    return staple === 'must' || requiresStaple(certificate) ? noStaple('its issuer is not known') : undefined
  const verdict = await checkStaple(claim.staple, {
    certificate,
    issuer,
    staple,
    resumed,
    cache,
    now: (policy.now ?? Date.now)(),
  })
  switch (verdict.result) {
    case 'good':
      good.set(0, { by: verdict.from === 'staple' ? 'staple' : 'ocsp', until: verdict.status.validUntil })
      return undefined
    case 'none':
      failures.push(ocspFailure(verdict.error, 0))
      return undefined
    case 'refused':
      return ocspFailure(verdict.error, 0)
    default:
      return verdict satisfies never
  }
}

/** Lists at hand. With CRL checking on, a certificate without a good answer is refused, whatever `failure` says (rule 20). */
const askLists: Ask = async (inquiry) => {
  const { path, policy, good } = inquiry
  const { crlDepth } = policy.revocation
  if (crlDepth === undefined) return undefined
  const depths = path.slice(0, -1).map((_der, depth) => depth)
  for (const depth of crlDepth === 'leaf' ? depths.slice(0, 1) : depths) {
    const status = await listStatus(inquiry, depth, policy.revocation.online)
    if (status.status !== 'good') return listFailure(status, depth)
    if (!good.has(depth)) good.set(depth, { by: 'crl', until: status.nextUpdate })
  }
  return undefined
}

/** Responders first, then distribution points, for whatever is not known yet. */
const askNetwork: Ask = async (inquiry, needed) => {
  const { path, verified, policy, signal, good, failures } = inquiry
  const { online, cache, fetch, timeout } = policy.revocation
  if (!online || !verified || needed.every((depth) => good.has(depth))) return undefined
  const resolver = new OcspResolver({
    chain: path,
    depth: policy.revocation.depth,
    failure: 'soft',
    anchor: 'last',
    cache,
    now: policy.now ?? Date.now,
  })
  const { findings } = await resolver.resolve({ signal, timeout, ...(fetch === undefined ? {} : { fetch }) })
  for (const [depth, finding] of findings.entries()) {
    if (finding.result === 'revoked' || finding.result === 'unknown') return ocspFailure(finding.error, depth)
    if (finding.result === 'good') good.set(depth, { by: 'ocsp', until: finding.status.validUntil })
    else if (finding.result === 'failed') for (const error of finding.errors) failures.push(ocspFailure(error, depth))
  }
  for (const depth of needed) {
    if (good.has(depth)) continue
    const status = await listStatus(inquiry, depth, true)
    if (status.status === 'good') good.set(depth, { by: 'crl', until: status.nextUpdate })
    else if (status.status === 'revoked') return listFailure(status, depth)
    else failures.push(listFailure(status, depth))
  }
  return undefined
}

function listStatus({ path, policy, signal, verified }: Inquiry, depth: number, online: boolean): Promise<CrlStatus> {
  return policy.revocation.crls.isRevoked(path[depth] as Uint8Array, path[depth + 1] as Uint8Array, {
    signal,
    online: online && verified,
    now: (policy.now ?? Date.now)(),
    chain: [...path],
  })
}

/** OpenSSL's names for what lists say, where it has them. */
const listCodes: Readonly<Record<string, string>> = {
  ERR_CRL_MISSING: 'UNABLE_TO_GET_CRL',
  ERR_CRL_NO_DISTRIBUTION_POINT: 'UNABLE_TO_GET_CRL',
  ERR_CRL_EXPIRED: 'CRL_HAS_EXPIRED',
  ERR_CRL_NOT_YET_VALID: 'CRL_NOT_YET_VALID',
  ERR_CRL_SIGNATURE_INVALID: 'CRL_SIGNATURE_FAILURE',
}

function listFailure(status: Exclude<CrlStatus, { status: 'good' }>, depth: number): Failure {
  if (status.status === 'revoked')
    return failure('CERT_REVOKED', depth, `certificate revoked on ${status.date.toISOString()} (${status.reason})`)
  const error = status.errors[0]
  return failure(listCodes[status.code] ?? status.code, depth, error ?? 'no revocation list answers for it')
}

function ocspFailure(error: OcspError, depth: number): Failure {
  return failure(error.code === 'ERR_OCSP_REVOKED' ? 'CERT_REVOKED' : error.code, depth, error)
}

function noStaple(why: string): Failure {
  return failure('ERR_OCSP_STAPLE_MISSING', 0, `the staple cannot be verified: ${why}`)
}

function passed({ good, path }: Inquiry, needed: readonly number[]): Outcome<'revocation'> {
  const depths = [...good.keys()].sort((a, b) => a - b)
  // a trusted leaf, or nothing but an anchor: there is nobody who could revoke it
  if (needed.length === 0) return waivedByOption(path.length <= 1 ? 'ca' : 'revocation.depth')
  const times = depths.map((depth) => (good.get(depth) as Good).until.getTime())
  return {
    result: 'passed',
    evidence: { by: (good.get(depths[0] as number) as Good).by, of: depths, until: new Date(Math.min(...times)) },
  }
}

/** Whether there is anything to ask at all: a staple, a must-staple certificate, or a policy that wants more than 'try'. */
export function needsInquiry(claim: PeerClaim, { revocation }: TrustPolicy): boolean {
  if (isOff(revocation)) return false
  if (
    claim.staple !== undefined ||
    revocation.staple === 'must' ||
    revocation.online ||
    revocation.failure === 'hard' ||
    revocation.crlDepth !== undefined
  )
    return true
  if (revocation.onStaple !== undefined || revocation.cacheMayKnow()) return true
  const leaf = claim.chain[0]
  return leaf !== undefined && revocation.staple !== 'off' && requiresStaple(leaf)
}
