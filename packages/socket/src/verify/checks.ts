import type { PeerClaim } from '../engine/engine.ts'
import { refusedByCallback } from './callback.ts'
import { checkChain, type Ending } from './chain.ts'
import { checkFingerprint } from './fingerprint.ts'
import { checkName, isDecidedByProgram } from './name.ts'
import { unlessAborted } from './network-time.ts'
import type { TrustPolicy } from './policy.ts'
import { checkRevocation, needsInquiry } from './revocation.ts'
import { revocationSubject } from './revocation-subject.ts'
import {
  type CheckName,
  CHECKS,
  failure,
  type Outcome,
  type Outcomes,
  refused,
  Verification,
  waivedByOption,
} from './verification.ts'

/**
 * Runs every check on what the peer claims and judges the outcomes. Synchronous unless a check has to wait: for a callback, or for
 * the network. A check that throws, a deadline and an abort are refusals.
 * @throws PeerRefusedError, or rejects with it
 */
export function verifyPeer(
  claim: PeerClaim,
  policy: TrustPolicy,
  ending: Ending,
): Verification | Promise<Verification> {
  if (!isNobody(claim, policy)) return checkAll(claim, policy, ending)
  const known = ofNobody.get(policy) ?? {}
  const verdict = known[claim.source] ?? checkAll(claim, policy, ending)
  if (!(verdict instanceof Promise) && known[claim.source] === undefined)
    ofNobody.set(policy, { ...known, [claim.source]: verdict })
  return verdict
}

/** A client that was asked for nothing and has shown nothing: nothing in the verdict is its own, so that one of a policy's serves all. */
function isNobody({ chain, pskUsed, opensslError }: PeerClaim, policy: TrustPolicy): boolean {
  const isAsked = policy.role === 'client' || policy.certificate !== 'none'
  return policy.enabled && !isAsked && chain.length === 0 && !pskUsed && opensslError === undefined
}

const ofNobody = new WeakMap<TrustPolicy, { readonly [S in PeerClaim['source']]?: Verification }>()

function checkAll(claim: PeerClaim, policy: TrustPolicy, ending: Ending): Verification | Promise<Verification> {
  const resumed = claim.source === 'session'
  if (!policy.enabled) return Verification.judge(switchedOff(), resumed)
  const fingerprint = guarded('fingerprint', checkFingerprint, claim, policy)
  const pinned = fingerprint.result === 'passed'
  const named = guarded('name', nameOfPeer, claim, policy)
  const name = overruled(pinned && !isDecidedByProgram(policy), named)
  const found: Found = { claim, policy, ending, fingerprint, name }
  const chain = attemptChain(found)
  return chain instanceof Promise ? chain.then((settled) => proceed(found, settled)) : proceed(found, chain)
}

/** What is known before the chain is. */
interface Found {
  readonly claim: PeerClaim
  readonly policy: TrustPolicy
  readonly ending: Ending
  readonly fingerprint: Outcome<'fingerprint'>
  readonly name: Outcome<'name'>
}

/** Revocation is the last: a peer that is refused already is not worth a question; a missing outcome would refuse it by itself. */
function proceed(found: Found, given: Outcome<'chain'>): Verification | Promise<Verification> {
  const { claim, policy, fingerprint, name } = found
  const chain = overruled(fingerprint.result === 'passed', given)
  const resumed = claim.source === 'session'
  if (chain.result === 'refused' || name.result === 'refused' || fingerprint.result === 'refused')
    return Verification.judge({ fingerprint, chain, name }, resumed)
  const quick = guarded('revocation', withoutInquiry, claim, policy)
  if (quick !== undefined) return Verification.judge({ fingerprint, chain, name, revocation: quick }, resumed)
  return inquire(found, given).then((revocation) =>
    Verification.judge({ fingerprint, chain, name, revocation }, resumed),
  )
}

/** A throw and a rejection are refusals. */
function attemptChain({ claim, policy, ending }: Found): Outcome<'chain'> | Promise<Outcome<'chain'>> {
  try {
    const outcome = checkChain(claim, policy, ending)
    return outcome instanceof Promise ? outcome.catch((error: unknown) => broken('chain', error)) : outcome
  } catch (error) {
    return broken('chain', error)
  }
}

async function inquire(
  { claim, policy, ending, fingerprint }: Found,
  chain: Outcome<'chain'>,
): Promise<Outcome<'revocation'>> {
  try {
    const subject = revocationSubject(claim, policy, fingerprint, chain)
    const signal = ending.closing
    // a cache of the program's own may never answer
    return await unlessAborted(checkRevocation(claim, subject, policy, signal), signal)
  } catch (error) {
    return broken('revocation', error)
  }
}

function nameOfPeer(claim: PeerClaim, policy: TrustPolicy): Outcome<'name'> {
  return isAnonymousClient(claim, policy) ? waivedByOption('requestCert') : checkName(claim, policy)
}

function withoutInquiry(claim: PeerClaim, policy: TrustPolicy): Outcome<'revocation'> | undefined {
  return needsInquiry(claim, policy) ? undefined : nothingAsked(policy)
}

/** Nothing was stapled and nothing is demanded. */
function nothingAsked({ revocation }: TrustPolicy): Outcome<'revocation'> {
  if (revocation.staple === 'off') return waivedByOption('revocation')
  return (unstapled ??= {
    result: 'waived',
    waiver: { by: 'soft-failure' },
    failures: Object.freeze([failure('ERR_OCSP_STAPLE_MISSING', 0, 'the server stapled no OCSP response')]),
  })
}

/** Made once: the stack of an error costs more than all of this check, and says nothing here. */
let unstapled: Outcome<'revocation'> | undefined

/** A pin overrides chain and name, never a callback's refusal (rule 3); the failures stay on record. */
function overruled<N extends CheckName>(pinned: boolean, outcome: Outcome<N>): Outcome<N> {
  if (!pinned || outcome.result !== 'refused' || refusedByCallback(outcome.failures) || unfinished.has(outcome))
    return outcome
  return { result: 'waived', waiver: { by: 'fingerprint' }, failures: outcome.failures }
}

/** A throw is a refusal. */
function guarded<N extends CheckName, R extends Outcome<N> | undefined>(
  check: N,
  run: (claim: PeerClaim, policy: TrustPolicy) => R,
  claim: PeerClaim,
  policy: TrustPolicy,
): R | Outcome<N> {
  try {
    return run(claim, policy)
  } catch (error) {
    return broken(check, error)
  }
}

/** Refusals by checks that did not come to an end: nobody knows what they would have found, so that no pin overrides them. */
const unfinished = new WeakSet<object>()

/** A throw is a refusal, and so is anything that is not an outcome: `judge` looks at the shape. */
function broken<N extends CheckName>(check: N, error: unknown): Outcome<N> {
  const reason =
    error instanceof Error ? error : new Error(`the ${check} check threw a value that is no Error`, { cause: error })
  const { code } = reason as { code?: unknown }
  const outcome = refused(failure(typeof code === 'string' ? code : 'ERR_SECURE_SOCKET_CHECK_FAILED', 0, reason))
  unfinished.add(outcome)
  return outcome
}

function isAnonymousClient(claim: PeerClaim, policy: TrustPolicy): boolean {
  return policy.role === 'server' && policy.certificate !== 'required' && claim.chain.length === 0
}

function switchedOff(): Outcomes {
  const waived = waivedByOption('rejectUnauthorized')
  return Object.fromEntries(CHECKS.map((check) => [check, waived]))
}
