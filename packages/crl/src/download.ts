import type { Crl } from './crl.ts'
import { CrlError } from './errors.ts'
import { parseCrl } from './parse-crl.ts'

/** How a list is downloaded. */
export interface DownloadOptions {
  readonly fetch: typeof fetch
  /** Milliseconds for the whole of it. */
  readonly timeout: number
  /** Bytes of the body, after content decoding. */
  readonly maxSize: number
  readonly signal: AbortSignal
  /** What the server said of the list at hand, so that it need not be sent again. */
  readonly validators?: Validators | undefined
}

/** RFC 9110 section 8.8. */
export interface Validators {
  readonly lastModified: string | null
  readonly etag: string | null
}

export interface Downloaded {
  readonly crl: Crl
  readonly validators: Validators
}

const MAX_REDIRECTS = 3

/**
 * Downloads one list, DER or PEM, over http or https; undefined where the server says that it has not changed.
 *
 * @throws CrlError ERR_CRL_URL_UNSUPPORTED, ERR_CRL_REDIRECT_REFUSED, ERR_CRL_FETCH_FAILED, ERR_CRL_FETCH_TIMEOUT,
 *   ERR_CRL_TOO_LARGE, ERR_CRL_INVALID, ERR_CRL_NOT_FOUND; the signal's reason where it aborts
 */
export async function download(url: string, options: DownloadOptions): Promise<Downloaded | undefined> {
  const target = checkUrl(url)
  const timer = new AbortController()
  const timeout = setTimeout(() => timer.abort(), options.timeout)
  const signal = AbortSignal.any([options.signal, timer.signal])
  try {
    return await until(signal, follow(target, options, signal))
  } catch (cause) {
    options.signal.throwIfAborted()
    if (timer.signal.aborted)
      throw new CrlError('ERR_CRL_FETCH_TIMEOUT', `no list within ${options.timeout} ms: ${url}`, {
        cause,
        source: url,
      })
    if (cause instanceof CrlError) throw new CrlError(cause.code, `${cause.message}: ${url}`, { cause, source: url })
    throw new CrlError('ERR_CRL_FETCH_FAILED', `the list cannot be had: ${url}`, { cause, source: url })
  } finally {
    clearTimeout(timeout)
    timer.abort() // what is still open of the response is given up
  }
}

/** @throws CrlError ERR_CRL_URL_UNSUPPORTED for other schemes than http and https, and for URLs with a password */
function checkUrl(url: string): URL {
  const target = URL.canParse(url) ? new URL(url) : undefined
  const usable =
    target !== undefined &&
    (target.protocol === 'http:' || target.protocol === 'https:') &&
    target.username === '' &&
    target.password === ''
  if (!usable)
    throw new CrlError('ERR_CRL_URL_UNSUPPORTED', `lists are fetched over http and https only: ${url.slice(0, 200)}`, {
      source: url,
    })
  return target
}

async function follow(start: URL, options: DownloadOptions, signal: AbortSignal): Promise<Downloaded | undefined> {
  const headers: Record<string, string> = {}
  if (options.validators?.etag) headers['if-none-match'] = options.validators.etag
  if (options.validators?.lastModified) headers['if-modified-since'] = options.validators.lastModified
  let target = start
  for (let redirects = 0; ; redirects++) {
    const response = await options.fetch(target.href, { headers, redirect: 'manual', signal })
    if (response.status === 304 && options.validators !== undefined) return undefined
    if (response.status >= 300 && response.status < 400) {
      await response.body?.cancel()
      if (redirects >= MAX_REDIRECTS) throw new CrlError('ERR_CRL_REDIRECT_REFUSED', 'too many redirects')
      target = redirected(target, response.headers.get('location'))
      continue
    }
    if (response.status !== 200) {
      await response.body?.cancel()
      throw new CrlError('ERR_CRL_FETCH_FAILED', `the server answered ${response.status}`)
    }
    const body = await readBody(response, options.maxSize, signal)
    const validators = { lastModified: response.headers.get('last-modified'), etag: response.headers.get('etag') }
    return { crl: parseCrl(body), validators }
  }
}

/** Only to the same host, and never from https to http: whoever sits on the way must not choose whom we ask. */
function redirected(from: URL, location: string | null): URL {
  const to = location !== null && URL.canParse(location, from.href) ? new URL(location, from) : undefined
  const samePlace =
    to !== undefined &&
    to.hostname === from.hostname &&
    ((to.protocol === from.protocol && to.port === from.port) ||
      (from.protocol === 'http:' && to.protocol === 'https:' && to.port === '')) &&
    to.username === '' &&
    to.password === ''
  if (!samePlace) throw new CrlError('ERR_CRL_REDIRECT_REFUSED', `redirected to ${String(location).slice(0, 200)}`)
  return to
}

async function readBody(response: Response, maxSize: number, signal: AbortSignal): Promise<Uint8Array> {
  const tooLarge = (): CrlError => new CrlError('ERR_CRL_TOO_LARGE', `the list has more than ${maxSize} bytes`)
  if (Number(response.headers.get('content-length')) > maxSize) {
    await response.body?.cancel()
    throw tooLarge()
  }
  if (response.body === null) return new Uint8Array()
  const reader = response.body.getReader()
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for (;;) {
      const { done, value } = await until(signal, reader.read())
      if (done) break
      size += value.length
      if (size > maxSize) throw tooLarge()
      chunks.push(value)
    }
  } finally {
    reader.cancel().catch(() => undefined) // not awaited: a stream may never answer
  }
  return Buffer.concat(chunks, size)
}

/** Rejects when the signal aborts, even where what is awaited does not heed it. */
async function until<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  signal.throwIfAborted()
  let abort: (() => void) | undefined
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    if (abort !== undefined) signal.removeEventListener('abort', abort)
  }
}
