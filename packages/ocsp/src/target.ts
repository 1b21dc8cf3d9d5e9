import type { CertificateView } from '@x/der/x509'
import { ocspUrlsOf } from './certificate-extensions.ts'
import { OcspError } from './errors.ts'
import type { Question, Remembered } from './remembered.ts'
import type { OcspGood, OcspRevoked, OcspUnknown } from './verify-response.ts'

/** What is known of one certificate of the chain; only `good` is good. */
export type OcspFinding = {
  /** 0 is the leaf. */
  readonly depth: number
  /** DER of the certificate. */
  readonly certificate: Uint8Array
} & (
  | { readonly result: 'good'; readonly status: OcspGood; readonly from: 'cache' | 'responder' }
  | {
      readonly result: 'revoked'
      readonly status: OcspRevoked
      readonly from: 'cache' | 'responder'
      readonly error: OcspError
    }
  | {
      readonly result: 'unknown'
      readonly status: OcspUnknown
      readonly from: 'cache' | 'responder'
      readonly error: OcspError
    }
  /** No answer, from any responder: what went wrong with each, the last at the end. */
  | { readonly result: 'failed'; readonly errors: readonly [OcspError, ...OcspError[]] }
  | { readonly result: 'pending' }
)

/** How often one responder is asked about one certificate that it left out. */
const MAX_ROUNDS = 3

/** One certificate on its way to an answer. */
export class Target {
  readonly depth: number
  /** Undefined where the issuer is not at hand. */
  readonly question: Question | undefined
  readonly #certificate: Uint8Array
  readonly #urls: readonly string[]
  #at = 0
  #rounds = 0
  readonly #errors: OcspError[] = []
  #finding: OcspFinding

  constructor(depth: number, certificate: CertificateView, question: Question | undefined) {
    this.depth = depth
    this.question = question
    this.#certificate = certificate.der
    this.#urls = ocspUrlsOf(certificate)
    this.#finding = { ...this.#head, result: 'pending' }
    if (question === undefined)
      this.#fail(
        new OcspError(
          'ERR_OCSP_NO_ISSUER',
          `The issuer of the certificate at depth ${depth} is not at hand: nobody can be asked about it`,
        ),
      )
    else if (this.#urls.length === 0)
      this.#fail(new OcspError('ERR_OCSP_NO_URL', `The certificate at depth ${depth} names no OCSP responder`))
  }

  get finding(): OcspFinding {
    return this.#finding
  }

  get pending(): boolean {
    return this.#finding.result === 'pending'
  }

  /** The responder to be asked next. */
  get url(): string | undefined {
    return this.pending ? this.#urls[this.#at] : undefined
  }

  /** How many responders are left to be asked, this one included. */
  get urlsLeft(): number {
    return this.#urls.length - this.#at
  }

  /** Takes an answer, or a remembered failure. Something to replace `failed` with is welcome: it may come late from a cache. */
  settle(remembered: Remembered, from: 'cache' | 'responder'): void {
    if (remembered.kind === 'error') {
      if (this.pending) this.#fail(remembered.error)
      return
    }
    const { status } = remembered
    const head = this.#head
    if (status.status === 'good') this.#finding = { ...head, result: 'good', status, from }
    else if (status.status === 'revoked')
      this.#finding = { ...head, result: 'revoked', status, from, error: this.#revoked(status) }
    else this.#finding = { ...head, result: 'unknown', status, from, error: this.#unknown(status) }
  }

  /** The responder gave no usable answer: the next one is asked, and after the last it has failed. Returns true in that case. */
  giveUp(error: OcspError): boolean {
    if (!this.pending) return false
    this.#errors.push(error)
    this.#rounds = 0
    if (++this.#at < this.#urls.length) return false
    this.#fail()
    return true
  }

  /** The responder answered about others only: it is asked again, but not for ever. Returns false where it is enough. */
  askAgain(): boolean {
    return ++this.#rounds < MAX_ROUNDS
  }

  get #head(): { readonly depth: number; readonly certificate: Uint8Array } {
    return { depth: this.depth, certificate: this.#certificate }
  }

  #fail(...errors: OcspError[]): void {
    this.#errors.push(...errors)
    this.#finding = { ...this.#head, result: 'failed', errors: this.#errors as [OcspError, ...OcspError[]] }
  }

  #revoked(status: OcspRevoked): OcspError {
    const why = status.reason === undefined ? '' : ` (${status.reason})`
    const when = status.revokedAt.toISOString()
    return new OcspError('ERR_OCSP_REVOKED', `The certificate at depth ${this.depth} was revoked at ${when}${why}`, {
      status,
    })
  }

  #unknown(status: OcspUnknown): OcspError {
    return new OcspError(
      'ERR_OCSP_STATUS_UNKNOWN',
      `The certificate at depth ${this.depth} is not known to the OCSP responder of its issuer`,
      { status },
    )
  }
}
