import { X509Certificate } from 'node:crypto'
import {
  type CertificateInput,
  type CertificateListInput,
  toCertificateDer,
  toCertificateDers,
} from './certificate-input.ts'
import { CertificateError } from './errors.ts'
import { writePem } from './pem.ts'

/**
 * One certificate from PEM text, PEM or DER bytes, or a node:tls peer certificate; of a bundle its first.
 * The original's `PEM_string2cert`. Nothing about it is verified.
 *
 * @throws CertificateError ERR_CERT_NOT_FOUND, ERR_CERT_PEM_INVALID, ERR_CERT_INVALID, ERR_CERT_TOO_LARGE
 */
export function parseCertificate(input: CertificateInput): X509Certificate {
  return input instanceof X509Certificate ? input : fromDer(toCertificateDer(input))
}

/**
 * Every certificate of a bundle, in order; text between PEM blocks, and blocks that are no certificates, are skipped.
 * Nothing about them is verified. A broken block is an error, not skipped.
 *
 * @throws CertificateError ERR_CERT_NOT_FOUND (none at all), ERR_CERT_PEM_INVALID, ERR_CERT_INVALID, ERR_CERT_TOO_LARGE
 */
export function parseCertificates(input: CertificateListInput): X509Certificate[] {
  return toCertificateDers(input).map(fromDer)
}

/**
 * PEM of certificates, one block each (the original's `PEM_cert2string`).
 *
 * @throws CertificateError as {@link parseCertificates}
 */
export function certificateToPem(certificates: CertificateListInput): string {
  return toCertificateDers(certificates)
    .map((der) => writePem('CERTIFICATE', der))
    .join('')
}

/** `der` must start with a SEQUENCE: X509Certificate would also take PEM, and then two readers could disagree. */
function fromDer(der: Uint8Array): X509Certificate {
  try {
    return new X509Certificate(der)
  } catch (cause) {
    throw new CertificateError('ERR_CERT_INVALID', 'not a certificate', { cause })
  }
}
