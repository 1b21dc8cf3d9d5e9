import { askResponder, type OcspFetch, type OcspMethod } from './ask-responder.ts'
import { Deadline } from './deadline.ts'
import { OcspError } from './errors.ts'
import { type Question, replaces, verify } from './remembered.ts'
import { createOcspRequest } from './request.ts'
import type { OcspStatus, OcspStrictness } from './verify-response.ts'

/** What all certificates of a stapler have in common. */
export interface StaplerSettings {
  readonly fetch: OcspFetch
  readonly method: OcspMethod
  readonly timeout: number
  readonly strictness: OcspStrictness
  readonly now: () => number
  readonly onError: (error: OcspError) => void
}

/** After a failure the responder is asked again: first after half a minute, then ever less often, every ten minutes at last. */
const RETRY_FIRST = 30_000
const RETRY_LAST = 600_000
/** How often an answer without nextUpdate is replaced, and the longest and the shortest time between two questions. */
const WITHOUT_NEXT_UPDATE = 3_600_000
const LONGEST = 86_400_000
const SHORTEST = 1_000

/** The staple of one certificate, which keeps itself fresh until it is stopped. */
export class StapledCertificate {
  readonly #question: Question
  readonly #urls: readonly string[]
  readonly #settings: StaplerSettings
  #response: Uint8Array | undefined
  #status: OcspStatus | undefined
  #refreshing: Promise<void> | undefined
  #failures = 0
  #due = -Infinity
  #started = 0
  #timer: NodeJS.Timeout | undefined
  readonly #stop = new AbortController()

  constructor(question: Question, urls: readonly string[], settings: StaplerSettings) {
    this.#question = question
    this.#urls = urls
    this.#settings = settings
  }

  /** The answer to staple, unless there is none or it has expired: here the clocks of clients count, so no skew is allowed for. */
  get current(): Uint8Array | undefined {
    const status = this.#status
    if (status === undefined || !(this.#settings.now() < status.validUntil.getTime())) return undefined
    return this.#response
  }

  /** True where a question is worth its time: none is under way or was in vain just now. */
  get due(): boolean {
    return this.#settings.now() >= this.#due
  }

  /** For how long the question that is under way has been so, in milliseconds. */
  get waited(): number {
    return this.#settings.now() - this.#started
  }

  /** Asks the responder; whoever comes while that goes on waits for the same answer. Never rejects. */
  refresh(): Promise<void> {
    if (this.#refreshing === undefined) {
      this.#started = this.#settings.now()
      this.#refreshing = this.#refresh().finally(() => {
        this.#refreshing = undefined
      })
    }
    return this.#refreshing
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#stop.abort()
  }

  async #refresh(): Promise<void> {
    const { timeout, onError, now } = this.#settings
    const deadline = new Deadline(this.#stop.signal, timeout)
    let error = new OcspError('ERR_OCSP_NO_URL', 'The certificate names no OCSP responder')
    try {
      for (const [i, url] of this.#urls.entries()) {
        const body = await deadline.attempt(1 / (this.#urls.length - i), url, (signal) => this.#ask(url, signal))
        if (body instanceof OcspError) {
          error = body
          continue
        }
        this.#failures = 0
        return this.#schedule(this.#interval(now()))
      }
    } catch {
      return // stopped
    } finally {
      deadline.clear()
    }
    this.#schedule(Math.min(RETRY_FIRST * 2 ** this.#failures++, RETRY_LAST))
    onError(error)
  }

  /** Takes what the responder says, if it is verified, definite and not older than what is there. */
  async #ask(url: string, signal: AbortSignal): Promise<void> {
    const { fetch, method, strictness, now } = this.#settings
    const { certificate, issuer } = this.#question
    const request = createOcspRequest({ certificate: certificate.der, issuer: issuer.view.der })
    const body = await askResponder(url, request, { fetch, method, signal })
    const status = verify(body, this.#question, strictness, now())
    if (status.status === 'unknown')
      throw new OcspError('ERR_OCSP_STATUS_UNKNOWN', `The OCSP responder ${url} does not know the certificate`, {
        url,
        status,
      })
    if (signal.aborted || (this.current !== undefined && this.#status !== undefined && !replaces(status, this.#status)))
      return
    this.#response = body
    this.#status = status
  }

  /** Half of the time that the answer has left. */
  #interval(now: number): number {
    const status = this.#status
    if (status?.nextUpdate === undefined) return WITHOUT_NEXT_UPDATE
    return Math.min(Math.max((status.validUntil.getTime() - now) / 2, SHORTEST), LONGEST)
  }

  #schedule(delay: number): void {
    this.#due = this.#settings.now() + delay
    clearTimeout(this.#timer)
    if (!this.#stop.signal.aborted) this.#timer = setTimeout(() => void this.refresh(), delay).unref()
  }
}
