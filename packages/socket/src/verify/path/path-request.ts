import type { CertificateView } from '@x/der/x509'

/** When a common name counts as the name of a host. */
export type CommonNameRule = 'always' | 'when-no-dns-name' | 'never'

/** The certificates that are trusted. The arrays that it returns must not change afterwards: what was read of them is kept. */
export interface AnchorSource {
  /** Whether this certificate, octet for octet, is trusted. */
  isAnchor(der: Uint8Array): boolean
  /** Trusted certificates whose subject may be this certificate's issuer. Others among them are passed over. */
  findIssuers(certificate: CertificateView): readonly Uint8Array[]
  /** Whether this certificate is distrusted by name, whoever shows it. Default: none is. */
  isDistrusted?(der: Uint8Array): boolean
}

/** What a revocation list says of one certificate. Anything else counts as `unknown`. */
export type CrlAnswer =
  | 'good'
  | { readonly revoked: true; readonly detail?: string }
  /** `code`: `UNABLE_TO_GET_CRL`, `CRL_HAS_EXPIRED` … */
  | { readonly unknown: string; readonly detail?: string }

/** Revocation lists, asked during the walk. */
export interface CrlCheck {
  /** Which certificates need a good answer: the leaf, or each one below the anchor. */
  readonly depth: 'leaf' | 'chain'
  /**
   * Synchronous and pure. `issuer` is the next certificate of the path, `above` what follows it; a leaf whose issuer is not at hand
   * is given as its own.
   */
  check(
    certificate: CertificateView,
    issuer: CertificateView,
    depth: number,
    above: readonly CertificateView[],
  ): CrlAnswer
}

/** RFC 5280 section 6.1.1 (c) to (g). */
export interface PolicyInputs {
  /** Dotted OIDs. Default: any policy. */
  readonly initialPolicySet?: readonly string[]
  /** The path must be valid for a policy of the set. Default false. */
  readonly explicitPolicy?: boolean
  readonly inhibitAnyPolicy?: boolean
  readonly inhibitPolicyMapping?: boolean
}

/** How much work a peer may cause. */
export interface PathLimits {
  /** Certificates between leaf and anchor, as OpenSSL's verify depth counts. Default 10. */
  readonly pathLength?: number
  /** Certificates of `chain` and `intermediates` together. Default 100. */
  readonly certificates?: number
  /** Signatures verified, over all paths that are tried. Default 50. */
  readonly signatureChecks?: number
  /** Names held against name constraints, over all paths. Default 1,048,576, which is OpenSSL's for one path. */
  readonly nameConstraintComparisons?: number
  /** Certificates visited, over all paths. Default 10,000. */
  readonly steps?: number
}

/** What {@link validatePath} looks at. */
export interface PathRequest {
  /** DER as the peer sent it, leaf first; what follows the leaf may stand in any order. */
  readonly chain: readonly Uint8Array[]
  readonly anchors: AnchorSource
  /** Further certificates that may help; they are trusted no more than the peer's. */
  readonly intermediates?: readonly Uint8Array[]
  /** What the leaf is used for. 'any' leaves out what depends on it. */
  readonly purpose: 'server' | 'client' | 'any'
  /** Milliseconds since 1970. NaN refuses: no certificate is valid then. */
  readonly now: number
  /** Any anchor ends a path, a leaf or an intermediate too; otherwise only self-signed ones do. */
  readonly partialChain: boolean
  readonly crls?: CrlCheck
  /**
   * When a leaf's common name is held against the name constraints for hosts: whenever the name check may look at it. `always`
   * (default) is for schemes that always do; OpenSSL has `when-no-dns-name`.
   */
  readonly commonName?: CommonNameRule
  readonly policies?: PolicyInputs
  readonly limits?: PathLimits
  /** OpenSSL's security level, 0 to 5 (`@SECLEVEL=` in a cipher list). Default: what TLS has in this Node, 1 before version 24 and 2 from there on. */
  readonly securityLevel?: number
  /** Also demands what RFC 5280 demands of those who issue certificates: OpenSSL's `-x509_strict`. Default false. */
  readonly strict?: boolean
}

/** One thing that speaks against one certificate. */
export interface PathFailure {
  /** OpenSSL's name without `X509_V_ERR_`, or `ERR_SECURE_SOCKET_CHAIN_…`. */
  readonly code: string
  /** 0 is the leaf. */
  readonly depth: number
  /** OpenSSL's sentence for the code, and behind a colon what was found. */
  readonly message: string
}

export interface PathResult {
  /** Leaf first. Ends with the anchor where one was reached. Empty where the leaf cannot be read. */
  readonly path: readonly CertificateView[]
  /** The anchor's DER; undefined where none was reached. Says nothing about validity: `failures` does. */
  readonly anchor: Uint8Array | undefined
  /** Empty exactly where the path is valid. From the root down; within a certificate in the order of the checks. */
  readonly failures: readonly PathFailure[]
  /** The policies for which the path is valid, of the initial set; `2.5.29.32.0` stands for any. Empty where there is none, and where neither the request nor a certificate speaks of policies. */
  readonly policies: readonly string[]
  /** What the walk has cost, over all paths that were tried, in the units of {@link PathLimits}. */
  readonly work: PathWork
}

/** What a walk has cost. */
export interface PathWork {
  readonly signatureChecks: number
  readonly nameConstraintComparisons: number
  readonly steps: number
}
