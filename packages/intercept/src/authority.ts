import { createHash, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import { contextTag, element, octetString, oid, sequence } from '@x/der'
import {
  CertificateView,
  ExtensionId,
  ExtensionOid,
  KeyUsage,
  readBasicConstraints,
  readKeyUsage,
  readSubjectKeyIdentifier,
  sameBytes,
} from '@x/der/x509'
import {
  type CertificateListInput,
  parsePrivateKey,
  type PrivateKeyInput,
  publicKeyBits,
  toCertificateDers,
} from '@x/utils'
import { InterceptError } from './errors.ts'

/** Who signs a clone: a name, a key, and how clones refer to it. */
export interface Signer {
  /** Name, DER. */
  readonly subject: Uint8Array
  readonly privateKey: KeyObject
  /** The authorityKeyIdentifier extension that clones get, DER. */
  readonly authorityKeyIdentifier: Uint8Array
}

/** The interceptor's CA. */
export interface Authority extends Signer {
  /** DER. */
  readonly certificate: Uint8Array
  /** DER of the intermediates that clients need behind a clone, the CA first; empty where it is a root. */
  readonly chain: readonly Uint8Array[]
}

/**
 * Reads the CA and checks that it can sign: a version 3 CA certificate whose key usage, where it says any, allows it, and the
 * key that belongs to it. Not checked: its validity and its signature.
 *
 * @throws InterceptError ERR_INTERCEPT_CA_INVALID, ERR_INTERCEPT_KEY_MISMATCH
 */
export function readAuthority(certificate: CertificateListInput, key: PrivateKeyInput, passphrase?: string): Authority {
  const ders = attempt(() => toCertificateDers(certificate), 'the CA certificate cannot be read')
  const [der] = ders
  if (der === undefined) throw new InterceptError('ERR_INTERCEPT_CA_INVALID', 'there is no CA certificate')
  const privateKey = attempt(
    () => parsePrivateKey(key, passphrase === undefined ? {} : { passphrase }),
    "the CA's private key cannot be read",
  )
  const facts = attempt(() => readCa(ders), 'the CA certificate is broken')
  const publicKey = attempt(() => new X509Certificate(der).publicKey, "the CA's public key cannot be read")
  if (!createPublicKey(privateKey).equals(publicKey))
    throw new InterceptError('ERR_INTERCEPT_KEY_MISMATCH', 'the private key does not belong to the CA certificate')
  const { subject, chain, identifier } = facts
  return { certificate: der, chain, subject, privateKey, authorityKeyIdentifier: authorityKeyIdentifier(identifier) }
}

interface CaFacts {
  readonly subject: Uint8Array
  readonly identifier: Uint8Array
  readonly chain: readonly Uint8Array[]
}

function readCa(ders: readonly Uint8Array[]): CaFacts {
  const view = new CertificateView(ders[0] as Uint8Array)
  const constraints = view.extension(ExtensionOid.BASIC_CONSTRAINTS)
  if (constraints === undefined || !readBasicConstraints(constraints.value).ca)
    throw new InterceptError('ERR_INTERCEPT_CA_INVALID', 'the certificate is not that of a CA')
  const usage = view.extension(ExtensionOid.KEY_USAGE)
  if (usage !== undefined && !(readKeyUsage(usage.value) & KeyUsage.KEY_CERT_SIGN))
    throw new InterceptError('ERR_INTERCEPT_CA_INVALID', 'the key usage of the CA does not allow to sign certificates')
  const own = view.extension(ExtensionOid.SUBJECT_KEY_IDENTIFIER)
  return {
    subject: view.subject,
    identifier: own === undefined ? keyIdentifier(view.spki) : readSubjectKeyIdentifier(own.value),
    chain: isSelfIssued(view) ? [] : ders.filter((der) => !isSelfIssued(new CertificateView(der))),
  }
}

/** The certificate names itself as its issuer. */
export function isSelfIssued({ subject, issuer }: CertificateView): boolean {
  return sameBytes(subject, issuer)
}

/** SHA-1 of the public key's bits (RFC 5280 section 4.2.1.2, method 1): an identifier, not a proof. */
export function keyIdentifier(spki: Uint8Array): Uint8Array {
  return createHash('sha1').update(publicKeyBits(spki)).digest()
}

/** The extension, DER: the issuer's key identifier, which must be the issuer's own subjectKeyIdentifier (RFC 5280 section 4.2.1.1). */
export function authorityKeyIdentifier(identifier: Uint8Array): Uint8Array {
  return sequence(oid(ExtensionId.AUTHORITY_KEY_IDENTIFIER), octetString(sequence(element(contextTag(0), identifier))))
}

/** The extension, DER. */
export function subjectKeyIdentifier(identifier: Uint8Array): Uint8Array {
  return sequence(oid(ExtensionId.SUBJECT_KEY_IDENTIFIER), octetString(octetString(identifier)))
}

/** Errors of siblings and of OpenSSL become ours; misuse stays a TypeError. */
function attempt<T>(read: () => T, message: string): T {
  try {
    return read()
  } catch (cause) {
    if (cause instanceof InterceptError || isMisuse(cause)) throw cause
    throw new InterceptError('ERR_INTERCEPT_CA_INVALID', message, { cause })
  }
}

/** Told by its code: two copies of a package are common. */
export function isMisuse(error: unknown): boolean {
  return error instanceof TypeError && String((error as { code?: unknown }).code).startsWith('ERR_INVALID_ARG_')
}
