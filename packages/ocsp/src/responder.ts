import { isDerError } from '@x/der'
import {
  type CertificateView,
  ExtensionId,
  ExtensionOid,
  KeyPurposeId,
  KeyUsage,
  readExtendedKeyUsage,
  readKeyUsage,
  sameBytes,
} from '@x/der/x509'
import { verifySignature } from '@x/utils'
import { OcspError, type OcspErrorCode } from './errors.ts'
import { type CertificateFacts, factsOf } from './facts.ts'
import { codeOf } from './foreign-errors.ts'
import type { BasicResponse } from './parse-response.ts'

/** Who signed a response, and by what right (RFC 6960 section 4.2.2.2). */
export interface OcspResponder {
  /** `issuer`: the CA itself; `delegate`: a responder whose certificate that CA issued for this purpose. */
  readonly by: 'issuer' | 'delegate'
  /** DER of the signer's certificate: a copy. */
  readonly certificate: Uint8Array
  /** The delegate carries id-pkix-ocsp-nocheck: its CA asks not to look for its revocation (nobody here does). */
  readonly noCheck: boolean
}

/** What a responder is judged by. */
export interface ResponderPolicy {
  readonly issuer: CertificateFacts
  /** The certificate that is asked about: it may not vouch for itself. */
  readonly certificate: CertificateView
  readonly now: number
  readonly clockSkewMs: number
  readonly weakDigests: 'refuse' | 'tell'
}

/** A responder whose signature holds and who may sign. */
export interface AuthorizedResponder {
  readonly responder: OcspResponder
  readonly weakDigest: boolean
  /** Until when it may, in milliseconds since 1970; Infinity for the issuer, whose own time is for others to judge. */
  readonly notAfter: number
}

/** How many certificates of a response are tried as its signer: each costs two signatures. */
const MAX_CANDIDATES = 4

/** Extensions of a delegate's certificate that may be critical, since they are either checked here or say nothing against it. */
const understood: ReadonlySet<string> = new Set([
  ExtensionId.SUBJECT_KEY_IDENTIFIER,
  ExtensionId.KEY_USAGE,
  ExtensionId.SUBJECT_ALT_NAME,
  ExtensionId.BASIC_CONSTRAINTS,
  ExtensionId.CRL_DISTRIBUTION_POINTS,
  ExtensionId.CERTIFICATE_POLICIES,
  ExtensionId.AUTHORITY_KEY_IDENTIFIER,
  ExtensionId.EXTENDED_KEY_USAGE,
  ExtensionId.AUTHORITY_INFO_ACCESS,
  ExtensionId.OCSP_NO_CHECK,
])

/**
 * Finds who signed the response and verifies that signature: the issuer itself, or a delegate that the issuer named
 * directly. A certificate of another CA, however trusted, does not count: RFC 6960 leaves that to local configuration,
 * which we have none of.
 *
 * @throws OcspError ERR_OCSP_RESPONDER_UNAUTHORIZED, ERR_OCSP_SIGNATURE_INVALID, ERR_OCSP_ALGORITHM_UNSUPPORTED, ERR_OCSP_ALGORITHM_WEAK
 */
export function authorizeResponder(response: BasicResponse, policy: ResponderPolicy): AuthorizedResponder {
  const { issuer } = policy
  let refusal: OcspError | undefined
  if (isNamed(response, issuer)) {
    try {
      const weakDigest = verifyResponse(response, issuer, policy)
      return {
        responder: { by: 'issuer', certificate: issuer.view.der.slice(), noCheck: false },
        weakDigest,
        notAfter: Infinity,
      }
    } catch (error) {
      refusal = asRefusal(error, 'the issuer')
    }
  }
  let candidates = 0
  for (const der of response.certificates) {
    try {
      const delegate = factsOf(der)
      if (!isNamed(response, delegate) || sameBytes(der, issuer.view.der)) continue
      if (++candidates > MAX_CANDIDATES)
        throw unauthorized(`more than ${MAX_CANDIDATES} certificates claim to be the responder's`)
      const weakCertificate = verifyDelegate(delegate, response.producedAt, policy)
      const weakDigest = verifyResponse(response, delegate, policy)
      const noCheck = delegate.view.extension(ExtensionOid.OCSP_NO_CHECK) !== undefined
      return {
        responder: { by: 'delegate', certificate: delegate.view.der.slice(), noCheck },
        weakDigest: weakDigest || weakCertificate,
        notAfter: delegate.view.notAfter,
      }
    } catch (error) {
      refusal = asRefusal(error, 'the delegated responder')
      if (candidates > MAX_CANDIDATES) break
    }
  }
  throw refusal ?? unauthorized('it names a responder that is neither the issuer nor came along as a certificate')
}

