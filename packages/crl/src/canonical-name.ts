import { createHash } from 'node:crypto'
import * as x509 from '@x/der/x509'

/** A Name in the form in which names are compared, to serve as a key: two match where the results are equal. */
export function canonicalName(name: Uint8Array): string {
  return latin1(x509.canonicalName(name))
}

/** The attributes of one RelativeDistinguishedName in that form; those of a Name are such, one behind the other. */
export function canonicalRdn(attributes: readonly x509.NameAttribute[]): string {
  return latin1(x509.canonicalRdn(attributes))
}

/** The eight hexadecimal digits of `hash.rN` in a hashed directory (`openssl rehash`): SHA-1 of the canonical form. */
export function nameHash(canonical: string): string {
  return createHash('sha1').update(canonical, 'latin1').digest().readUInt32LE(0).toString(16).padStart(8, '0')
}

/** Octets as text of the same length, for keys of maps. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}
