import { createHash } from 'node:crypto'
import { DerCursor, DerError, readString, Tag } from '@x/der'

/**
 * The eight hexadecimal digits under which OpenSSL 1.0 and newer looks a subject up in a directory
 * (`openssl x509 -subject_hash`, X509_NAME_hash): the first four octets of SHA-1 over the canonical name.
 * @param name a Name with its header, as `CertificateView.subject`
 * @throws DerError where the name is malformed
 */
export function nameHash(name: Uint8Array): string {
  const digest = createHash('sha1').update(canonicalName(name)).digest()
  return digest.readUInt32LE(0).toString(16).padStart(8, '0')
}

/** The canonical name as a string of octets, for maps. Two names are equal where these are (RFC 5280 section 7.1). */
export function nameKey(name: Uint8Array): string {
  const length = writePlainName(name)
  return length < 0 ? canonicalName(name).toString('latin1') : plain.toString('latin1', 0, length)
}

/**
 * OpenSSL's canonical encoding (x509_name_canon): the RDNs without the outer header; text in UTF-8, ASCII letters in lower
 * case, white space trimmed and each run of it one space; the attributes of an RDN in DER's order.
 */
function canonicalName(name: Uint8Array): Buffer {
  const outer = new DerCursor(name)
  const rdns = outer.enterExpected(Tag.SEQUENCE)
  outer.finish()
  const out = new Output(name.length + 32)
  while (!rdns.done) {
    const set = rdns.enterExpected(Tag.SET)
    const attributes: Attribute[] = []
    while (!set.done) attributes.push(readAttribute(set))
    if (attributes.length > 0) writeRdn(out, attributes) // OpenSSL drops an empty RDN, which RFC 5280 does not allow
  }
  return out.finish()
}

interface Attribute {
  readonly oid: Uint8Array
  readonly tag: number
  readonly value: Uint8Array
}

function readAttribute(set: DerCursor): Attribute {
  const fields = set.enterExpected(Tag.SEQUENCE)
  const oid = fields.expect(Tag.OID).element()
  fields.next()
  const isText = canonicalised.has(fields.tag)
  const attribute = isText
    ? { oid, tag: Tag.UTF8_STRING, value: canonicalText(fields) }
    : { oid, tag: fields.tag, value: fields.content() }
  fields.finish()
  return attribute
}

// ASN1_MASK_CANON; a NumericString is not among them.
const canonicalised: ReadonlySet<number> = new Set([
  Tag.UTF8_STRING,
  Tag.BMP_STRING,
  Tag.UNIVERSAL_STRING,
  Tag.PRINTABLE_STRING,
  Tag.TELETEX_STRING,
  Tag.IA5_STRING,
  Tag.VISIBLE_STRING,
])

function canonicalText(cursor: DerCursor): Uint8Array {
  const { bytes, tag, contentStart, contentEnd } = cursor
  if (tag === Tag.BMP_STRING || tag === Tag.UNIVERSAL_STRING) return canonicalUtf8(Buffer.from(readString(cursor)))
  const content = bytes.subarray(contentStart, contentEnd)
  for (const byte of content) {
    if (byte < 0x80) continue
    if (tag === Tag.UTF8_STRING)
      readString(cursor) // refuses what is malformed
    // OpenSSL reads the other types octet by octet, whatever their alphabet (ASN1_STRING_to_UTF8).
    else return canonicalUtf8(Buffer.from(Buffer.from(content).toString('latin1')))
    break
  }
  return canonicalUtf8(content)
}

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
      out[length++] = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
      space = false
    }
  }
  return length === out.length ? out : out.subarray(0, length)
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)
}

function writeRdn(out: Output, attributes: readonly Attribute[]): void {
  const [only] = attributes
  if (attributes.length === 1 && only !== undefined) {
    out.header(Tag.SET, attributeLength(only))
    writeAttribute(out, only)
    return
  }
  const encoded = attributes.map((attribute) => {
    const one = new Output(attributeLength(attribute))
    writeAttribute(one, attribute)
    return one.finish()
  })
  encoded.sort(Buffer.compare)
  const all = Buffer.concat(encoded)
  out.header(Tag.SET, all.length)
  out.put(all)
}

function writeAttribute(out: Output, { oid, tag, value }: Attribute): void {
  out.header(Tag.SEQUENCE, oid.length + elementLength(value.length))
  out.put(oid)
  out.header(tag, value.length)
  out.put(value)
}

function attributeLength({ oid, value }: Attribute): number {
  return elementLength(oid.length + elementLength(value.length))
}

function elementLength(content: number): number {
  return content + (content < 0x80 ? 2 : content < 0x100 ? 3 : content < 0x10000 ? 4 : 5)
}

class Output {
  #bytes: Buffer
  #length = 0

  constructor(size: number) {
    this.#bytes = Buffer.allocUnsafe(size)
  }

  header(tag: number, length: number): void {
    if (length > 0xffffff) throw new DerError('ERR_DER_TOO_LARGE', 'name of more than 16 MiB', 0)
    const octets = elementLength(length) - length - 2
    const header = [tag, ...(octets === 0 ? [length] : [0x80 | octets, ...bigEndian(length, octets)])]
    this.put(header)
  }

  put(bytes: ArrayLike<number>): void {
    const end = this.#length + bytes.length
    if (end > this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes], 2 * end)
    this.#bytes.set(bytes, this.#length)
    this.#length = end
  }

  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }
}

function bigEndian(value: number, octets: number): number[] {
  return Array.from({ length: octets }, (_, i) => (value >>> (8 * (octets - 1 - i))) & 0xff)
}

const plain = Buffer.alloc(256)

/**
 * The canonical form of the common case, written to `plain` in one pass: one attribute of less than 128 octets for each RDN,
 * ASCII text, 255 octets in all. Returns its length, or -1 where the name is of another kind or malformed. A store asks this of each subject.
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
      plain[out++] = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
      space = false
    } else if (!space) {
      plain[out++] = 0x20
      space = true
    }
  }
  return space && out > to ? out - 1 : out
}
