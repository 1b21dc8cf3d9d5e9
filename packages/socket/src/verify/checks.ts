import type { PeerClaim } from '../engine/engine.ts'
import { checkChain } from './chain.ts'
import { checkFingerprint } from './fingerprint.ts'
import { checkName } from './name.ts'
import type { TrustPolicy } from './policy.ts'
import { type CheckName, CHECKS, failure, type Outcome, type Outcomes, refused, Verification, waivedByOption } from './verification.ts'

/**
 * Runs every check on what the peer claims and judges the outcomes.
 * A check that throws, a deadline and an abort are refusals. Synchronous unless a check needs to wait.
 * @throws PeerRefusedError, also as a rejection.
 */
export function verifyPeer(claim: PeerClaim, policy: TrustPolicy): Verification {
  if (!policy.enabled) return Verification.judge(switchedOff(), claim.source === 'session')
  const fingerprint = guarded('fingerprint', () => checkFingerprint(claim, policy))
  const pinned = fingerprint.result === 'passed'
  const chain = overruled(pinned, guarded('chain', () => checkChain(claim, policy)))
  const name = overruled(pinned, guarded('name', () => (isAnonymousClient(claim, policy) ? waivedByOption('requestCert') : checkName(claim, policy))))
  return Verification.judge({ fingerprint, chain, name, revocation: waivedByOption('revocation') }, claim.source === 'session')
}

/** A pin overrides chain and name (rule 3), and the failures stay on record. */
function overruled<N extends CheckName>(pinned: boolean, outcome: Outcome<N>): Outcome<N> {
  if (!pinned || outcome.result !== 'refused') return outcome
  return { result: 'waived', waiver: { by: 'fingerprint' }, failures: outcome.failures }
}

/** A throw is a refusal, and so is anything that is not an outcome: `judge` looks at the shape. */
function guarded<N extends CheckName>(check: N, run: () => Outcome<N>): Outcome<N> {
  try {
    return run()
  } catch (error) {
    const reason = error instanceof Error ? error : new Error(`the ${check} check threw a value that is no Error`, { cause: error })
    const { code } = reason as { code?: unknown }
    return refused(failure(typeof code === 'string' ? code : 'ERR_SECURE_SOCKET_CHECK_FAILED', 0, reason))
  }
}

function isAnonymousClient(claim: PeerClaim, policy: TrustPolicy): boolean {
  return policy.role === 'server' && policy.certificate !== 'required' && claim.chain.length === 0
}

function switchedOff(): Outcomes {
  const waived = waivedByOption('rejectUnauthorized')
  return Object.fromEntries(CHECKS.map((check) => [check, waived]))
}