/** RFC 6960 section 4.2.2.3: by subject, or by the SHA-1 of the public key's bits. */
function isNamed({ responder }: BasicResponse, signer: CertificateFacts): boolean {
  return sameBytes(responder.id, responder.by === 'name' ? signer.view.subject : signer.hashes('sha1').key)
}

/** RFC 6960 section 4.2.2.2, all but the revocation of the delegate itself. Returns whether a weak digest was told of. */
function verifyDelegate({ view, key }: CertificateFacts, producedAt: number, policy: ResponderPolicy): boolean {
  const { issuer, now, clockSkewMs, certificate } = policy
  if (!sameBytes(view.issuer, issuer.view.subject)) throw unauthorized('the delegate was issued by another CA')
  // Not by its octets: whoever holds it can encode its ECDSA signature in another way.
  if (sameBytes(view.serialNumber, certificate.serialNumber))
    throw unauthorized('a certificate cannot vouch for itself')
  const purposes = view.extension(ExtensionOid.EXTENDED_KEY_USAGE)
  if (purposes === undefined || !readExtendedKeyUsage(purposes.value).includes(KeyPurposeId.OCSP_SIGNING))
    throw unauthorized('the delegate lacks the extended key usage OCSPSigning')
  const usage = view.extension(ExtensionOid.KEY_USAGE)
  if (
    usage !== undefined &&
    (readKeyUsage(usage.value) & (KeyUsage.DIGITAL_SIGNATURE | KeyUsage.NON_REPUDIATION)) === 0
  )
    throw unauthorized("the delegate's key usage does not allow signatures")
  // At both times: producedAt is the responder's own claim, which an old key could make as it likes.
  for (const at of [producedAt, now])
    if (!(view.notBefore <= at + clockSkewMs && at <= view.notAfter + clockSkewMs))
      throw unauthorized(`the delegate's certificate was not valid at ${new Date(at).toISOString()}`)
  for (const extension of view.extensions())
    if (extension.critical && !understood.has(extension.oid))
      throw unauthorized(`the delegate's certificate has an unknown critical extension ${extension.oid}`)
  if (key.asymmetricKeyType?.startsWith('rsa') && !((key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048))
    throw new OcspError('ERR_OCSP_ALGORITHM_WEAK', "The delegate's RSA key has less than 2048 bits")
  if (!sameBytes(view.signatureAlgorithm, view.tbsSignatureAlgorithm))
    throw unauthorized("the delegate's certificate names two signature algorithms")
  return verifySignature({
    algorithm: view.signatureAlgorithm,
    data: view.tbs,
    signature: view.signature,
    publicKey: issuer.key,
    weakDigests: policy.weakDigests,
  }).weak
}

function verifyResponse(response: BasicResponse, signer: CertificateFacts, { weakDigests }: ResponderPolicy): boolean {
  return verifySignature({
    algorithm: response.signatureAlgorithm,
    data: response.tbs,
    signature: response.signature,
    publicKey: signer.key,
    weakDigests,
  }).weak
}

const signatureCodes: Readonly<Record<string, OcspErrorCode>> = {
  ERR_CERT_SIGNATURE_INVALID: 'ERR_OCSP_SIGNATURE_INVALID',
  ERR_CERT_ALGORITHM_UNSUPPORTED: 'ERR_OCSP_ALGORITHM_UNSUPPORTED',
  ERR_CERT_DIGEST_WEAK: 'ERR_OCSP_ALGORITHM_WEAK',
}

/** Whatever a signer's certificate or key made us stumble over means that this signer does not count. */
function asRefusal(cause: unknown, who: string): OcspError {
  if (cause instanceof OcspError) return cause
  const code = signatureCodes[codeOf(cause)]
  if (code !== undefined)
    return new OcspError(code, `The OCSP response is not signed by ${who}: ${(cause as Error).message}`, { cause })
  const what = isDerError(cause) ? 'certificate' : 'key'
  return new OcspError(
    'ERR_OCSP_RESPONDER_UNAUTHORIZED',
    `The OCSP response cannot be checked: the ${what} of ${who} is not usable`,
    { cause },
  )
}

function unauthorized(why: string): OcspError {
  return new OcspError('ERR_OCSP_RESPONDER_UNAUTHORIZED', `The OCSP response was signed by nobody who may: ${why}`)
}
