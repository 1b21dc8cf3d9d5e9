import type { CrlStatus } from '@x/crl'
import { checkStaple, type OcspError, OcspResolver, requiresStaple } from '@x/ocsp'
import type { PeerClaim } from '../engine/engine.ts'
import { invalidValue } from '../errors.ts'
import { NetworkTime } from './network-time.ts'
import { byObject } from './view.ts'
import { listCode } from './path/crl-check.ts'
import { currentTime, type RevocationPolicy, type TrustPolicy } from './policy.ts'
import type { RevocationSubject } from './revocation-subject.ts'
import { disown, type Evidence, type Failure, failure, type Outcome, refused, waivedByOption } from './verification.ts'

/** What is known of one certificate that is not the anchor. */
interface Good {
  readonly by: Evidence['revocation']['by']
  readonly until: Date
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
  const { path, anchored } = subject
  // an anchor is trusted for itself: nobody vouches for it, and nobody can revoke it
  const below = path.slice(0, anchored ? -1 : path.length).map((_der, depth) => depth)
  const needed = revocation.depth === 'leaf' ? below.slice(0, 1) : below
  const inquiry: Inquiry = {
    ...subject,
    claim,
    policy,
    signal,
    below,
    needed,
    now: currentTime(policy),
    network: new NetworkTime(revocation.timeout, signal),
    good: new Map(),
    failures: [],
  }
  for (const ask of [askTrusted, askStaple, askCache, askLists, askNetwork]) {
    const refusal = await ask(inquiry)
    if (refusal !== undefined) return refused(refusal, ...inquiry.failures)
  }
  const { good, failures } = inquiry
  const missing = needed.filter((depth) => !good.has(depth))
  if (missing.length === 0) return passed(inquiry)
  for (const depth of missing)
    if (!failures.some((entry) => entry.depth === depth))
      failures.push(failure('ERR_SECURE_SOCKET_NO_REVOCATION_STATUS', depth, 'nothing says whether it was revoked'))
  if (revocation.failure === 'hard') {
    const open = failures.filter(({ depth }) => missing.includes(depth))
    const first =
      open.find(({ code }) => code !== 'ERR_OCSP_STAPLE_MISSING') ??
      open[0] ??
      failure('ERR_SECURE_SOCKET_NO_REVOCATION_STATUS', 0, 'nothing says whether it was revoked')
    return refused(first, ...failures.filter((entry) => entry !== first))
  }
  return { result: 'waived', waiver: { by: 'soft-failure' }, failures }
}

interface Inquiry extends RevocationSubject {
  readonly claim: PeerClaim
  readonly policy: TrustPolicy
  readonly signal: AbortSignal
  readonly now: number
  readonly network: NetworkTime
  /** Depths of the certificates that are not trusted for themselves, and those of them that the policy is about. */
  readonly below: readonly number[]
  readonly needed: readonly number[]
  readonly good: Map<number, Good>
  /** What did not answer, and why. */
  readonly failures: Failure[]
}

/** One source: marks what it knows to be good, notes what it cannot tell, returns what refuses. */
type Ask = (inquiry: Inquiry) => Promise<Failure | undefined>

function isOff({ staple, online, failure: mode, crlDepth }: RevocationPolicy): boolean {
  return staple === 'off' && !online && mode === 'soft' && crlDepth === undefined
}

/** A leaf that is trusted for itself needs no status, but a revocation by its CA counts. */
const askTrusted: Ask = async ({ claim, path, aboveTrusted: issuer, policy, signal, now }) => {
  const [certificate] = path
  if (certificate === undefined || issuer === undefined) return undefined
  const { staple, cache, crls } = policy.revocation
  const stapled = staple === 'off' ? undefined : claim.staple
  const verdict = await checkStaple(stapled, { certificate, issuer, resumed: stapled === undefined, cache, now })
  if (verdict.result === 'refused' && verdict.error.code === 'ERR_OCSP_REVOKED') return ocspFailure(verdict.error, 0)
  const status = await crls.isRevoked(certificate, issuer, { signal, online: false, now })
  return status.status === 'revoked' ? listFailure(status, 0) : undefined
}

