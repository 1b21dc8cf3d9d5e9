import type { CertificateView } from '@x/der/x509'
import type { OcspCacheEntry, OcspStore } from './cache.ts'
import { OcspError, type OcspErrorCode } from './errors.ts'
import { type CertificateFacts, certificateView, issuerFacts } from './facts.ts'
import { inTurn } from './in-turn.ts'
import { quietly, whenAnswered } from './maybe-async.ts'
import { refuseInherited } from './misuse.ts'
import type { OcspPair } from './request.ts'
import { CLOCK_SKEW_MS, type OcspStatus, type OcspStrictness, verifyOcspResponse } from './verify-response.ts'

/** One certificate to ask about, read once. */
export interface Question {
  readonly certificate: CertificateView
  readonly issuer: CertificateFacts
  /** Under which the answer is cached. */
  readonly key: string
}

/** Reads a pair; of the certificate's bytes a copy, since answers take their time. @throws OcspError ERR_OCSP_CERTIFICATE_INVALID */
export function questionOf(pair: OcspPair): Question {
  const certificate = certificateView(Uint8Array.from(certificateView(pair.certificate).der))
  const issuer = issuerFacts(pair.issuer)
  return { certificate, issuer, key: keyOf(certificate, issuer) }
}

/**
 * The key under which the status of a certificate is cached: digests of issuer name and issuer key, and the serial
 * number. Another CA of the same name has another key.
 *
 * @throws OcspError ERR_OCSP_CERTIFICATE_INVALID
 */
export function ocspCacheKey(pair: OcspPair): string {
  refuseInherited(pair)
  return questionOf(pair).key
}

function keyOf(certificate: CertificateView, issuer: CertificateFacts): string {
  const name = issuer.nameHash('sha256', certificate.issuer)
  const { key } = issuer.hashes('sha256')
  return [name, key, certificate.serialNumber].map((bytes) => Buffer.from(bytes).toString('base64url')).join('.')
}

/** A remembered answer, or a remembered failure. */
export type Remembered =
  | { readonly kind: 'status'; readonly status: OcspStatus }
  | { readonly kind: 'error'; readonly error: OcspError }

/** Statuses of entries that this process has verified, with the key they were verified for and how strictly. */
const verified = new WeakMap<
  OcspCacheEntry,
  { readonly key: string; readonly status: OcspStatus; readonly strictness: OcspStrictness }
>()

/** What an entry says, verified; undefined where it says nothing that is of use now. */
export function recall(
  entry: OcspCacheEntry | undefined,
  question: Question,
  strictness: OcspStrictness,
  now: number,
): Remembered | undefined {
  if (typeof entry !== 'object' || entry === null || !(now < entry.expires)) return undefined
  if (entry.kind === 'error') return recallError(entry)
  if (entry.kind !== 'response' || !(entry.response instanceof Uint8Array)) return undefined
  const known = verified.get(entry)
  if (known?.key === question.key && judgedAs(known, strictness) && isCurrent(known.status, strictness, now))
    return { kind: 'status', status: known.status }
  try {
    const status = verify(entry.response, question, strictness, now)
    verified.set(entry, { key: question.key, status, strictness })
    return { kind: 'status', status }
  } catch {
    return undefined
  }
}

/** Verifies a response for a question. Throws as `verifyOcspResponse` does. */
export function verify(
  response: Uint8Array,
  { certificate, issuer }: Question,
  strictness: OcspStrictness,
  now: number,
  nonce?: { readonly sent: Uint8Array; readonly missing: 'refuse' | 'accept' },
): OcspStatus {
  return verifyOcspResponse(response, {
    ...strictness,
    certificate: certificate.der,
    issuer: issuer.view.der,
    now,
    ...(nonce === undefined ? {} : { nonce: nonce.sent, missingNonce: nonce.missing }),
  })
}

/** Whether an answer was accepted by the same rules; a revocation counts by whichever. */
function judgedAs(
  known: { readonly status: OcspStatus; readonly strictness: OcspStrictness },
  now: OcspStrictness,
): boolean {
  const { status, strictness: then } = known
  const same =
    then.clockSkewMs === now.clockSkewMs && then.maxAgeMs === now.maxAgeMs && then.weakDigests === now.weakDigests
  return same || status.status === 'revoked'
}

