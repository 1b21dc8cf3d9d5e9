import type { CertificateInput } from '@x/utils'
import type { OcspStore } from './cache.ts'
import { requiresStaple } from './certificate-extensions.ts'
import { OcspError } from './errors.ts'
import { quietlyAwait } from './maybe-async.ts'
import { readFlag, readNow, readWord, refuseUnknown, wrongType } from './misuse.ts'
import { questionOf, recall, remember, replaces, verify } from './remembered.ts'
import { type OcspGood, type OcspStatus, type OcspStrictness, readStrictness } from './verify-response.ts'

/** Options of {@link checkStaple}. */
export interface CheckStapleOptions extends OcspStrictness {
  /** The server's certificate. */
  readonly certificate: CertificateInput
  /** The certificate of the CA that issued it. */
  readonly issuer: CertificateInput
  /** `'must'` refuses where there is no usable staple; so does, in any case, a certificate with must-staple (RFC 7633). Default `'try'`. */
  readonly staple?: 'try' | 'must'
  /** The connection resumed a session: no staple comes then, and the cache alone decides. Default false. */
  readonly resumed?: boolean
  /** Where verified staples go, and where a status is looked for when there is none. Default: nowhere. */
  readonly cache?: OcspStore
  /** The time to judge by: a Date, or milliseconds since 1970. Default: now. */
  readonly now?: Date | number
}

/** What a staple, or its absence, comes to. */
export type OcspStapleVerdict =
  | { readonly result: 'good'; readonly status: OcspGood; readonly from: 'staple' | 'cache' }
  /** Nothing is known, and the policy lets that pass: ask the responder, or do without. */
  | { readonly result: 'none'; readonly error: OcspError }
  /** Revoked, unknown to its issuer, or without the staple that it must have. */
  | { readonly result: 'refused'; readonly error: OcspError }

const known = new Set([
  'certificate',
  'issuer',
  'staple',
  'resumed',
  'cache',
  'now',
  'clockSkewMs',
  'maxAgeMs',
  'weakDigests',
])

/**
 * Judges what a server stapled to its handshake (RFC 6066 section 8): the bytes of node:tls's `OCSPResponse` event, null
 * or undefined where there were none. A staple that cannot be verified counts as none. A revocation that the cache knows
 * of wins over a staple that is not newer.
 *
 * @throws OcspError ERR_OCSP_CERTIFICATE_INVALID (as a rejection, as all of them)
 * @throws TypeError for misuse, with the option's name
 */
export async function checkStaple(
  staple: Uint8Array | null | undefined,
  options: CheckStapleOptions,
): Promise<OcspStapleVerdict> {
  refuseUnknown(options, known)
  if (staple !== null && staple !== undefined && !(staple instanceof Uint8Array))
    throw wrongType('staple', 'a Uint8Array, null or undefined', staple)
  const { cache } = options
  if (cache !== undefined && (typeof cache?.get !== 'function' || typeof cache.put !== 'function'))
    throw wrongType('cache', 'an object with get and put', cache)
  const now = readNow(options.now)
  const strictness = readStrictness(options)
  const resumed = readFlag('resumed', options.resumed, false)
  const must =
    readWord('staple', options.staple, ['try', 'must'], 'try') === 'must' || requiresStaple(options.certificate)
  const question = questionOf({ certificate: options.certificate, issuer: options.issuer })

  let stapled: OcspStatus | undefined
  let cause: OcspError | undefined
  try {
    if (staple !== null && staple !== undefined && !resumed) stapled = verify(staple, question, strictness, now)
  } catch (error) {
    if (!(error instanceof OcspError)) throw error
    cause = error
  }
  const remembered = cache && recall(await quietlyAwait(() => cache.get(question.key)), question, strictness, now)
  const cached = remembered?.kind === 'status' ? remembered.status : undefined
  if (cache !== undefined && stapled !== undefined && staple instanceof Uint8Array)
    remember(cache, question, staple, stapled, strictness, now)

  const refusal =
    cached !== undefined && cached.status !== 'good' && (stapled === undefined || !replaces(stapled, cached))
      ? cached
      : stapled
  if (refusal !== undefined && refusal.status !== 'good') return { result: 'refused', error: bad(refusal) }
  if (stapled?.status === 'good') return { result: 'good', status: stapled, from: 'staple' }
  if (cached?.status === 'good' && (resumed || !must)) return { result: 'good', status: cached, from: 'cache' }
  const error = missing(resumed, cause)
  return { result: must ? 'refused' : 'none', error }
}

function bad(status: OcspStatus): OcspError {
  return status.status === 'revoked'
    ? new OcspError('ERR_OCSP_REVOKED', `The server's certificate was revoked at ${status.revokedAt.toISOString()}`, {
        status,
      })
    : new OcspError(
        'ERR_OCSP_STATUS_UNKNOWN',
        "The server's certificate is not known to the OCSP responder of its issuer",
        { status },
      )
}

function missing(resumed: boolean, cause: OcspError | undefined): OcspError {
  if (cause !== undefined)
    return new OcspError(
      'ERR_OCSP_STAPLE_MISSING',
      `The server stapled an OCSP response that is of no use: ${cause.message}`,
      { cause },
    )
  const why = resumed
    ? 'The session was resumed, and no OCSP status of the server is remembered'
    : 'The server stapled no OCSP response'
  return new OcspError('ERR_OCSP_STAPLE_MISSING', why)
}
