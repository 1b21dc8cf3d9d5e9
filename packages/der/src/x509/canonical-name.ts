import { DerCursor } from '../cursor.ts'
import { readString } from '../strings.ts'
import { Tag } from '../tags.ts'
import { compareBytes, element, elementOf, encodeOid } from '../writer.ts'
import type { NameAttribute } from './name.ts'

/**
 * The form in which OpenSSL compares Names (x509_name_canon, near to RFC 5280 section 7.1): the RDNs without the outer header; text
 * in UTF-8, ASCII letters in lower case, white space trimmed and each run of it one space; the attributes of an RDN in DER's order;
 * other values as they are. Two Names are the same where these octets are, and one lies within the subtree of another where its
 * octets begin with the other's. The first four octets of their SHA-1 are what `openssl rehash` names files by.
 * @param name a Name with its header, as `CertificateView.subject`
 * @throws DerError where the name is malformed
 */
export function canonicalName(name: Uint8Array): Uint8Array {
  const length = writePlainName(name)
  return length < 0 ? canonicalRdns(name) : plain.slice(0, length)
}

/** One RelativeDistinguishedName in that form; a canonical Name is such, one behind the other. */
export function canonicalRdn(attributes: readonly Pick<NameAttribute, 'oid' | 'tag' | 'value'>[]): Uint8Array {
  return setOf(attributes.map(({ oid, tag, value }) => canonicalAttribute(encodeOid(oid), tag, value)))
}

function canonicalRdns(name: Uint8Array): Uint8Array {
  const outer = new DerCursor(name)
  const rdns = outer.enterExpected(Tag.SEQUENCE)
  outer.finish()
  const canonical: Uint8Array[] = []
  while (!rdns.done) {
    const set = rdns.enterExpected(Tag.SET)
    const attributes: Uint8Array[] = []
    while (!set.done) attributes.push(readAttribute(set))
    if (attributes.length > 0) canonical.push(setOf(attributes)) // OpenSSL drops an empty RDN, which RFC 5280 does not allow
  }
  const whole = new Uint8Array(canonical.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const rdn of canonical) {
    whole.set(rdn, at)
    at += rdn.length
  }
  return whole
}

function setOf(attributes: Uint8Array[]): Uint8Array {
  return elementOf(Tag.SET, attributes.sort(compareBytes))
}

function readAttribute(set: DerCursor): Uint8Array {
  const fields = set.enterExpected(Tag.SEQUENCE)
  const oid = fields.expect(Tag.OID).content()
  fields.next()
  const attribute = canonicalAttribute(oid, fields.tag, fields.content())
  fields.finish()
  return attribute
}

function canonicalAttribute(oid: Uint8Array, tag: number, value: Uint8Array): Uint8Array {
  const canonical = TEXTS.has(tag) ? element(Tag.UTF8_STRING, canonicalText(tag, value)) : element(tag, value)
  return element(Tag.SEQUENCE, element(Tag.OID, oid), canonical)
}

// ASN1_MASK_CANON; a NumericString is not among them.
const TEXTS: ReadonlySet<number> = new Set([
  Tag.UTF8_STRING,
  Tag.BMP_STRING,
  Tag.UNIVERSAL_STRING,
  Tag.PRINTABLE_STRING,
  Tag.TELETEX_STRING,
  Tag.IA5_STRING,
  Tag.VISIBLE_STRING,
])

function canonicalText(tag: number, content: Uint8Array): Uint8Array {
  const isWide = tag === Tag.BMP_STRING || tag === Tag.UNIVERSAL_STRING
  if (!isWide && content.every((byte) => byte < 0x80)) return canonicalUtf8(content)
  // OpenSSL reads the narrow types but UTF-8 octet by octet, whatever their alphabet (ASN1_STRING_to_UTF8)
  const type = isWide || tag === Tag.UTF8_STRING ? tag : Tag.TELETEX_STRING
  const text = readString(new DerCursor(element(type, content)).expect(type)) // refuses what is malformed
  return canonicalUtf8(utf8.encode(text))
}

const utf8 = new TextEncoder()

function canonicalUtf8(text: Uint8Array): Uint8Array {
  let end = text.length
  let at = 0
  while (at < end && isSpace(text[at] as number)) at++
  while (end > at && isSpace(text[end - 1] as number)) end--
  const out = new Uint8Array(end - at)
  let length = 0
  for (let space = false; at < end; at++) {
    const byte = text[at] as number
    if (isSpace(byte)) {
      if (!space) out[length++] = 0x20
      space = true
    } else {
      out[length++] = lower(byte)
      space = false
    }
  }
  return length === out.length ? out : out.subarray(0, length)
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)
}

function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
}

const plain = new Uint8Array(256)

/**
 * The canonical form of the common case, written to `plain` in one pass: one attribute of less than 128 octets for each RDN,
 * ASCII text, 255 octets in all. Returns its length, or -1 where the name is of another kind or malformed. A store of CAs asks this of each.
 */
function writePlainName(name: Uint8Array): number {
  const end = name.length
  const first = name[1] === 0x81 && (name[2] as number) >= 0x80 ? 3 : 2
  if (end > 258 || name[0] !== Tag.SEQUENCE || name[first - 1] !== end - first) return -1
  let out = 0
  for (let at = first; at < end; ) {
    const length = name[at + 1] as number
    const rdnEnd = at + 2 + length
    const valueAt = at + 6 + (name[at + 5] as number)
    const tag = name[valueAt]
    if (
      name[at] !== Tag.SET ||
      length > 0x7f ||
      rdnEnd > end ||
      name[at + 2] !== Tag.SEQUENCE ||
      name[at + 3] !== length - 2
    )
      return -1
    if (name[at + 4] !== Tag.OID || valueAt + 2 > rdnEnd || name[valueAt + 1] !== rdnEnd - valueAt - 2) return -1
    if (tag !== Tag.PRINTABLE_STRING && tag !== Tag.UTF8_STRING && tag !== Tag.IA5_STRING) return -1
    const start = out
    for (let i = at; i < valueAt; i++) plain[out++] = name[i] as number
    plain[out] = Tag.UTF8_STRING
    const textAt = out + 2
    out = writePlainText(name, valueAt + 2, rdnEnd, textAt)
    if (out < 0) return -1
    plain[textAt - 1] = out - textAt
    plain[start + 1] = out - start - 2
    plain[start + 3] = out - start - 4
    at = rdnEnd
  }
  return out
}

/** As `canonicalUtf8`, for ASCII alone. Returns the end of what was written, or -1. */
function writePlainText(from: Uint8Array, start: number, end: number, to: number): number {
  let out = to
  let space = true // leading white space goes
  for (let i = start; i < end; i++) {
    const byte = from[i] as number
    if (byte > 0x7f) return -1
    if (!isSpace(byte)) {
      plain[out++] = lower(byte)
      space = false
    } else if (!space) {
      plain[out++] = 0x20
      space = true
    }
  }
  return space && out > to ? out - 1 : out
}
