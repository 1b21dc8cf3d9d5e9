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
  const fingerprint = guarded('fingerprint', () => checkFingerprint(claim, policy))
  const pinned = fingerprint.result === 'passed'
  const name = overruled(
    pinned && !isDecidedByProgram(policy),
    guarded('name', () =>
      isAnonymousClient(claim, policy) ? waivedByOption('requestCert') : checkName(claim, policy),
    ),
  )
  const chain = attempt('chain', () => checkChain(claim, policy, ending))
  const judge = (chain: Outcome<'chain'>, revocation?: Outcome<'revocation'>): Verification => {
    const standing = overruled(pinned, chain)
    return revocation === undefined
      ? Verification.judge({ fingerprint, chain: standing, name }, resumed)
      : Verification.judge({ fingerprint, chain: standing, name, revocation }, resumed)
  }
  const proceed = (chain: Outcome<'chain'>): Verification | Promise<Verification> => {
    // a peer that is refused already is not worth a question; a missing outcome would refuse it by itself
    if (overruled(pinned, chain).result === 'refused' || name.result === 'refused' || fingerprint.result === 'refused')
      return judge(chain)
    const quick = guarded('revocation', () => (needsInquiry(claim, policy) ? undefined : nothingAsked(policy)))
    if (quick !== undefined) return judge(chain, quick)
    const inquiry = attempt('revocation', async () => {
      const subject = revocationSubject(claim, policy, fingerprint, chain)
      const signal = ending.closing
      // a cache of the program's own may never answer
      return await unlessAborted(checkRevocation(claim, subject, policy, signal), signal)
    })
    return Promise.resolve(inquiry).then((revocation) => judge(chain, revocation))
  }
  return chain instanceof Promise ? chain.then(proceed) : proceed(chain)
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

function guarded<N extends CheckName>(check: N, run: () => Outcome<N>): Outcome<N>
function guarded<N extends CheckName>(check: N, run: () => Outcome<N> | undefined): Outcome<N> | undefined
function guarded<N extends CheckName>(check: N, run: () => Outcome<N> | undefined): Outcome<N> | undefined {
  try {
    return run()
  } catch (error) {
    return broken(check, error)
  }
}

function attempt<N extends CheckName>(
  check: N,
  run: () => Outcome<N> | Promise<Outcome<N>>,
): Outcome<N> | Promise<Outcome<N>> {
  try {
    const outcome = run()
    return outcome instanceof Promise ? outcome.catch((error: unknown) => broken(check, error)) : outcome
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
