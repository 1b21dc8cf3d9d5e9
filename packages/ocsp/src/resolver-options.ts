import type { CertificateListInput } from '@x/utils'
import type { OcspFetch, OcspMethod } from './ask-responder.ts'
import type { OcspStore } from './cache.ts'
import type { OcspError } from './errors.ts'
import type { OcspFinding } from './target.ts'
import type { OcspStrictness } from './verify-response.ts'

/** Options of `OcspResolver`. */
export interface OcspResolverOptions extends OcspStrictness {
  /** The verified chain: the leaf, then each certificate's issuer, the root included. Its signatures are not checked here. */
  readonly chain: CertificateListInput
  /** Which certificates are asked about: the leaf (default), or all but the root. The original's SSL_OCSP_FULL_CHAIN is `'chain'`. */
  readonly depth?: 'leaf' | 'chain'
  /** Whether having no answer refuses. Default `'soft'`: it does not. The original's SSL_OCSP_FAIL_HARD is `'hard'`. */
  readonly failure?: 'soft' | 'hard'
  /**
   * Whether the last certificate is trusted for itself, so that with `depth: 'chain'` nobody is asked about it: always (`'last'`), or only where it
   * is self-issued (`'self-issued'`, default), so that a chain without its root is told of. The leaf is always asked about.
   */
  readonly anchor?: 'self-issued' | 'last'
  /** Default: one of this resolver alone. */
  readonly cache?: OcspStore
  /** Milliseconds since 1970. Default: `Date.now`. */
  readonly now?: () => number
  /** Nonces: not sent, sent, or sent and insisted upon. Default `'try'`: where one comes back, it has to be the one that was sent. */
  readonly nonce?: 'off' | 'try' | 'must'
  /** The digest that names issuers in requests. Default `'sha1'`: it is an index, and many responders know no other. */
  readonly hash?: 'sha1' | 'sha256'
}

/** Options of `OcspResolver.resolve`. */
export interface ResolveOptions {
  /** Default: the global one. To go through a proxy, give one that does. */
  readonly fetch?: OcspFetch
  readonly signal?: AbortSignal
  /** For everything together, in milliseconds. Default: 10,000. */
  readonly timeout?: number
  /** Default `'POST'`; `'GET'` for requests of up to 255 characters, which HTTP caches can answer (without a nonce). */
  readonly method?: OcspMethod
}

/** What a resolver came to. */
export type OcspVerdict =
  /** Each certificate within `depth` has a verified good answer. */
  | { readonly result: 'good'; readonly findings: readonly OcspFinding[] }
  /** Under `failure: 'soft'` alone: nothing says revoked, but not everything says good. */
  | {
      readonly result: 'soft-failure'
      readonly softErrors: readonly OcspError[]
      readonly findings: readonly OcspFinding[]
    }
  | { readonly result: 'refused'; readonly error: OcspError; readonly findings: readonly OcspFinding[] }

/** Names of all options. */
export const RESOLVER_OPTIONS: ReadonlySet<string> = new Set([
  'chain',
  'depth',
  'failure',
  'anchor',
  'cache',
  'now',
  'nonce',
  'hash',
  'clockSkewMs',
  'maxAgeMs',
  'weakDigests',
])
export const RESOLVE_OPTIONS: ReadonlySet<string> = new Set(['fetch', 'signal', 'timeout', 'method'])
