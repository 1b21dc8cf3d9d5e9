import type { CertificateView } from '@x/der/x509'
import { Budget } from './budget.ts'
import { type CandidatePath, PathBuilder } from './build-path.ts'
import type { CertificateFacts } from './certificate-facts.ts'
import { type PathCode, sentence } from './codes.ts'
import { PathEvaluation } from './evaluate-path.ts'
import { IssuerPool } from './issuers.ts'
import type { PathFailure, PathRequest, PathResult } from './path-request.ts'

/**
 * Builds and validates a certification path (RFC 5280 section 6, RFC 4158) and says everything that speaks against it:
 * signatures, validity, CA and path length, key usage and extended key usage down the chain, name constraints, policies, critical
 * extensions, weak keys and digests, anchors, and revocation lists where `crls` asks for them.
 *
 * A valid path is found where there is one within the limits; otherwise the failures are those of the nearest. Hostile input
 * costs no more than `limits` grant. Pure and synchronous: no clock, no files, no network.
 *
 * Not checked: whether the leaf belongs to the peer's name; OCSP; signed certificate timestamps; an anchor's own signature.
 *
 * @throws TypeError ERR_INVALID_ARG_VALUE for a purpose that is none; and what `anchors` and `crls` throw
 */
export function validatePath(request: PathRequest): PathResult {
  if (!PURPOSES.has(request.purpose))
    throw Object.assign(new TypeError("option 'purpose' must be 'server', 'client' or 'any'"), {
      code: 'ERR_INVALID_ARG_VALUE',
    })
  const budget = new Budget(request.limits)
  const sent = request.chain.length + (request.intermediates?.length ?? 0)
  if (request.chain.length === 0) return refusal(budget, 'ERR_SECURE_SOCKET_CHAIN_EMPTY')
  if (!(sent <= budget.limits.certificates))
    return refusal(budget, 'ERR_SECURE_SOCKET_CHAIN_LIMIT', `${sent} certificates`)
  const pool = new IssuerPool(request)
  const { leaf } = pool
  if (leaf === undefined) return refusal(budget, 'ERR_SECURE_SOCKET_CHAIN_MALFORMED')

  const evaluation = new PathEvaluation(request, pool, budget)
  const builder = new PathBuilder(pool, request.partialChain, budget, evaluation)
  const valid = evaluation.mayBeValid(leaf) ? builder.valid(leaf) : undefined
  if (valid !== undefined) return result(budget, valid, [], evaluation.policiesOf(valid))

  const nearest = budget.exceeded === undefined ? builder.nearest(leaf) : alone(leaf)
  const failures = evaluation.failuresOf(nearest)
  const top = nearest.certificates.length - 1
  if (budget.exceeded === undefined) failures.push(...trustFailures(nearest, pool))
  else if (!failures.some(({ code }) => code === 'ERR_SECURE_SOCKET_CHAIN_LIMIT'))
    failures.push(failure('ERR_SECURE_SOCKET_CHAIN_LIMIT', top, limitText(budget)))
  // Unreachable unless a check answers differently when it is asked again; without a valid path nothing may look valid.
  if (failures.length === 0) failures.push(failure('ERR_SECURE_SOCKET_CHAIN_LIMIT', top, 'no valid path was found'))
  return result(budget, nearest, fromRootDown(failures), [])
}

const PURPOSES: ReadonlySet<unknown> = new Set<PathRequest['purpose']>(['server', 'client', 'any'])

function alone(leaf: CertificateFacts): CandidatePath {
  return { certificates: [leaf], anchored: false, tooLong: false }
}

/** Why the path ends where it does, in OpenSSL's terms. */
function trustFailures({ certificates, anchored, tooLong }: CandidatePath, pool: IssuerPool): PathFailure[] {
  if (anchored) return []
  const depth = certificates.length - 1
  const tail = certificates[depth] as CertificateFacts
  if (tooLong) return [failure('CERT_CHAIN_TOO_LONG', depth)]
  if (tail.selfSigned)
    return [failure(depth === 0 ? 'DEPTH_ZERO_SELF_SIGNED_CERT' : 'SELF_SIGNED_CERT_IN_CHAIN', depth)]
  const trusted = certificates.some((facts) => pool.isTrusted(facts))
  const codes: PathCode[] = [trusted ? 'UNABLE_TO_GET_ISSUER_CERT' : 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY']
  if (depth === 0) codes.push('UNABLE_TO_VERIFY_LEAF_SIGNATURE')
  codes.push(...pool.issuersOf(tail).obstacles)
  return codes.map((code) => failure(code, depth))
}

function limitText({ exceeded, limits }: Budget): string {
  return exceeded === undefined ? '' : `${exceeded} is limited to ${limits[exceeded]}`
}

function failure(code: PathCode, depth: number, detail?: string): PathFailure {
  return { code, depth, message: sentence(code, detail) }
}

function refusal({ used }: Budget, code: PathCode, detail?: string): PathResult {
  return { path: [], anchor: undefined, failures: [failure(code, 0, detail)], policies: [], work: used }
}

function result(
  { used }: Budget,
  { certificates, anchored }: CandidatePath,
  failures: readonly PathFailure[],
  policies: readonly string[],
): PathResult {
  const path: readonly CertificateView[] = certificates.map(({ view }) => view)
  return { path, anchor: anchored ? path.at(-1)?.der : undefined, failures, policies, work: used }
}

/** Sorting is stable: within a certificate the order of the checks stays. */
function fromRootDown(failures: readonly PathFailure[]): PathFailure[] {
  return [...failures].sort((a, b) => b.depth - a.depth)
}
