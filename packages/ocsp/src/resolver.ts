import { randomBytes } from 'node:crypto'
import { askResponder, type OcspFetch, type OcspMethod } from './ask-responder.ts'
import { OcspCache, type OcspStore } from './cache.ts'
import { writeCertId } from './cert-id.ts'
import { targetsOf } from './chain-targets.ts'
import { Deadline } from './deadline.ts'
import { OcspError } from './errors.ts'
import { whenAnswered } from './maybe-async.ts'
import { readDuration, readNow, readWord, refuseUnknown, wrongType, wrongValue } from './misuse.ts'
import { type Question, recall, remember, rememberFailure, verify } from './remembered.ts'
import { writeRequest } from './request.ts'
import {
  type OcspResolverOptions,
  type OcspVerdict,
  RESOLVE_OPTIONS,
  RESOLVER_OPTIONS,
  type ResolveOptions,
} from './resolver-options.ts'
import { findShared, type SharedRequest, startShared } from './shared-requests.ts'
import { type OcspFinding, Target } from './target.ts'
import { type OcspStrictness, readStrictness } from './verify-response.ts'

interface OpenRequest {
  readonly targets: readonly Target[]
  readonly nonce: Uint8Array | undefined
  readonly der: Uint8Array
}

/**
 * Asks the responders that the certificates of a chain name (the original's `ocsp_resolver`): one request per responder
 * for all of its certificates, and again for what it left out. Either `resolve()` does everything, or the program sends
 * what `requests()` returns on its own and hands the bodies to `addResponse()` until `done`.
 *
 * A verified answer of `revoked` or `unknown` is a hard error in any case. Not checked: the chain itself. URLs are taken
 * out of the certificates, so give it chains that are verified.
 */
export class OcspResolver {
  readonly #failure: 'soft' | 'hard'
  readonly #nonce: 'off' | 'try' | 'must'
  readonly #hash: 'sha1' | 'sha256'
  readonly #strictness: OcspStrictness
  readonly #cache: OcspStore
  readonly #now: () => number
  readonly #targets: readonly Target[]
  readonly #lookups: readonly Promise<void>[]
  readonly #open = new Map<string, OpenRequest>()
  /** Responders that made nothing of a question about several certificates: each is asked about alone there. */
  readonly #oneByOne = new Set<string>()

  /**
   * @throws OcspError ERR_OCSP_CERTIFICATE_INVALID
   * @throws TypeError for misuse, with the option's name
   */
  constructor(options: OcspResolverOptions) {
    refuseUnknown(options, RESOLVER_OPTIONS)
    const { now = Date.now } = options
    if (typeof now !== 'function') throw wrongType('now', 'a function', now)
    const { cache = new OcspCache({ now }) } = options
    if (typeof cache?.get !== 'function' || typeof cache.put !== 'function')
      throw wrongType('cache', 'an object with get and put', cache)
    const depth = readWord('depth', options.depth, ['leaf', 'chain'], 'leaf')
    const anchor = readWord('anchor', options.anchor, ['self-issued', 'last'], 'self-issued')
    this.#failure = readWord('failure', options.failure, ['soft', 'hard'], 'soft')
    this.#nonce = readWord('nonce', options.nonce, ['off', 'try', 'must'], 'try')
    this.#hash = readWord('hash', options.hash, ['sha1', 'sha256'], 'sha1')
    this.#strictness = readStrictness(options)
    this.#cache = cache
    this.#now = () => readNow(now)
    this.#targets = targetsOf(options.chain, depth, anchor)
    this.#lookups = this.#targets.flatMap((target) => this.#lookUp(target) ?? [])
  }

  /** What is known of each certificate within `depth`, the leaf first. */
  get findings(): readonly OcspFinding[] {
    return this.#targets.map((target) => target.finding)
  }

  /** True when nothing more is to be asked: everything is answered or given up, or a hard error has come up. */
  get done(): boolean {
    return this.hardError !== undefined || !this.#targets.some((target) => target.pending)
  }

