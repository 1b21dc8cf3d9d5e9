import { octetString } from '@x/der'
import { type CertificateView, ExtensionId, type ExtensionView, sameBytes } from '@x/der/x509'
import type { CertificateInput } from '@x/utils'
import { certIdMatches } from './cert-id.ts'
import { OcspError } from './errors.ts'
import { type CertificateFacts, certificateView, issuerFacts } from './facts.ts'
import { readDuration, readNow, readWord, refuseUnknown, wrongType, wrongValue } from './misuse.ts'
import { NONCE } from './oids.ts'
import { type BasicResponse, parseResponse, type RevocationReason, type SingleResponse } from './parse-response.ts'
import { authorizeResponder, type OcspResponder } from './responder.ts'

/** What every verified answer says. */
export interface OcspAnswer {
  /** When the status was known to be correct. */
  readonly thisUpdate: Date
  /** When newer information will be there; undefined: at any time. */
  readonly nextUpdate: Date | undefined
  /** When the responder signed. */
  readonly producedAt: Date
  /** Until when the answer may be relied upon: nextUpdate, what `maxAgeMs` allows, a delegate's notAfter, whichever is first; clock skew is not added. */
  readonly validUntil: Date
  readonly responder: OcspResponder
  /** Whether the response carried the nonce that was given; `mismatched` only where it is `revoked`. */
  readonly nonce: 'matched' | 'missing' | 'mismatched' | 'not-asked'
  /** True where a signature was made over SHA-1: never without `weakDigests: 'tell'`. */
  readonly weakDigest: boolean
}

/** The issuer knows the certificate and has not revoked it. */
export interface OcspGood extends OcspAnswer {
  readonly status: 'good'
}

/** The issuer has revoked the certificate. Reported whatever the age of the response: old news of this kind stays bad news. */
export interface OcspRevoked extends OcspAnswer {
  readonly status: 'revoked'
  readonly revokedAt: Date
  /** Undefined where the responder gave none, or one that RFC 5280 does not know. */
  readonly reason: RevocationReason | undefined
}

/** The responder does not know the certificate: it may be forged, or newer than the responder's data. */
export interface OcspUnknown extends OcspAnswer {
  readonly status: 'unknown'
}

export type OcspStatus = OcspGood | OcspRevoked | OcspUnknown

/** How strictly responses are judged, wherever they come from. */
export interface OcspStrictness {
  /** How far clocks may differ, in milliseconds. Default: 300,000 (5 minutes). */
  readonly clockSkewMs?: number
  /** How old thisUpdate may be, in milliseconds. Default: 86,400,000 (a day) for a response without nextUpdate, no limit for others. */
  readonly maxAgeMs?: number
  /** Signatures over SHA-1 and MD5, whose collisions are affordable: `'refuse'` (default), or `'tell'` by `weakDigest`. */
  readonly weakDigests?: 'refuse' | 'tell'
}

/** Options of {@link verifyOcspResponse}. */
export interface VerifyOcspOptions extends OcspStrictness {
  /** The certificate in question. */
  readonly certificate: CertificateInput
  /** The certificate of the CA that issued it. That it did, and may, is for the caller to have verified. */
  readonly issuer: CertificateInput
  /** The time to judge by: a Date, or milliseconds since 1970. Default: now. */
  readonly now?: Date | number
  /** The nonce that the request had: 1 to 128 bytes (RFC 9654). Default: none was sent, and one in the response is ignored. */
  readonly nonce?: Uint8Array
  /** What to do where a nonce was sent and the response has none, as prepared responses have not. Default `'refuse'`. */
  readonly missingNonce?: 'refuse' | 'accept'
}

const known = new Set([
  'certificate',
  'issuer',
  'now',
  'clockSkewMs',
  'maxAgeMs',
  'nonce',
  'missingNonce',
  'weakDigests',
])

/** Default of `clockSkewMs`. */
export const CLOCK_SKEW_MS = 300_000
/** Default of `maxAgeMs` for responses without nextUpdate. */
const MAX_AGE_MS = 86_400_000

