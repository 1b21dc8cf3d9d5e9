import { createHash, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import { DerError, openDer, Tag } from '@x/der'
import { CertificateView, ExtensionOid } from '@x/der/x509'
import { type CertificateInput, toCertificateDer } from './certificate-input.ts'
import { CertificateError } from './errors.ts'
import { type EncodedExtension, shared, typedExtension } from './extensions.ts'
import { publicKeyBits } from './fingerprint.ts'

/** What certificates say of a key. */
export interface KeyFacts {
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array
  /** By the SHA-1 of the public key's bits (RFC 5280 section 4.2.1.2, method 1): an identifier, not a proof. */
  readonly subjectKeyIdentifier: EncodedExtension
  /** The same, for certificates that sign themselves. */
  readonly authorityKeyIdentifier: EncodedExtension
}

/** What a certificate must say of its issuer. */
export interface IssuerFacts {
  /** Name, DER. */
  readonly subject: Uint8Array
  readonly spki: Uint8Array
  /** From the issuer's own subjectKeyIdentifier, or by its key. */
  readonly authorityKeyIdentifier: EncodedExtension
}

const keys = new WeakMap<KeyObject, KeyFacts>()
const issuers = new WeakMap<object, IssuerFacts>()

/** Facts of a public or private key; exporting one costs more than signing, so they are remembered per KeyObject. */
export function keyFacts(key: KeyObject): KeyFacts {
  const known = keys.get(key)
  if (known !== undefined) return known
  const publicKey = key.type === 'private' ? createPublicKey(key) : key
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const identifier = keyIdentifier(spki)
  const facts = {
    spki,
    subjectKeyIdentifier: shared(typedExtension('subjectKeyIdentifier', identifier)),
    authorityKeyIdentifier: authorityKeyIdentifier(identifier),
  }
  keys.set(key, facts)
  return facts
}

/** Facts of an issuing certificate, remembered per X509Certificate (which cannot change; other inputs can). */
export function issuerFacts(certificate: CertificateInput): IssuerFacts {
  const immutable = certificate instanceof X509Certificate
  const known = immutable ? issuers.get(certificate) : undefined
  if (known !== undefined) return known
  const facts = readIssuerFacts(toCertificateDer(certificate, 'issuer.certificate'))
  if (immutable) issuers.set(certificate, facts)
  return facts
}

function readIssuerFacts(der: Uint8Array): IssuerFacts {
  try {
    const view = new CertificateView(der)
    const extension = view.extension(ExtensionOid.SUBJECT_KEY_IDENTIFIER)
    const identifier = extension === undefined ? undefined : openDer(extension.value, Tag.OCTET_STRING)
    return {
      subject: view.subject,
      spki: view.spki,
      authorityKeyIdentifier: authorityKeyIdentifier(
        identifier?.bytes.subarray(identifier.position, identifier.end) ?? keyIdentifier(view.spki),
      ),
    }
  } catch (cause) {
    if (!(cause instanceof DerError)) throw cause
    throw new CertificateError('ERR_CERT_INVALID', "the issuer's certificate is not one", { cause })
  }
}

function keyIdentifier(spki: Uint8Array): Uint8Array {
  return createHash('sha1').update(publicKeyBits(spki)).digest()
}

function authorityKeyIdentifier(identifier: Uint8Array): EncodedExtension {
  return shared(typedExtension('authorityKeyIdentifier', identifier))
}
