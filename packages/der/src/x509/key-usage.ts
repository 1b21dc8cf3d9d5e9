import { DerCursor, openDer } from '../cursor.ts'
import { DerError } from '../errors.ts'
import { Tag } from '../tags.ts'
import { readOid, readUnusedBits } from '../values.ts'

/** The bits of a KeyUsage (RFC 5280 section 4.2.1.3) as `readKeyUsage` returns them: `1 << n` for the named bit n. */
export const KeyUsage = {
  DIGITAL_SIGNATURE: 0x001,
  NON_REPUDIATION: 0x002,
  KEY_ENCIPHERMENT: 0x004,
  DATA_ENCIPHERMENT: 0x008,
  KEY_AGREEMENT: 0x010,
  KEY_CERT_SIGN: 0x020,
  CRL_SIGN: 0x040,
  ENCIPHER_ONLY: 0x080,
  DECIPHER_ONLY: 0x100,
} as const

/** The value of a keyUsage extension (or of another named-bit list of at most 24 bits, such as nsCertType) as a mask. */
export function readKeyUsage(value: Uint8Array): number {
  const cursor = new DerCursor(value)
  const mask = readNamedBits(cursor.expect(Tag.BIT_STRING))
  cursor.finish()
  return mask
}

/**
 * The current element's named bits (X.690 section 11.2.2) as a mask: `1 << n` for bit n. Trailing zero bits, which DER
 * would cut, are accepted: many certificates have them, and they say nothing.
 * @throws DerError `ERR_DER_TOO_LARGE` for more than 3 octets.
 */
export function readNamedBits(cursor: DerCursor): number {
  readUnusedBits(cursor)
  const { bytes, contentStart, contentEnd } = cursor
  const octets = contentEnd - contentStart - 1
  if (octets > 3) throw new DerError('ERR_DER_TOO_LARGE', 'more named bits than expected', cursor.start)
  let mask = 0
  for (let n = 0; n < octets * 8; n++)
    if ((bytes[contentStart + 1 + (n >> 3)] as number) & (0x80 >> (n & 7))) mask |= 1 << n
  return mask
}

/** The value of an extKeyUsage extension (RFC 5280 section 4.2.1.12): dotted OIDs, in order. */
export function readExtendedKeyUsage(value: Uint8Array): string[] {
  const cursor = openDer(value)
  const purposes: string[] = []
  do purposes.push(readOid(cursor.expect(Tag.OID)))
  while (!cursor.done)
  return purposes
}
