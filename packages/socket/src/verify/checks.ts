import type { PeerClaim } from '../engine/engine.ts'
import { refusedByCallback } from './callback.ts'
import { checkChain, walk } from './chain.ts'
import { checkFingerprint } from './fingerprint.ts'
import { checkName } from './name.ts'
import type { TrustPolicy } from './policy.ts'
import { checkRevocation, needsInquiry, type RevocationSubject } from './revocation.ts'
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
  signal: AbortSignal,
): Verification | Promise<Verification> {
  const resumed = claim.source === 'session'
  if (!policy.enabled) return Verification.judge(switchedOff(), resumed)
  const fingerprint = guarded('fingerprint', () => checkFingerprint(claim, policy))
  const pinned = fingerprint.result === 'passed'
  const name = overruled(
    pinned,
    guarded('name', () =>
      isAnonymousClient(claim, policy) ? waivedByOption('requestCert') : checkName(claim, policy),
    ),
  )
  const chain = attempt('chain', () => checkChain(claim, policy, signal))
  const judge = (chain: Outcome<'chain'>, revocation: Outcome<'revocation'>): Verification =>
    Verification.judge({ fingerprint, chain: overruled(pinned, chain), name, revocation }, resumed)
  const proceed = (chain: Outcome<'chain'>): Verification | Promise<Verification> => {
    // a peer that is refused already is not worth a question to the network, but its outcomes are complete
    if (overruled(pinned, chain).result === 'refused' || name.result === 'refused' || fingerprint.result === 'refused')
      return judge(chain, waivedByOption('revocation'))
    const quick = guarded('revocation', () => (needsInquiry(claim, policy) ? undefined : nothingAsked(policy)))
    if (quick !== undefined) return judge(chain, quick)
    return Promise.resolve(
      attempt('revocation', () => checkRevocation(claim, subjectOf(claim, policy, chain), policy, signal)),
    ).then((revocation) => judge(chain, revocation))
  }
  return chain instanceof Promise ? chain.then(proceed) : proceed(chain)
}

/** The certificates to ask about: of the accepted path, else of the nearest that the walk finds. */
function subjectOf(claim: PeerClaim, policy: TrustPolicy, chain: Outcome<'chain'>): RevocationSubject {
  if (chain.result === 'passed') return { path: chain.evidence.path, verified: true }
  return { path: walk(claim, policy).path.map((view) => view.der), verified: false }
}

/** Nothing was stapled and nothing is demanded. */
function nothingAsked({ revocation }: TrustPolicy): Outcome<'revocation'> {
  if (revocation.staple === 'off') return waivedByOption('revocation')
  return {
    result: 'waived',
    waiver: { by: 'soft-failure' },
    failures: [failure('ERR_OCSP_STAPLE_MISSING', 0, 'the server stapled no OCSP response')],
  }
}

/** A pin overrides chain and name, never a callback's refusal (rule 3); the failures stay on record. */
function overruled<N extends CheckName>(pinned: boolean, outcome: Outcome<N>): Outcome<N> {
  if (!pinned || outcome.result !== 'refused' || refusedByCallback(outcome.failures)) return outcome
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

/** A throw is a refusal, and so is anything that is not an outcome: `judge` looks at the shape. */
function broken<N extends CheckName>(check: N, error: unknown): Outcome<N> {
  const reason =
    error instanceof Error ? error : new Error(`the ${check} check threw a value that is no Error`, { cause: error })
  const { code } = reason as { code?: unknown }
  return refused(failure(typeof code === 'string' ? code : 'ERR_SECURE_SOCKET_CHECK_FAILED', 0, reason))
}

function isAnonymousClient(claim: PeerClaim, policy: TrustPolicy): boolean {
  return policy.role === 'server' && policy.certificate !== 'required' && claim.chain.length === 0
}

function switchedOff(): Outcomes {
  const waived = waivedByOption('rejectUnauthorized')
  return Object.fromEntries(CHECKS.map((check) => [check, waived]))
}
