import { type CrlErrorCode, type CrlListInput, isRevoked } from '@x/crl'
import type { CertificateView } from '@x/der/x509'
import type { CrlAnswer, CrlCheck } from './path-request.ts'

export interface CrlCheckOptions {
  readonly depth: CrlCheck['depth']
  /** Milliseconds since 1970. */
  readonly now: number
  /** Certificates that may have signed lists without being part of the path; trusted no more than the peer's. */
  readonly crlIssuers?: readonly Uint8Array[]
}

/** Answers from lists at hand (`@x/crl`), in OpenSSL's codes where it has one. Parsed lists are indexed and verified once. */
export function crlCheck(crls: CrlListInput, { depth, now, crlIssuers = [] }: CrlCheckOptions): CrlCheck {
  return {
    depth,
    check(certificate, issuer, _depth, above): CrlAnswer {
      const chain = above.map((view: CertificateView) => view.der)
      const status = isRevoked(certificate.der, issuer.der, { crls, now, chain, crlIssuers })
      if (status.status === 'good') return 'good'
      if (status.status === 'revoked')
        return { revoked: true, detail: `${status.reason}, ${status.date.toISOString()}` }
      const detail = status.errors[0]?.message
      return { unknown: listCode(status.code), ...(detail === undefined ? {} : { detail }) }
    },
  }
}

const OPENSSL_CODES: { readonly [Code in CrlErrorCode]?: string } = {
  ERR_CRL_MISSING: 'UNABLE_TO_GET_CRL',
  ERR_CRL_NO_DISTRIBUTION_POINT: 'UNABLE_TO_GET_CRL',
  ERR_CRL_EXPIRED: 'CRL_HAS_EXPIRED',
  ERR_CRL_NOT_YET_VALID: 'CRL_NOT_YET_VALID',
  ERR_CRL_SIGNATURE_INVALID: 'CRL_SIGNATURE_FAILURE',
  ERR_CRL_SIGNER_UNAUTHORIZED: 'KEYUSAGE_NO_CRL_SIGN',
  ERR_CRL_OUT_OF_SCOPE: 'DIFFERENT_CRL_SCOPE',
  ERR_CRL_CRITICAL_EXTENSION: 'UNHANDLED_CRITICAL_CRL_EXTENSION',
}

/** OpenSSL's name for what is wrong with a list, where it has one. */
export function listCode(code: CrlErrorCode): string {
  return OPENSSL_CODES[code] ?? code
}
