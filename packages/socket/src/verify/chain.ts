import type { PeerClaim } from '../engine/engine.ts'
import { AcceptedChain } from './anchor.ts'
import type { TrustPolicy } from './policy.ts'
import { type Failure, failure, type Outcome, refused, waivedByOption } from './verification.ts'
import { viewOf } from './view.ts'

/**
 * Is there a path of valid certificates from the leaf to a CA that we trust?
 * OpenSSL's verdict decides. An injected clock is looked at in addition: it can only refuse (rule 5).
 */
export function checkChain(claim: PeerClaim, policy: TrustPolicy): Outcome<'chain'> {
  if (claim.pskUsed) return { result: 'passed', evidence: { path: [], anchor: 'psk', proven: 'now' } }
  if (claim.chain.length === 0) return withoutCertificate(policy)
  if (claim.opensslError !== undefined) return refused(failure(claim.opensslError, 0, explain(claim.opensslError)))
  const late = outsideValidity(claim, policy)
  if (late !== undefined) return refused(late)
  return { result: 'passed', evidence: new AcceptedChain(claim, policy) }
}

function withoutCertificate(policy: TrustPolicy): Outcome<'chain'> {
  if (policy.certificate === 'none' || policy.certificate === 'optional') return waivedByOption('requestCert')
  return refused(failure('ERR_SECURE_SOCKET_NO_PEER_CERTIFICATE', 0, 'the peer has shown no certificate'))
}

/** Validity by the program's own clock. The comparisons are written so that NaN refuses. */
function outsideValidity(claim: PeerClaim, policy: TrustPolicy): Failure | undefined {
  if (policy.now === undefined) return undefined
  const now = policy.now()
  for (const [depth, der] of claim.chain.entries()) {
    const { notBefore, notAfter } = viewOf(der)
    if (!(now >= notBefore)) return failure('CERT_NOT_YET_VALID', depth, explain('CERT_NOT_YET_VALID'))
    if (!(now <= notAfter)) return failure('CERT_HAS_EXPIRED', depth, explain('CERT_HAS_EXPIRED'))
  }
  return undefined
}

/** OpenSSL's sentences for its verdicts (X509_verify_cert_error_string), for the ones that are met in practice. */
const sentences: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'certificate has expired',
  CERT_NOT_YET_VALID: 'certificate is not yet valid',
  CERT_REJECTED: 'certificate rejected',
  CERT_REVOKED: 'certificate revoked',
  CERT_SIGNATURE_FAILURE: 'certificate signature failure',
  CERT_UNTRUSTED: 'certificate not trusted',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'self-signed certificate',
  INVALID_CA: 'invalid CA certificate',
  INVALID_PURPOSE: 'unsuitable certificate purpose',
  PATH_LENGTH_EXCEEDED: 'path length constraint exceeded',
  SELF_SIGNED_CERT_IN_CHAIN: 'self-signed certificate in certificate chain',
  UNABLE_TO_GET_CRL: 'unable to get certificate CRL',
  UNABLE_TO_GET_ISSUER_CERT: 'unable to get issuer certificate',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'unable to get local issuer certificate',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'unable to verify the first certificate',
}

export function explain(code: string): string {
  return sentences[code] ?? `certificate verification failed: ${code}`
}