const askStaple: Ask = async ({ claim, path, policy, now, good, failures }) => {
  const { staple, cache, onStaple } = policy.revocation
  if (staple === 'off') return undefined
  const resumed = claim.source === 'session'
  if (!resumed) tell(onStaple, claim.staple)
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
    now,
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

/** A throw refuses, and so does a Promise: nobody would wait for it. */
function tell(
  onStaple: ((staple: Uint8Array | undefined) => unknown) | undefined,
  staple: Uint8Array | undefined,
): void {
  const answer = onStaple?.(staple)
  if (answer === undefined) return
  disown(answer)
  if (typeof answer === 'object' && answer !== null && 'then' in answer)
    throw invalidValue('revocation.onStaple', 'must not return a Promise')
}

/** What is remembered of earlier answers, verified again. Of the leaf, `askStaple` has looked where staples are wanted. */
const askCache: Ask = async ({ path, policy, now, needed, good }) => {
  const { cache, cacheMayKnow, staple } = policy.revocation
  if (!cacheMayKnow()) return undefined
  for (const depth of needed) {
    const [certificate, issuer] = [path[depth], path[depth + 1]]
    if (certificate === undefined || issuer === undefined || (depth === 0 && staple !== 'off')) continue
    const verdict = await checkStaple(undefined, { certificate, issuer, resumed: true, cache, now })
    if (verdict.result === 'good') good.set(depth, { by: 'ocsp', until: verdict.status.validUntil })
    // an intermediate with must-staple in it has nobody to staple for it
    else if (verdict.error.code !== 'ERR_OCSP_STAPLE_MISSING') return ocspFailure(verdict.error, depth)
  }
  return undefined
}

/** Lists at hand. With CRL checking on, a certificate without a good answer is refused, whatever `failure` says (rule 20). */
const askLists: Ask = async (inquiry) => {
  const { policy, below, good } = inquiry
  const { crlDepth, online } = policy.revocation
  if (crlDepth === undefined) return undefined
  for (const depth of crlDepth === 'leaf' ? below.slice(0, 1) : below) {
    const status = await listStatus(inquiry, depth, online)
    if (status === undefined || status.status !== 'good') return listFailure(status, depth)
    if (!good.has(depth)) good.set(depth, { by: 'crl', until: status.nextUpdate })
  }
  return undefined
}

/** Responders first, then distribution points, for whatever is not known yet. */
const askNetwork: Ask = async (inquiry) => {
  const { path, verified, policy, signal, network, needed, good, failures } = inquiry
  const { online, cache, fetch } = policy.revocation
  if (!online || !verified || needed.every((depth) => good.has(depth))) return undefined
  const resolver = new OcspResolver({
    chain: path,
    depth: policy.revocation.depth,
    failure: 'soft',
    anchor: inquiry.anchored ? 'last' : 'self-issued',
    cache,
    now: () => currentTime(policy),
  })
  const { findings } = await resolver.resolve({
    signal,
    timeout: network.left,
    ...(fetch === undefined ? {} : { fetch }),
  })
  for (const [depth, finding] of findings.entries()) {
    if (finding.result === 'revoked' || finding.result === 'unknown') return ocspFailure(finding.error, depth)
    if (finding.result === 'good') good.set(depth, { by: 'ocsp', until: finding.status.validUntil })
    else if (finding.result === 'failed') for (const error of finding.errors) failures.push(ocspFailure(error, depth))
  }
  for (const depth of needed) {
    if (good.has(depth)) continue
    const status = await listStatus(inquiry, depth, true)
    if (status?.status === 'good') good.set(depth, { by: 'crl', until: status.nextUpdate })
    else if (status?.status === 'revoked') return listFailure(status, depth)
    else failures.push(listFailure(status, depth))
  }
  return undefined
}

/** Undefined where the issuer is not known, or the network is late: nobody says anything. */
async function listStatus(
  { path, policy, now, network, verified }: Inquiry,
  depth: number,
  online: boolean,
): Promise<CrlStatus | undefined> {
  const [certificate, issuer] = [path[depth], path[depth + 1]]
  if (certificate === undefined || issuer === undefined) return undefined
  return await network.within((signal) =>
    policy.revocation.crls.isRevoked(certificate, issuer, {
      signal,
      online: online && verified,
      now,
      ...(verified ? { chain: [...path] } : {}), // who is in it may vouch for a list
    }),
  )
}

function listFailure(status: Exclude<CrlStatus, { status: 'good' }> | undefined, depth: number): Failure {
  if (status === undefined) return failure('UNABLE_TO_GET_CRL', depth, 'no revocation list answers for it')
  if (status.status === 'revoked')
    return failure('CERT_REVOKED', depth, `certificate revoked on ${status.date.toISOString()} (${status.reason})`)
  return failure(listCode(status.code), depth, status.errors[0] ?? 'no revocation list answers for it')
}

function ocspFailure(error: OcspError, depth: number): Failure {
  return failure(error.code === 'ERR_OCSP_REVOKED' ? 'CERT_REVOKED' : error.code, depth, error)
}

function noStaple(why: string): Failure {
  return failure('ERR_OCSP_STAPLE_MISSING', 0, `the staple cannot be verified: ${why}`)
}

function passed({ good, path, needed }: Inquiry): Outcome<'revocation'> {
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
  return leaf !== undefined && revocation.staple !== 'off' && demandsStaple(leaf)
}

const demandsStaple = byObject(requiresStaple)