/** The checks of a verified answer that depend on time and policy. */
function isCurrent(status: OcspStatus, strictness: OcspStrictness, now: number): boolean {
  const { clockSkewMs: skew = CLOCK_SKEW_MS, maxAgeMs = Infinity, weakDigests = 'refuse' } = strictness
  if (status.weakDigest && weakDigests !== 'tell') return false
  if (status.status === 'revoked') return true
  const until = Math.min(status.validUntil.getTime(), status.thisUpdate.getTime() + maxAgeMs)
  return now <= until + skew && Math.max(status.thisUpdate.getTime(), status.producedAt.getTime()) <= now + skew
}

function recallError(entry: Extract<OcspCacheEntry, { kind: 'error' }>): Remembered | undefined {
  const { code, message, url } = entry
  if (typeof code !== 'string' || !code.startsWith('ERR_OCSP_')) return undefined
  return { kind: 'error', error: new OcspError(code as OcspErrorCode, `${message} (remembered)`, { url }) }
}

/** How long a revocation is kept whose response has no current nextUpdate, and an answer without nextUpdate at all. */
const REVOKED_FOR = 3_600_000
const WITHOUT_NEXT_UPDATE_FOR = 300_000

/**
 * Puts a verified response into the store, unless a newer one is there: a server that staples the good answer of last
 * week must not displace today's revocation. What the store throws is its own affair.
 */
export function remember(
  store: OcspStore,
  question: Question,
  response: Uint8Array,
  status: OcspStatus,
  strictness: OcspStrictness,
  now: number,
): void {
  const entry: OcspCacheEntry = Object.freeze({
    kind: 'response',
    response: Uint8Array.from(response),
    expires: expiry(status, now),
  })
  verified.set(entry, { key: question.key, status, strictness })
  update(store, question.key, (found) => {
    const before = recall(found, question, strictness, now)
    return before?.kind === 'status' && !replaces(status, before.status) ? undefined : entry
  })
}

/** Puts what `decide` makes of what is there, unless that is undefined. */
function update(
  store: OcspStore,
  key: string,
  decide: (found: OcspCacheEntry | undefined) => OcspCacheEntry | undefined,
): void {
  inTurn(store, key, () => {
    let putting: Promise<void> | undefined
    const asked = whenAnswered(
      () => store.get(key),
      (found) => {
        const entry = decide(found)
        if (entry !== undefined) putting = quietly(() => store.put(key, entry))
      },
    )
    return asked === undefined ? putting : asked.then(() => putting)
  })
}

/** The newer answer counts; of two of the same time the worse. */
export function replaces(next: OcspStatus, before: OcspStatus): boolean {
  const difference = next.thisUpdate.getTime() - before.thisUpdate.getTime()
  return difference > 0 || (difference === 0 && before.status === 'good')
}

function expiry(status: OcspStatus, now: number): number {
  const until = status.nextUpdate === undefined ? now + WITHOUT_NEXT_UPDATE_FOR : status.validUntil.getTime()
  return status.status === 'revoked' ? Math.max(until, now + REVOKED_FOR) : until
}

/** Failures that pass soon, and those that somebody has to repair, are remembered for so long, as the original does. */
const BRIEFLY = 10_000
const FOR_A_WHILE = 120_000
const passing: ReadonlySet<OcspErrorCode> = new Set([
  'ERR_OCSP_FETCH_FAILED',
  'ERR_OCSP_TIMEOUT',
  'ERR_OCSP_RESPONDER_FAILED',
  'ERR_OCSP_RESPONSE_INVALID',
  'ERR_OCSP_RESPONSE_TOO_LARGE',
])

/** Remembers that there is no answer, so that a dead responder does not delay each connection. */
export function rememberFailure(
  store: OcspStore,
  question: Question,
  error: OcspError,
  strictness: OcspStrictness,
  now: number,
): void {
  const expires = now + (passing.has(error.code) ? BRIEFLY : FOR_A_WHILE)
  const { code, message, url } = error
  update(store, question.key, (found) =>
    recall(found, question, strictness, now)?.kind === 'status'
      ? undefined
      : Object.freeze({ kind: 'error', code, message, url, expires }),
  )
}
