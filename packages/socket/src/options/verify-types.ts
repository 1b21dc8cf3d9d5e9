import type { X509Certificate } from 'node:crypto'
import type { OcspStore } from '@x/ocsp'
import type { PublicSuffixList, Scheme, SchemeCallback, SchemeName } from '@x/verify-hostname'

/** Which name the peer must prove and what else may accept or refuse it. Keys not given keep their defaults. */
export interface VerifyOptions {
  /** The name that the certificate must have. Default: a non-empty `servername`, else `host`. The original's SSL_verifycn_name. */
  readonly name?: string
  /** By which protocol's rules names are compared; default `'default'`. The original's SSL_verifycn_scheme. */
  readonly scheme?: SchemeName | Scheme | SchemeCallback
  /** Which public suffixes a wildcard may not span; default `'icann'`. The original's SSL_verifycn_publicsuffix. */
  readonly publicSuffix?: 'icann' | 'none' | PublicSuffixList
  /**
   * Pins: `sha256$hex` of the certificate or `sha256$pub$hex` of its key. A match of the leaf accepts a chain and a name that are
   * otherwise invalid, but never a revoked certificate. The original's SSL_fingerprint.
   */
  readonly fingerprints?: string | readonly string[]
  /** True: a certificate that matches no pin is refused even with a valid chain. Default false. The original's SSL_force_fingerprint. */
  readonly forceFingerprints?: boolean
  /** Asked for each certificate from the root down to the leaf; may accept single errors or refuse. The original's SSL_verify_callback. */
  readonly callback?: VerifyCallback
  /** Milliseconds for all answers of an asynchronous callback; default 10,000. Later is a refusal. */
  readonly callbackTimeout?: number
}

/** One certificate of the chain as the callback sees it. */
export interface VerifyQuestion {
  /** True where nothing is wrong with this certificate. */
  readonly ok: boolean
  readonly certificate: X509Certificate
  /** 0 is the leaf. */
  readonly depth: number
  /** Codes of what is wrong with this certificate: OpenSSL's names, as Node shows them. */
  readonly errors: readonly string[]
  /** The whole path, leaf first. */
  readonly chain: readonly X509Certificate[]
}

/** `true` accepts the certificate with all errors listed, `{accept: codes}` only those; anything else refuses. */
export type VerifyAnswer = boolean | { readonly accept: readonly string[] }
export type VerifyCallback = (question: VerifyQuestion) => VerifyAnswer | Promise<VerifyAnswer>

/** What is asked about revocation, and what no answer means. The original's SSL_ocsp_mode, SSL_check_crl and their kin. */
export interface RevocationOptions {
  /** Ask the server to staple an OCSP response: not at all, use what comes (default), or refuse without a good one. */
  readonly staple?: 'off' | 'try' | 'must'
  /** Ask OCSP responders and fetch lists over the network before the verdict; default false. */
  readonly online?: boolean
  /** What it means where nothing good is known: 'soft' (default) passes, 'hard' refuses. Revoked refuses always. */
  readonly failure?: 'soft' | 'hard'
  /** Whether this is about the leaf (default) or every certificate below the anchor. */
  readonly depth?: 'leaf' | 'chain'
  /** Where verified OCSP responses are kept; default one cache for the process. */
  readonly cache?: OcspStore
  /** Told the staple's bytes, or undefined for none, in addition to the check; a throw refuses. */
  readonly onStaple?: (staple: Uint8Array | undefined) => void
  /** Revocation lists, PEM (every block counts) or DER. Demands a good answer from a list. The original's SSL_crl_file. */
  readonly crlFile?: string
  /** Which certificates need a good answer from a list: 'leaf' (default with `crlFile`) or 'chain'. Without `crlFile`, lists are looked for in `caPath`. */
  readonly crlDepth?: 'leaf' | 'chain'
  /** Milliseconds for all that goes over the network; default 10,000. */
  readonly timeout?: number
  /** Default: the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch
}