  /** The error that refuses: a revocation, an unknown certificate; under `failure: 'hard'` also a missing answer. */
  get hardError(): OcspError | undefined {
    const { findings } = this
    for (const result of ['revoked', 'unknown'] as const)
      for (const finding of findings) if (finding.result === result) return finding.error
    if (this.#failure === 'hard')
      for (const finding of findings) if (finding.result === 'failed') return finding.errors.at(-1)
    return undefined
  }

  /** Why certificates have no answer. Under `failure: 'hard'` there are none of these. */
  get softErrors(): readonly OcspError[] {
    if (this.#failure === 'hard') return []
    return this.findings.flatMap((finding) => (finding.result === 'failed' ? finding.errors : []))
  }

  /** What it all comes to, or undefined while not `done`. */
  get verdict(): OcspVerdict | undefined {
    const { findings, hardError: error } = this
    if (error !== undefined) return { result: 'refused', error, findings }
    if (findings.some((finding) => finding.result === 'pending')) return undefined
    if (findings.length > 0 && findings.every((finding) => finding.result === 'good'))
      return { result: 'good', findings }
    return { result: 'soft-failure', softErrors: this.softErrors, findings }
  }

  /**
   * The requests to be sent now, by URL: to be posted as `application/ocsp-request`. Stays the same until answers come in.
   * A cache that answers with a Promise is not waited for here: `resolve()` does.
   */
  requests(): Map<string, Uint8Array> {
    if (this.done) return new Map()
    const requests = new Map<string, Uint8Array>()
    for (const [url, targets] of this.#byUrl()) {
      let open = this.#open.get(url)
      if (
        open === undefined ||
        open.targets.length !== targets.length ||
        open.targets.some((one, i) => one !== targets[i])
      ) {
        open = this.#makeRequest(targets)
        this.#open.set(url, open)
      }
      requests.set(url, open.der)
    }
    return requests
  }

  /**
   * Takes the body that came for a request, or undefined where none came. Returns `hardError`. What was left out is
   * asked for again by the next `requests()`.
   *
   * @throws TypeError where nothing was asked at this URL
   */
  addResponse(url: string, body: Uint8Array | undefined): OcspError | undefined {
    const open = this.#open.get(url)
    if (open === undefined) throw wrongValue('url', 'is none that a request is open for')
    if (body !== undefined && !(body instanceof Uint8Array)) throw wrongType('body', 'a Uint8Array or undefined', body)
    this.#open.delete(url)
    const none = new OcspError('ERR_OCSP_FETCH_FAILED', `The OCSP responder ${url} gave no answer`, { url })
    this.#take(url, open.targets, open.nonce, body === undefined || body.length === 0 ? none : body, false)
    return this.hardError
  }

  /**
   * Sends all requests and returns the verdict. A responder that cannot be reached, is slow or talks nonsense is a
   * failure of that responder, in the verdict; only an abort rejects, with the signal's reason.
   * Questions that another resolver with the same cache and fetch has under way are joined, not asked twice.
   */
  async resolve(options: ResolveOptions = {}): Promise<OcspVerdict> {
    refuseUnknown(options, RESOLVE_OPTIONS)
    const { fetch = globalThis.fetch, signal } = options
    if (typeof fetch !== 'function') throw wrongType('fetch', 'a function', fetch)
    const method = readWord('method', options.method, ['POST', 'GET'], 'POST')
    const deadline = new Deadline(signal, readDuration('timeout', options.timeout, 10_000))
    try {
      await deadline.race(Promise.all(this.#lookups))
      for (;;) {
        deadline.throwIfAborted()
        const { verdict } = this
        if (verdict !== undefined) return verdict
        await Promise.all([...this.#byUrl()].map(([url, targets]) => this.#ask(url, targets, fetch, method, deadline)))
      }
    } finally {
      deadline.clear()
    }
  }

  async #ask(
    url: string,
    targets: readonly Target[],
    fetch: OcspFetch,
    method: OcspMethod,
    deadline: Deadline,
  ): Promise<void> {
    const late = deadline.tooLate(url)
    if (late !== undefined) return this.#take(url, targets, undefined, late, false)
    const by = { fetch, method, withNonce: this.#nonce !== 'off' }
    const groups = new Map<SharedRequest, Target[]>()
    const fresh: Target[] = []
    for (const target of targets) {
      const shared = findShared(this.#cache, url, keyOf(target), by)
      if (shared === undefined) fresh.push(target)
      else groups.set(shared, [...(groups.get(shared) ?? []), target])
    }
    if (fresh.length > 0) {
      const { der, nonce } = this.#makeRequest(fresh)
      const start = (signal: AbortSignal): Promise<Uint8Array> => askResponder(url, der, { fetch, method, signal })
      groups.set(startShared(this.#cache, url, fresh.map(keyOf), by, nonce, start), fresh)
    }
    const share = 1 / Math.max(...targets.map((target) => target.urlsLeft))
    await Promise.all(
      [...groups].map(async ([shared, group]) => {
        const body = await deadline.attempt(share, url, (signal) => shared.wait(signal))
        this.#take(url, group, shared.nonce, body, group !== fresh)
      }),
    )
  }

  /** Judges a body for each certificate that it should speak of. */
  #take(
    url: string,
    targets: readonly Target[],
    nonce: Uint8Array | undefined,
    body: Uint8Array | OcspError,
    joined: boolean,
  ): void {
    const now = this.#now()
    const sent = nonce && { sent: nonce, missing: this.#nonce === 'must' ? ('refuse' as const) : ('accept' as const) }
    const failed: [Target, Question, OcspError][] = []
    for (const target of targets) {
      const { question, pending } = target
      if (question === undefined || !pending) continue
      try {
        if (body instanceof OcspError) throw body
        const status = verify(body, question, this.#strictness, now, sent)
        target.settle({ kind: 'status', status }, 'responder')
        remember(this.#cache, question, body, status, this.#strictness, now)
      } catch (cause) {
        if (!(cause instanceof OcspError)) throw cause
        failed.push([target, question, withUrl(cause, url)])
      }
    }
    const answered = failed.length < targets.length
    const alone = targets.length === 1 && !joined
    if (!answered && !alone && !(body instanceof OcspError)) this.#oneByOne.add(url)
    for (const [target, question, error] of failed) {
      const mayHelp = answered ? leftOut.has(error.code) : !(body instanceof OcspError)
      if (!alone && mayHelp && target.askAgain()) continue
      if (target.giveUp(error)) rememberFailure(this.#cache, question, error, this.#strictness, now)
    }
  }

  #lookUp(target: Target): Promise<void> | undefined {
    const { question } = target
    if (question === undefined) return undefined
    return whenAnswered(
      () => this.#cache.get(question.key),
      (entry) => {
        const remembered = recall(entry, question, this.#strictness, this.#now())
        if (remembered === undefined || !target.pending) return
        // What came without our nonce, as a staple does, may be a replay: who insists on nonces asks again.
        const status = remembered.kind === 'status' ? remembered.status : undefined
        if (this.#nonce === 'must' && status?.status === 'good' && status.nonce !== 'matched') return
        target.settle(remembered, 'cache')
      },
    )
  }

  #byUrl(): Map<string, Target[]> {
    const targets = new Map<string, Target[]>()
    for (const target of this.#targets) {
      const { url } = target
      if (url === undefined) continue
      const before = targets.get(url) ?? []
      if (before.length === 0 || !this.#oneByOne.has(url)) targets.set(url, [...before, target])
    }
    return targets
  }

  #makeRequest(targets: readonly Target[]): OpenRequest {
    const nonce = this.#nonce === 'off' ? undefined : randomBytes(32)
    const certIds = targets.flatMap(({ question }) =>
      question === undefined ? [] : [writeCertId(this.#hash, question.certificate, question.issuer)],
    )
    return { targets, nonce, der: writeRequest(certIds, nonce) }
  }
}

/**
 * What to ask again beside answers about other certificates. A responder of several CAs signs for one of them at a time, so
 * that what it says of the others' certificates does not count either.
 */
const leftOut: ReadonlySet<string> = new Set(['ERR_OCSP_NOT_COVERED', 'ERR_OCSP_RESPONDER_UNAUTHORIZED'])

function keyOf(target: Target): string {
  return target.question?.key ?? ''
}

/** The error with the responder that it is about, where it does not say so itself. */
function withUrl(error: OcspError, url: string): OcspError {
  if (error.url !== undefined) return error
  const { code, message, responseStatus, status } = error
  return new OcspError(code, `${message} (from ${url})`, { cause: error, url, responseStatus, status })
}