/**
 * Verifies an OCSP response (RFC 6960 section 3.2) and says what it says about one certificate. Synchronous.
 *
 * In order: structure, that the response speaks of this certificate, signature and the signer's right to sign, unknown
 * critical extensions; then, except for a revocation, nonce and times. Where several single responses speak of the
 * certificate, `revoked` wins over `unknown`, and that over `good`. Everything that is not an answer throws: only
 * `status === 'good'` is good.
 *
 * Not checked: that `issuer` issued `certificate` and is trusted; whether a delegated responder is itself revoked.
 *
 * @throws OcspError ERR_OCSP_CERTIFICATE_INVALID, ERR_OCSP_RESPONSE_INVALID, ERR_OCSP_RESPONSE_TOO_LARGE,
 *   ERR_OCSP_RESPONDER_FAILED, ERR_OCSP_RESPONDER_UNAUTHORIZED, ERR_OCSP_SIGNATURE_INVALID,
 *   ERR_OCSP_ALGORITHM_UNSUPPORTED, ERR_OCSP_ALGORITHM_WEAK, ERR_OCSP_NOT_COVERED, ERR_OCSP_CRITICAL_EXTENSION,
 *   ERR_OCSP_NONCE_MISMATCH, ERR_OCSP_NOT_YET_VALID, ERR_OCSP_EXPIRED
 * @throws TypeError for misuse, with the option's name
 */
export function verifyOcspResponse(der: Uint8Array, options: VerifyOcspOptions): OcspStatus {
  refuseUnknown(options, known)
  if (!(der instanceof Uint8Array)) throw wrongType('der', 'a Uint8Array', der)
  const now = readNow(options.now)
  const { clockSkewMs = CLOCK_SKEW_MS, maxAgeMs, weakDigests = 'refuse' } = readStrictness(options)
  const missingNonce = readWord('missingNonce', options.missingNonce, ['refuse', 'accept'], 'refuse')
  const asked = readNonce(options.nonce)
  const certificate = certificateView(options.certificate)
  const issuer = issuerFacts(options.issuer)

  const response = parseResponse(der)
  const singles = coveringSingles(response, certificate, issuer)
  const { responder, weakDigest, notAfter } = authorizeResponder(response, {
    issuer,
    certificate,
    now,
    clockSkewMs,
    weakDigests,
  })
  refuseCritical(response.extensions)
  const single = worst(singles)
  const revoked = single.status === 'revoked'
  for (const one of revoked ? [single] : singles) refuseCritical(one.extensions)
  const nonce = revoked ? nonceState(response, asked) : checkNonce(response, asked, missingNonce)
  const validUntil = Math.min(
    single.nextUpdate ?? Infinity,
    single.thisUpdate + (maxAgeMs ?? (single.nextUpdate === undefined ? MAX_AGE_MS : Infinity)),
    notAfter,
  )
  if (!revoked) checkTimes(single, response.producedAt, validUntil, now, clockSkewMs)

  const answer: OcspAnswer = {
    thisUpdate: new Date(single.thisUpdate),
    nextUpdate: single.nextUpdate === undefined ? undefined : new Date(single.nextUpdate),
    producedAt: new Date(response.producedAt),
    validUntil: new Date(validUntil),
    responder,
    nonce,
    weakDigest,
  }
  if (single.status === 'revoked')
    return {
      status: 'revoked',
      revokedAt: new Date(single.revokedAt ?? single.thisUpdate),
      reason: single.reason,
      ...answer,
    }
  return { status: single.status, ...answer }
}

/** The part of some options that is strictness, checked and complete but for `maxAgeMs`, whose default depends. */
export function readStrictness(options: OcspStrictness): OcspStrictness {
  const clockSkewMs = readDuration('clockSkewMs', options.clockSkewMs, CLOCK_SKEW_MS)
  const weakDigests = readWord('weakDigests', options.weakDigests, ['refuse', 'tell'], 'refuse')
  if (options.maxAgeMs === undefined) return { clockSkewMs, weakDigests }
  return { clockSkewMs, weakDigests, maxAgeMs: readDuration('maxAgeMs', options.maxAgeMs, 0) }
}

