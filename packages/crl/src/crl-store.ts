import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import type { CertificateInput } from '@x/utils'
import type { Crl } from './crl.ts'
import { CrlFiles, type CrlFileSystem } from './crl-files.ts'
import { DistributionCache, type Fetched } from './distribution-cache.ts'
import { CrlError } from './errors.ts'
import { answer, ask, type Question, type QuestionOptions, readQuestion, signersFor } from './is-revoked.ts'
import { numberWithin, refuseUnknown, toMilliseconds, wrongType, wrongValue } from './misuse.ts'
import { type CrlListInput, parseCrls } from './parse-crl.ts'
import { signerOf } from './signers.ts'
import type { CrlGood, CrlRevoked, CrlStatus } from './status.ts'
import { checkForm, checkTime } from './verify-crl.ts'

/** Options of {@link CrlStore}. Sources are added together. */
export interface CrlStoreOptions {
  /** Lists at hand; every list of a bundle counts. */
  readonly crls?: CrlListInput
  /** Files, PEM bundles or DER, read when first asked for and again when they change. */
  readonly file?: string | readonly string[]
  /** Directories with hashed names (`openssl rehash`: `hash.rN`), looked into by the issuer's name. */
  readonly path?: string | readonly string[]
  /** Whether lists are fetched from the distribution points of certificates. Default true. */
  readonly online?: boolean
  /** Default: the global `fetch`. Redirects are left to us. */
  readonly fetch?: typeof fetch
  /** Milliseconds for one download, 1 to 600,000; default 10,000. */
  readonly timeout?: number
  /** Bytes of one fetched list, default 20 MiB; at most 256 MiB. */
  readonly maxSize?: number
  /** Bytes of all fetched lists together, default 128 MiB; the least recently used goes first. */
  readonly maxCacheSize?: number
  /** Milliseconds after which a list is looked for anew, in the background; default 6 hours. In the last tenth of its life it always is. */
  readonly refreshAfter?: number
  /** Milliseconds for which a URL that failed is left alone; default 60,000. */
  readonly retryAfter?: number
  /** How many seconds thisUpdate may lie ahead of our clock, 0 to 86,400; default 300. */
  readonly clockSkew?: number
  /** The clock, in milliseconds since 1970; default `Date.now`. */
  readonly now?: () => number
  /** Default: node:fs/promises. */
  readonly fs?: CrlFileSystem
}

/** Options of {@link CrlStore.isRevoked}. */
export interface StoreQuestionOptions extends QuestionOptions {
  /** Ends the wait for downloads: the answer is then a rejection with the signal's reason. */
  readonly signal?: AbortSignal
  /** False: nothing is fetched for this question; lists fetched before count. */
  readonly online?: boolean
}

const OPTIONS: ReadonlySet<string> = new Set(
  Object.keys({
    crls: 1,
    file: 1,
    path: 1,
    online: 1,
    fetch: 1,
    timeout: 1,
    maxSize: 1,
    maxCacheSize: 1,
    refreshAfter: 1,
    retryAfter: 1,
    clockSkew: 1,
    now: 1,
    fs: 1,
  } satisfies { [K in keyof Required<CrlStoreOptions>]: 1 }),
)
const QUESTION_OPTIONS: ReadonlySet<string> = new Set(['now', 'clockSkew', 'chain', 'crlIssuers', 'signal', 'online'])
const MIB = 1024 * 1024
const HOUR = 3_600_000
/** How many distribution points of one certificate are asked, and how many URLs of each. */
const MAX_POINTS = 8
const MAX_URLS = 4

/** Where lists come from: given ones, files, hashed directories, distribution points. */
export class CrlStore {
  readonly #crls: Crl[]
  readonly #files: CrlFiles
  readonly #paths: { readonly file: readonly string[]; readonly path: readonly string[] }
  readonly #online: boolean
  readonly #fetched: DistributionCache
  readonly #clockSkew: number
  readonly #now: () => number

