import { sameBytes } from '@x/der/x509'
import { type CertificateInput, type CertificateListInput, toCertificateDer, toCertificateDers } from '@x/utils'
import type { OcspFetch, OcspMethod } from './ask-responder.ts'
import { isUsable, ocspUrlsOf } from './certificate-extensions.ts'
import { OcspError } from './errors.ts'
import { certificateView, issuerFacts } from './facts.ts'
import { quietly } from './maybe-async.ts'
import { readDuration, readNow, readWord, refuseUnknown, wrongType, wrongValue } from './misuse.ts'
import { questionOf } from './remembered.ts'
import { StapledCertificate, type StaplerSettings } from './stapled.ts'
import { type OcspStrictness, readStrictness } from './verify-response.ts'

/** Options of {@link createStapler}. */
export interface CreateStaplerOptions extends OcspStrictness {
  /** Default: the global one. */
  readonly fetch?: OcspFetch
  /** Default `'POST'`. */
  readonly method?: OcspMethod
  /** For one refresh, in milliseconds. Default: 10,000. */
  readonly timeout?: number
  /** How long a handshake waits for the first answer, in milliseconds; 0 never. Default: 1,000. */
  readonly wait?: number
  /** Asked instead of the responders that the certificates name: http or https. */
  readonly url?: string
  /** CAs that issued the server's certificates, where the server does not send them along. */
  readonly issuers?: CertificateListInput
  /** Milliseconds since 1970. Default: `Date.now`. */
  readonly now?: () => number
  /** Told of every refresh that failed. What it throws is dropped. */
  readonly onError?: (error: OcspError) => void
}

/** Staples for the certificates of a server. */
export interface Stapler {
  /** The listener for a `tls.Server`'s `'OCSPRequest'`. Never fails a handshake: without an answer nothing is stapled. */
  readonly onRequest: (
    certificate: Uint8Array,
    issuer: Uint8Array | null,
    callback: (error: Error | null, response: Buffer | null) => void,
  ) => void
  /**
   * The current answer about a certificate, asked for if need be: to be called before a server listens. Undefined where
   * there is none (`onError` has been told why).
   */
  staple(certificate: CertificateInput, issuer?: CertificateInput): Promise<Uint8Array | undefined>
  /** Stops all refreshing; nothing is stapled afterwards. */
  close(): void
}

const known = new Set([
  'fetch',
  'method',
  'timeout',
  'wait',
  'url',
  'issuers',
  'now',
  'onError',
  'clockSkewMs',
  'maxAgeMs',
  'weakDigests',
])

/** The most certificates of one server; more are not stapled for. */
const MAX_CERTIFICATES = 1_000

/**
 * Answers a server's `'OCSPRequest'` (RFC 6066 section 8): `server.on('OCSPRequest', stapler.onRequest)`. Each answer is
 * verified before it is stapled, is replaced after half of the time that it has left, is kept while the responder is down, and
 * is never stapled after its end. A revocation is stapled as well: clients learn of it anyhow. Timers do not keep the
 * process alive.
 *
 * @throws OcspError ERR_OCSP_CERTIFICATE_INVALID
 * @throws TypeError for misuse, with the option's name
 */
export function createStapler(options: CreateStaplerOptions = {}): Stapler {
  refuseUnknown(options, known)
  const { now = Date.now, onError, url } = options
  if (typeof now !== 'function') throw wrongType('now', 'a function', now)
  if (onError !== undefined && typeof onError !== 'function') throw wrongType('onError', 'a function', onError)
  if (url !== undefined && !(typeof url === 'string' && isUsable(url)))
    throw wrongValue('url', 'must be an http or https URL')
  const wait = readDuration('wait', options.wait, 1_000)
  const issuers =
    options.issuers === undefined
      ? []
      : toCertificateDers(options.issuers, 'issuers').map((der) => issuerFacts(der).view)
  const settings: StaplerSettings = {
    fetch: options.fetch ?? globalThis.fetch,
    method: readWord('method', options.method, ['POST', 'GET'], 'POST'),
    timeout: readDuration('timeout', options.timeout, 10_000),
    strictness: readStrictness(options),
    now: () => readNow(now),
    onError: (error) => void quietly(() => onError?.(error)),
  }
  if (typeof settings.fetch !== 'function') throw wrongType('fetch', 'a function', settings.fetch)
  const entries = new Map<string, StapledCertificate>()
  let closed = false

  function entryOf(certificate: Uint8Array, given: Uint8Array | undefined): StapledCertificate | undefined {
    const key = Buffer.from(certificate).toString('latin1')
    const known = entries.get(key)
    if (known !== undefined || closed || entries.size >= MAX_CERTIFICATES) return known
    const view = certificateView(certificate)
    const issuer = given ?? issuers.find((one) => sameBytes(one.subject, view.issuer))?.der
    if (issuer === undefined)
      throw new OcspError('ERR_OCSP_NO_ISSUER', "The issuer of the server's certificate is not at hand")
    const urls = url === undefined ? ocspUrlsOf(view) : [url]
    const entry = new StapledCertificate(questionOf({ certificate, issuer }), urls, settings)
    entries.set(key, entry)
    return entry
  }

  /** The answer there is, or the one that comes within the time given; nothing is waited for that failed just now. */
  async function answer(
    certificate: Uint8Array,
    issuer: Uint8Array | undefined,
    patience: number,
  ): Promise<Uint8Array | undefined> {
    try {
      const entry = entryOf(certificate, issuer)
      if (entry === undefined || closed) return undefined
      if (entry.current === undefined && entry.due) {
        const refreshed = entry.refresh()
        await within(patience - entry.waited, refreshed)
      }
      return closed ? undefined : entry.current
    } catch (error) {
      if (error instanceof OcspError) settings.onError(error)
      return undefined
    }
  }

  return {
    onRequest: (certificate, issuer, callback) => {
      const reply = async (): Promise<void> => {
        const response = await answer(certificate, issuer ?? undefined, wait)
        callback(null, response === undefined ? null : Buffer.from(response))
      }
      void reply()
    },
    staple: async (certificate, issuer) =>
      answer(
        toCertificateDer(certificate),
        issuer === undefined ? undefined : toCertificateDer(issuer, 'issuer'),
        settings.timeout,
      ),
    close: () => {
      closed = true
      for (const entry of entries.values()) entry.stop()
      entries.clear()
    },
  }
}

/** Waits for work, but not longer than this. */
async function within(milliseconds: number, work: Promise<void>): Promise<void> {
  if (!(milliseconds > 0)) return
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds)
  })
  await Promise.race([work, limit])
  clearTimeout(timer)
}
