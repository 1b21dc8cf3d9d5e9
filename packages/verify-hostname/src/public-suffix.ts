import { readFileSync } from 'node:fs'
import { HostnameVerificationError, invalidArgument, quoted } from './errors.ts'
import { toALabel } from './host-identity.ts'
import { icannLookup } from './icann-list.ts'
import { parseSuffixRules } from './suffix-rules.ts'

/**
 * How many labels the public suffix of a host has; undefined where no rule applies. The host is in lower case, of A-labels,
 * without empty ones. What makes a {@link PublicSuffixList}.
 */
export type SuffixLookup = (host: string) => number | undefined

/** Options of a list. */
export interface PublicSuffixListOptions {
  /** How many labels count as the suffix where no rule applies: a whole number, default 1. */
  readonly minSuffix?: number
}

/** Options of a list in text form. */
export interface SuffixTextOptions extends PublicSuffixListOptions {
  /** 'icann': only the rules up to the list's own line "===END ICANN DOMAINS". Default 'all'. */
  readonly section?: 'all' | 'icann'
}

/**
 * Tells which part of a name is the public suffix, under which anybody can register names (the original's
 * IO::Socket::SSL::PublicSuffix). What it says guards wildcards: `*.co.uk` must not match.
 */
export class PublicSuffixList {
  readonly #lookup: SuffixLookup
  readonly #minSuffix: number

  /** For a list of one's own kind; usually {@link PublicSuffixList.fromString} makes one. */
  constructor(lookup: SuffixLookup, options: PublicSuffixListOptions = {}) {
    checkKeys(options, ['minSuffix'])
    const { minSuffix = 1 } = options
    if (!Number.isInteger(minSuffix) || minSuffix < 0)
      throw invalidArgument('ERR_INVALID_ARG_VALUE', 'options.minSuffix must be a whole number, 0 or more')
    if (typeof lookup !== 'function') throw invalidArgument('ERR_INVALID_ARG_TYPE', 'lookup must be a function')
    this.#lookup = lookup
    this.#minSuffix = minSuffix
  }

  /**
   * The ICANN section of the Public Suffix List, as wildcards are guarded by it unless told otherwise (the original's
   * `default`). Loaded at the first call, and kept.
   * @throws HostnameVerificationError ERR_HOSTNAME_SUFFIX_LIST where the package tldts-icann cannot be loaded.
   */
  static default(): PublicSuffixList {
    defaultList ??= new PublicSuffixList(icannLookup())
    return defaultList
  }

  /**
   * A list in the format of publicsuffix.org: one rule per line up to the first white space, `//` starts a comment.
   * @throws HostnameVerificationError ERR_HOSTNAME_SUFFIX_LIST for a line that is no rule; it names the line.
   */
  static fromString(text: string, options: SuffixTextOptions = {}): PublicSuffixList {
    if (typeof text !== 'string') throw invalidArgument('ERR_INVALID_ARG_TYPE', 'text must be a string')
    checkKeys(options, ['minSuffix', 'section'])
    const { section = 'all', ...rest } = options
    if (section !== 'all' && section !== 'icann')
      throw invalidArgument('ERR_INVALID_ARG_VALUE', "options.section must be 'all' or 'icann'")
    return new PublicSuffixList(parseSuffixRules(text, section), rest)
  }

  /**
   * A list from a file in UTF-8, read at once.
   * @throws HostnameVerificationError ERR_HOSTNAME_SUFFIX_LIST where it cannot be read (see `cause`) or is no list.
   */
  static fromFile(path: string | URL, options: SuffixTextOptions = {}): PublicSuffixList {
    if (path === '') throw invalidArgument('ERR_INVALID_ARG_VALUE', 'path must not be empty')
    let text: string
    try {
      text = readFileSync(path, 'utf8')
    } catch (cause) {
      if (cause instanceof TypeError) throw cause
      throw new HostnameVerificationError('ERR_HOSTNAME_SUFFIX_LIST', `The public suffix list ${path} cannot be read`, {
        cause,
      })
    }
    return PublicSuffixList.fromString(text, options)
  }

  /**
   * The public suffix of a host (its labels may be '*'), with `add` (0 or more) labels before it: with 1, the registrable domain. Text gives text,
   * labels give labels; a trailing dot and U-labels stay. The whole name where it is no longer than that.
   * Undefined for what is no name: empty, with an empty label, or with a label that cannot be an A-label.
   */
  publicSuffix(host: string, add?: number): string | undefined
  publicSuffix(host: readonly string[], add?: number): string[] | undefined
  publicSuffix(host: string | readonly string[], add = 0): string | string[] | undefined {
    // Two calls, since an overloaded method cannot be called with a union.
    return typeof host === 'string' ? this.split(host, add)?.suffix : this.split(host, add)?.suffix
  }

  /** Like {@link PublicSuffixList.publicSuffix}, with what stands before the suffix in `rest`. */
  split(host: string, add?: number): { rest: string; suffix: string } | undefined
  split(host: readonly string[], add?: number): { rest: string[]; suffix: string[] } | undefined
  split(
    host: string | readonly string[],
    add = 0,
  ): { rest: string; suffix: string } | { rest: string[]; suffix: string[] } | undefined {
    if (!Number.isInteger(add) || add < 0)
      throw invalidArgument('ERR_INVALID_ARG_VALUE', 'add must be a whole number, 0 or more')
    if (typeof host === 'string') {
      const dot = host.endsWith('.') ? '.' : ''
      const labels = (dot === '' ? host : host.slice(0, -1)).toLowerCase().split('.')
      const cut = this.#cut(labels, add)
      if (cut === undefined) return undefined
      return { rest: labels.slice(0, cut).join('.'), suffix: labels.slice(cut).join('.') + dot }
    }
    if (!Array.isArray(host) || host.some((label) => typeof label !== 'string'))
      throw invalidArgument('ERR_INVALID_ARG_TYPE', 'host must be a string or an array of strings')
    const labels = host.map((label: string) => label.toLowerCase())
    const cut = this.#cut(labels, add)
    return cut === undefined ? undefined : { rest: labels.slice(0, cut), suffix: labels.slice(cut) }
  }

  /**
   * True where a host lies below its registrable domain: it has more labels than its public suffix and one more.
   * `host` as {@link SuffixLookup} takes it. What a wildcard may match.
   */
  isBelowRegistrableDomain(host: string): boolean {
    let labels = 1
    for (let i = host.indexOf('.'); i !== -1; i = host.indexOf('.', i + 1)) labels++
    return labels > (this.#lookup(host) ?? this.#minSuffix) + 1
  }

  #cut(labels: readonly string[], add: number): number | undefined {
    const converted: string[] = []
    for (const label of labels) {
      const converting = label === '*' ? label : toALabel(label)
      if (converting === undefined) return undefined
      converted.push(converting)
    }
    if (converted.length === 0) return undefined
    return Math.max(0, labels.length - (this.#lookup(converted.join('.')) ?? this.#minSuffix) - add)
  }
}

let defaultList: PublicSuffixList | undefined

function checkKeys(options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null)
    throw invalidArgument('ERR_INVALID_ARG_TYPE', 'options must be an object')
  for (const key of Object.keys(options))
    if (!known.includes(key)) throw invalidArgument('ERR_INVALID_ARG_VALUE', `options: unknown option ${quoted(key)}`)
}