/** A nonce as requests carry it (RFC 9654 section 2.1: 1 to 128 octets), or undefined. */
export function readNonce(nonce: Uint8Array | undefined): Uint8Array | undefined {
  if (nonce === undefined) return undefined
  if (!(nonce instanceof Uint8Array)) throw wrongType('nonce', 'a Uint8Array', nonce)
  if (nonce.length < 1 || nonce.length > 128) throw wrongValue('nonce', 'must be 1 to 128 bytes')
  return nonce
}

/** All single responses about the certificate. Another serial, issuer name or issuer key is about another certificate. */
function coveringSingles(
  response: BasicResponse,
  certificate: CertificateView,
  issuer: CertificateFacts,
): SingleResponse[] {
  const singles = response.singles.filter((single) => certIdMatches(single.certId, certificate, issuer))
  if (singles.length === 0)
    throw new OcspError('ERR_OCSP_NOT_COVERED', 'The OCSP response does not speak of this certificate')
  return singles
}

/** What counts where several speak of the same certificate; among equals the newest. */
function worst(singles: readonly SingleResponse[]): SingleResponse {
  const rank = { revoked: 2, unknown: 1, good: 0 }
  return singles.reduce((a, b) => {
    const difference = rank[b.status] - rank[a.status]
    return difference > 0 || (difference === 0 && b.thisUpdate > a.thisUpdate) ? b : a
  })
}

/** Extensions that may be critical, because they are handled (nonce) or cannot turn a status (RFC 6960 section 4.4, RFC 5280 section 5.3). */
const understood: ReadonlySet<string> = new Set([
  NONCE,
  '1.3.6.1.5.5.7.48.1.3', // crl references
  '1.3.6.1.5.5.7.48.1.6', // archive cutoff
  '1.3.6.1.5.5.7.48.1.9', // extended revoked definition
  ExtensionId.CRL_REASON,
  ExtensionId.INVALIDITY_DATE,
])

function refuseCritical(extensions: readonly ExtensionView[]): void {
  for (const { critical, oid } of extensions)
    if (critical && !understood.has(oid))
      throw new OcspError(
        'ERR_OCSP_CRITICAL_EXTENSION',
        `The OCSP response has a critical extension ${oid} that is not understood`,
      )
}

/** The nonce stands in an OCTET STRING of its own (RFC 9654 section 2.1), which responders of old leave out. */
function nonceState(response: BasicResponse, asked: Uint8Array | undefined): OcspAnswer['nonce'] {
  if (asked === undefined) return 'not-asked'
  const extension = response.extensions.find((one) => one.oid === NONCE)
  if (extension === undefined) return 'missing'
  return sameBytes(extension.value, octetString(asked)) || sameBytes(extension.value, asked) ? 'matched' : 'mismatched'
}

function checkNonce(
  response: BasicResponse,
  asked: Uint8Array | undefined,
  missingNonce: 'refuse' | 'accept',
): OcspAnswer['nonce'] {
  const state = nonceState(response, asked)
  if (state === 'mismatched' || (state === 'missing' && missingNonce === 'refuse'))
    throw new OcspError(
      'ERR_OCSP_NONCE_MISMATCH',
      state === 'missing'
        ? 'The OCSP response carries no nonce, but one was sent'
        : 'The OCSP response carries another nonce than was sent: a replay, or a cache in between',
    )
  return state
}

function checkTimes(single: SingleResponse, producedAt: number, validUntil: number, now: number, skew: number): void {
  const { thisUpdate, nextUpdate } = single
  if (nextUpdate !== undefined && !(nextUpdate >= thisUpdate))
    throw new OcspError('ERR_OCSP_RESPONSE_INVALID', 'The OCSP response has a nextUpdate before its thisUpdate')
  if (!(thisUpdate <= now + skew && producedAt <= now + skew))
    throw new OcspError(
      'ERR_OCSP_NOT_YET_VALID',
      `The OCSP response is from the future: ${new Date(Math.max(thisUpdate, producedAt)).toISOString()}`,
    )
  if (!(now <= validUntil + skew))
    throw new OcspError('ERR_OCSP_EXPIRED', `The OCSP response was valid until ${new Date(validUntil).toISOString()}`)
}