  /**
   * @throws TypeError for options that are unknown or of the wrong type
   * @throws CrlError as `parseCrls` does, for `crls`; files are read when first asked for (or by `load`)
   */
  constructor(options: CrlStoreOptions = {}) {
    refuseUnknown(options, OPTIONS)
    const { online = true, fetch: get = globalThis.fetch, now = Date.now, fs = { readFile, stat } } = options
    if (typeof online !== 'boolean') throw wrongType('online', 'a boolean', online)
    if (typeof get !== 'function') throw wrongType('fetch', 'a function', get)
    if (typeof now !== 'function') throw wrongType('now', 'a function', now)
    this.#crls = parseCrls(options.crls ?? [])
    this.#files = new CrlFiles(fs)
    this.#paths = { file: pathsOf(options.file, 'file'), path: pathsOf(options.path, 'path') }
    this.#online = online
    this.#now = now
    this.#clockSkew = numberWithin(options.clockSkew, 300, 0, 86_400, 'clockSkew')
    this.#fetched = new DistributionCache({
      fetch: get,
      timeout: numberWithin(options.timeout, 10_000, 1, 600_000, 'timeout'),
      maxSize: numberWithin(options.maxSize, 20 * MIB, 1, 256 * MIB, 'maxSize'),
      maxCacheSize: numberWithin(options.maxCacheSize, 128 * MIB, 0, Number.MAX_SAFE_INTEGER, 'maxCacheSize'),
      refreshAfter: numberWithin(options.refreshAfter, 6 * HOUR, 0, Number.MAX_SAFE_INTEGER, 'refreshAfter'),
      retryAfter: numberWithin(options.retryAfter, 60_000, 0, Number.MAX_SAFE_INTEGER, 'retryAfter'),
    })
  }

  /** Adds lists. Throws as `parseCrls` does. */
  add(crls: CrlListInput): void {
    this.#crls.push(...parseCrls(crls))
  }

  /**
   * Reads the files now, so that what is wrong with them shows before the first question. Returns all lists at hand but for
   * those of hashed directories and distribution points, which are looked for by name.
   *
   * @throws CrlError ERR_CRL_FILE_READ, ERR_CRL_INVALID, ERR_CRL_NOT_FOUND, ERR_CRL_TOO_LARGE
   */
  async load(): Promise<readonly Crl[]> {
    const errors: CrlError[] = []
    const crls = await this.#local([], errors)
    if (errors[0] !== undefined) throw errors[0]
    return crls
  }

  /**
   * Whether the certificate was revoked: by the lists at hand, and where those do not decide by the ones of its distribution
   * points. As `isRevoked` otherwise. The URLs are the certificate's: ask only about certificates of a verified path.
   *
   * @throws TypeError for misuse; the signal's reason. Whatever else fails makes the answer 'unknown'.
   */
  async isRevoked(
    certificate: CertificateInput,
    issuer: CertificateInput,
    options: StoreQuestionOptions = {},
  ): Promise<CrlStatus> {
    refuseUnknown(options, QUESTION_OPTIONS)
    const {
      signal,
      online = this.#online,
      now = toMilliseconds(this.#now(), 'now'),
      clockSkew = this.#clockSkew,
    } = options
    signal?.throwIfAborted()
    let question: Question | undefined
    const broken = answer(() => {
      question = readQuestion(certificate, issuer, { ...pick(options), now, clockSkew })
      return { status: 'unknown', code: 'ERR_CRL_MISSING', errors: [] }
    })
    if (question === undefined) return broken
    return this.#decide(question, online, signal)
  }

  async #decide(question: Question, online: boolean, signal: AbortSignal | undefined): Promise<CrlStatus> {
    const { points } = question.subject
    const errors: CrlError[] = []
    const local = await this.#local(new Set(points.flatMap(({ crlIssuers }) => crlIssuers)), errors)
    const owner = createHash('sha256').update(question.issuer.view.spki).digest('hex')
    const alternatives = points.map(({ urls }) => urls.slice(0, MAX_URLS)).filter((urls) => urls.length > 0)
    const askAll = (): CrlStatus => {
      const fetched = alternatives.flat().map((url) => this.#fetched.peek(url, owner))
      return ask(question, [...local, ...fetched.filter((crl) => crl !== undefined)], errors)
    }
    const accept = (crl: Crl): void => {
      checkForm(crl)
      checkTime(crl, question.clock)
      signerOf(crl, signersFor(question, [...local, crl], []))
    }
    const get = (url: string): Promise<Fetched> => this.#fetched.get(url, owner, accept, question.clock.now, signal)
    const first = askAll()
    if (!online) return first
    if (first.status !== 'unknown') {
      // What the cache has serves as long as it holds, and is looked for anew, in the background, where that is due.
      if (!isFinal(first))
        for (const url of alternatives.flat()) if (restsOn(first, this.#fetched.peek(url, owner))) await get(url)
      return first
    }
    if (alternatives.length === 0)
      errors.push(new CrlError('ERR_CRL_NO_DISTRIBUTION_POINT', 'the certificate does not say where its list is'))
    for (const urls of alternatives.slice(0, MAX_POINTS)) {
      for (const url of urls) {
        const { error } = await get(url)
        if (error === undefined) break
        errors.push(error)
      }
      const status = askAll()
      if (status.status !== 'unknown') return status
    }
    return askAll()
  }

  async #local(issuers: Iterable<string>, errors: CrlError[]): Promise<Crl[]> {
    const crls = [...this.#crls]
    for (const file of this.#paths.file) crls.push(...(await this.#files.ofFile(file, errors)))
    for (const folder of this.#paths.path) crls.push(...(await this.#files.ofFolder(folder, issuers, errors)))
    return crls
  }
}

/** Only a hold can end. */
function isFinal(status: CrlGood | CrlRevoked): boolean {
  return status.status === 'revoked' && status.reason !== 'certificateHold'
}

function restsOn(status: CrlGood | CrlRevoked, crl: Crl | undefined): boolean {
  if (crl === undefined) return false
  return status.status === 'good' ? status.crls.includes(crl) : status.crl === crl
}

function pathsOf(input: string | readonly string[] | undefined, option: string): readonly string[] {
  const paths: readonly unknown[] = input === undefined ? [] : typeof input === 'string' ? [input] : input
  if (!Array.isArray(paths)) throw wrongType(option, 'a string or an array of strings', input)
  for (const path of paths) {
    if (typeof path !== 'string') throw wrongType(option, 'a string or an array of strings', path)
    if (path === '') throw wrongValue(option, 'is an empty path')
  }
  return paths as readonly string[]
}

function pick({ chain, crlIssuers }: StoreQuestionOptions): QuestionOptions {
  return { ...(chain === undefined ? {} : { chain }), ...(crlIssuers === undefined ? {} : { crlIssuers }) }
}
