import { createHash } from 'node:crypto'
import { canonicalName } from '@x/der/x509'

/**
 * The eight hexadecimal digits under which OpenSSL 1.0 and newer looks a subject up in a directory
 * (`openssl x509 -subject_hash`, X509_NAME_hash): the first four octets of SHA-1 over the canonical name.
 * @param name a Name with its header, as `CertificateView.subject`
 * @throws DerError where the name is malformed
 */
export function nameHash(name: Uint8Array): string {
  return createHash('sha1').update(canonicalName(name)).digest().readUInt32LE(0).toString(16).padStart(8, '0')
}

/** The canonical name as a string of octets, for maps. Two names are equal where these are (RFC 5280 section 7.1). */
export function nameKey(name: Uint8Array): string {
  const { buffer, byteOffset, byteLength } = canonicalName(name)
  return Buffer.from(buffer, byteOffset, byteLength).toString('latin1')
}
