import { createHash } from 'node:crypto'
import { DerCursor, element, encodeOid, readString, setOf, Tag, utf8String } from '@x/der'
import { type NameAttribute, readName } from '@x/der/x509'

const STRINGS: ReadonlySet<number> = new Set([
  Tag.UTF8_STRING,
  Tag.PRINTABLE_STRING,
  Tag.IA5_STRING,
  Tag.VISIBLE_STRING,
  Tag.TELETEX_STRING,
  Tag.BMP_STRING,
  Tag.UNIVERSAL_STRING,
])

/**
 * A Name in the form in which OpenSSL compares names (`X509_NAME_cmp`; near to RFC 5280 section 7.1): strings as UTF-8,
 * outer white space cut, inner white space collapsed, ASCII letters in lower case; other values as they are.
 * Latin-1 text of the octets, to serve as a key. Two Names match where the results are equal.
 */
export function canonicalName(name: Uint8Array): string {
  const attributes = readName(name)
  let canonical = ''
  for (let from = 0; from < attributes.length; ) {
    let to = from
    while (to < attributes.length && attributes[to]?.rdn === attributes[from]?.rdn) to++
    canonical += canonicalRdn(attributes.slice(from, to))
    from = to
  }
  return canonical
}

/** The attributes of one RelativeDistinguishedName in that form; those of a Name are such, one behind the other. */
export function canonicalRdn(attributes: readonly NameAttribute[]): string {
  return latin1(setOf(...attributes.map(canonicalAttribute)))
}

/** The eight hexadecimal digits of `hash.rN` in a hashed directory (`openssl rehash`): SHA-1 of the canonical form. */
export function nameHash(canonical: string): string {
  return createHash('sha1').update(canonical, 'latin1').digest().readUInt32LE(0).toString(16).padStart(8, '0')
}

function canonicalAttribute({ oid, tag, value }: NameAttribute): Uint8Array {
  return element(Tag.SEQUENCE, element(Tag.OID, encodeOid(oid)), canonicalValue(tag, value))
}

function canonicalValue(tag: number, value: Uint8Array): Uint8Array {
  if (!STRINGS.has(tag)) return element(tag, value)
  const text = readString(new DerCursor(element(tag, value)).expect(tag))
  const spaced = text.replace(/^[\t-\r ]+|[\t-\r ]+$/g, '').replace(/[\t-\r ]+/g, ' ')
  return utf8String(spaced.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()))
}

/** Octets as text of the same length, for keys of maps. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}
