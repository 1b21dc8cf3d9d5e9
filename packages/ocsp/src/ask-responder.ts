import { isUsable } from './certificate-extensions.ts'
import { OcspError } from './errors.ts'
import { MAX_RESPONSE_BYTES } from './parse-response.ts'

/** What of `fetch` is used: its response's status, url, headers and body. */
export type OcspFetch = (url: string, init: RequestInit) => Promise<Response>

/** `'POST'` always, or `'GET'` for requests that are short enough for a URL (RFC 5019 section 5), which caches can answer. */
export type OcspMethod = 'POST' | 'GET'

/** RFC 5019 section 5: the longest path that a GET may have; longer requests are posted. */
const MAX_GET_PATH = 255

/**
 * Sends one OCSP request over HTTP (RFC 6960 appendix A) and returns the body, of at most 100 KB. Follows no redirect.
 * Nothing of the body is looked at.
 *
 * @throws OcspError ERR_OCSP_FETCH_FAILED, ERR_OCSP_RESPONSE_TOO_LARGE; rejects with the signal's reason when aborted
 */
export async function askResponder(
  url: string,
  request: Uint8Array,
  options: { readonly fetch: OcspFetch; readonly method: OcspMethod; readonly signal: AbortSignal },
): Promise<Uint8Array> {
  const { fetch, method, signal } = options
  if (!isUsable(url)) throw new OcspError('ERR_OCSP_FETCH_FAILED', 'Not a URL that may be asked', { url })
  signal.throwIfAborted()
  let abort = (): void => undefined
  const aborted = new Promise<never>((_resolve, reject) => {
    abort = () => reject(signal.reason)
  })
  aborted.catch(() => undefined)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await exchange(url, request, fetch, method, signal, aborted)
  } catch (cause) {
    if (signal.aborted) throw signal.reason
    if (cause instanceof OcspError) throw cause
    throw new OcspError('ERR_OCSP_FETCH_FAILED', `The OCSP responder ${url} cannot be reached`, { cause, url })
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

async function exchange(
  url: string,
  request: Uint8Array,
  fetch: OcspFetch,
  method: OcspMethod,
  signal: AbortSignal,
  aborted: Promise<never>,
): Promise<Uint8Array> {
  const path = encodeURIComponent(Buffer.from(request).toString('base64'))
  const common = { redirect: 'error', credentials: 'omit', signal } as const
  const accept = 'application/ocsp-response'
  // A fetch that ignores its signal is left behind, not waited for.
  const pending =
    fetch === undefined
      ? fail(url, 'there is no fetch')
      : method === 'GET' && path.length <= MAX_GET_PATH
        ? fetch(`${url.replace(/\/$/, '')}/${path}`, { ...common, method: 'GET', headers: { accept } })
        : fetch(url, {
            ...common,
            method: 'POST',
            headers: { accept, 'content-type': 'application/ocsp-request' },
            body: request.slice(),
          })
  pending.catch(() => undefined)
  const response = await Promise.race([pending, aborted])
  if (response.status !== 200 || response.redirected) {
    discard(response)
    fail(url, response.redirected ? 'it redirected' : `it answered with HTTP status ${response.status}`)
  }
  if (Number(response.headers.get('content-length') ?? 0) > MAX_RESPONSE_BYTES) {
    discard(response)
    throw tooLarge(url)
  }
  return readBody(response, url, aborted)
}

async function readBody(response: Response, url: string, aborted: Promise<never>): Promise<Uint8Array> {
  const reader = response.body?.getReader()
  if (reader === undefined) return new Uint8Array(0)
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), aborted])
      if (done) return Buffer.concat(chunks)
      length += value.length
      if (length > MAX_RESPONSE_BYTES) throw tooLarge(url)
      chunks.push(value)
    }
  } catch (error) {
    reader.cancel().catch(() => undefined)
    throw error
  }
}

function discard(response: Response): void {
  response.body?.cancel().catch(() => undefined)
}

function tooLarge(url: string): OcspError {
  return new OcspError(
    'ERR_OCSP_RESPONSE_TOO_LARGE',
    `The OCSP responder ${url} sent more than ${MAX_RESPONSE_BYTES} bytes`,
    { url },
  )
}

function fail(url: string, why: string): never {
  throw new OcspError('ERR_OCSP_FETCH_FAILED', `The OCSP responder ${url} gave no answer: ${why}`, { url })
}
