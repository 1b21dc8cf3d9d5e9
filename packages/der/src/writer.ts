import { DerError } from './errors.ts'
import { Tag } from './tags.ts'
import { MAX_OID_OCTETS } from './values.ts'

/**
 * One element: identifier octet, shortest length (X.690 section 10.1), content. Several parts are joined.
 * @throws DerError `ERR_DER_LONG_TAG` for a tag of more than one octet, `ERR_DER_TOO_LARGE` beyond 4 GiB. What a caller gives
 *   wrongly to any function of this file is a DerError too, at offset 0.
 */
export function element(tag: number, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return elementOf(tag, parts)
}

/** The same of a list of any length: as many arguments as a stranger likes would overflow the stack. */
export function elementOf(tag: number, parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  if (!(tag >= 0 && tag <= 0xff) || (tag & 0x1f) === 0x1f)
    throw new DerError('ERR_DER_LONG_TAG', `${tag} is not a tag of one octet`, 0)
  let length = 0
  for (const part of parts) length += part.length
  if (length > 0xffffffff) throw new DerError('ERR_DER_TOO_LARGE', 'content is longer than 4 GiB', 0)
  const out = new Uint8Array(headerLength(length) + length)
  let p = writeHeader(out, 0, tag, length)
  for (const part of parts) {
    out.set(part, p)
    p += part.length
  }
  return out
}

/** How many octets tag and length take in front of a content of `length` octets, up to 4 GiB. */
export function headerLength(length: number): number {
  return length < 0x80 ? 2 : length < 0x100 ? 3 : length < 0x10000 ? 4 : length < 0x1000000 ? 5 : 6
}

/**
 * Writes tag and length at `offset` of `out`, and returns the offset behind them: for large structures that are put together in
 * one buffer, where `element` would copy each level. Not checked: that `out` has room, and the tag.
 */
export function writeHeader(out: Uint8Array, offset: number, tag: number, length: number): number {
  const octets = headerLength(length) - 2
  out[offset] = tag
  out[offset + 1] = octets === 0 ? length : 0x80 | octets
  let p = offset + 2
  for (let shift = octets - 1; shift >= 0; shift--) out[p++] = Math.floor(length / 2 ** (8 * shift))
  return p
}

/** SEQUENCE or SEQUENCE OF, in the order given. */
export function sequence(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return element(Tag.SEQUENCE, ...parts)
}

/** SET OF: the parts are put into DER's order (X.690 section 11.6). */
export function setOf(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return elementOf(Tag.SET, [...parts].sort(compareBytes))
}

/** The order of X.690 section 11.6. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) if (a[i] !== b[i]) return (a[i] as number) - (b[i] as number)
  return a.length - b.length
}

/** BOOLEAN. A field with a DEFAULT is left out where the value is the default: that is the caller's to do. */
export function boolean(value: boolean): Uint8Array<ArrayBuffer> {
  return element(Tag.BOOLEAN, Uint8Array.of(value ? 0xff : 0))
}

/** NULL, as the parameters of RSA algorithms. */
export function nullElement(): Uint8Array<ArrayBuffer> {
  return element(Tag.NULL)
}

/** INTEGER from a number, a bigint, or the big-endian octets of an unsigned number. */
export function integer(value: number | bigint | Uint8Array): Uint8Array<ArrayBuffer> {
  if (value instanceof Uint8Array) return element(Tag.INTEGER, unsignedOctets(value))
  if (typeof value === 'number' && !Number.isSafeInteger(value))
    throw new DerError('ERR_DER_INVALID_VALUE', `${value} is not an integer`, 0)
  return element(Tag.INTEGER, signedOctets(BigInt(value)))
}

function unsignedOctets(value: Uint8Array): Uint8Array {
  let skip = 0
  while (skip < value.length - 1 && value[skip] === 0) skip++
  const trimmed = value.subarray(skip)
  if (trimmed.length > 0 && (trimmed[0] as number) < 0x80) return trimmed
  const out = new Uint8Array(trimmed.length + 1)
  out.set(trimmed, 1)
  return out
}

function signedOctets(value: bigint): Uint8Array {
  // The magnitude's bits, one's complement for the negative, and one bit for the sign.
  const magnitude = value < 0n ? ~value : value
  const digits = magnitude.toString(16)
  const bits = digits.length * 4 - (Math.clz32(Number.parseInt(digits[0] as string, 16)) - 28)
  const octets = Math.floor(bits / 8) + 1
  const hex = BigInt.asUintN(octets * 8, value)
    .toString(16)
    .padStart(octets * 2, '0')
  return Uint8Array.from({ length: octets }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16))
}

/** ENUMERATED from a safe integer. */
export function enumerated(value: number): Uint8Array<ArrayBuffer> {
  if (!Number.isSafeInteger(value)) throw new DerError('ERR_DER_INVALID_VALUE', `${value} is not an integer`, 0)
  return element(Tag.ENUMERATED, signedOctets(BigInt(value)))
}

/** OBJECT IDENTIFIER from dotted text. */
export function oid(text: string): Uint8Array<ArrayBuffer> {
  return element(Tag.OID, encodeOid(text))
}

/** Content octets of an OBJECT IDENTIFIER (X.690 section 8.19), of at most {@link MAX_OID_OCTETS}. */
export function encodeOid(text: string): Uint8Array<ArrayBuffer> {
  if (!/^[0-2](\.(0|[1-9][0-9]*))+$/.test(text) || text.length > 256)
    throw new DerError('ERR_DER_INVALID_VALUE', `'${text.slice(0, 80)}' is not an object identifier`, 0)
  const [first, second, ...rest] = text.split('.').map(parseArc) as [number, number | bigint, ...(number | bigint)[]]
  if (first < 2 && second > 39) throw new DerError('ERR_DER_INVALID_VALUE', `'${text}' has a second arc above 39`, 0)
  const out: number[] = []
  pushArc(out, typeof second === 'number' ? first * 40 + second : BigInt(first * 40) + second)
  for (const arc of rest) pushArc(out, arc)
  if (out.length > MAX_OID_OCTETS) throw new DerError('ERR_DER_TOO_LARGE', 'object identifier is too long', 0)
  return Uint8Array.from(out)
}

/** A number where it stays exact through {@link pushArc}'s 32-bit shifts; nearly all arcs are. */
function parseArc(digits: string): number | bigint {
  return digits.length < 10 ? Number(digits) : BigInt(digits)
}

/** Appends an arc in base 128, highest octet first. */
function pushArc(out: number[], arc: number | bigint): void {
  const octets: number[] = []
  if (typeof arc === 'number')
    for (let rest = arc; rest > 0 || octets.length === 0; rest >>>= 7) octets.push(rest & 0x7f)
  else for (let rest = arc; rest > 0n; rest >>= 7n) octets.push(Number(rest & 0x7fn))
  for (let i = octets.length - 1; i > 0; i--) out.push((octets[i] as number) | 0x80)
  out.push(octets[0] as number)
}

/** OCTET STRING. */
export function octetString(content: Uint8Array): Uint8Array<ArrayBuffer> {
  return element(Tag.OCTET_STRING, content)
}

/** BIT STRING; `unused` bits of the last octet are not part of it and are written as zero. */
export function bitString(bits: Uint8Array, unused = 0): Uint8Array<ArrayBuffer> {
  if (!(unused >= 0 && unused <= 7) || (unused > 0 && bits.length === 0))
    throw new DerError('ERR_DER_INVALID_VALUE', `${unused} unused bits in ${bits.length} octets`, 0)
  const out = element(Tag.BIT_STRING, Uint8Array.of(unused), bits)
  if (unused > 0) out[out.length - 1] = (out.at(-1) as number) & (0xff << unused)
  return out
}

/** A named-bit list (X.690 section 11.2.2: trailing zero bits are cut). Bit 0 is the first, 1023 the last there may be. */
export function namedBits(numbers: Iterable<number>): Uint8Array<ArrayBuffer> {
  let highest = -1
  const bits: number[] = []
  for (const number of numbers) {
    if (!(number >= 0 && number < 1024) || (number | 0) !== number)
      throw new DerError('ERR_DER_INVALID_VALUE', `${number} is not a bit number`, 0)
    const octet = number >> 3
    while (bits.length <= octet) bits.push(0)
    bits[octet] = (bits[octet] as number) | (0x80 >> (number & 7))
    if (number > highest) highest = number
  }
  return bitString(Uint8Array.from(bits), highest < 0 ? 0 : 7 - (highest & 7))
}

/** UTF8String; a lone surrogate is refused, not replaced. */
export function utf8String(text: string): Uint8Array<ArrayBuffer> {
  if (/\p{Surrogate}/u.test(text)) throw new DerError('ERR_DER_INVALID_VALUE', 'text has a lone surrogate', 0)
  return element(Tag.UTF8_STRING, new TextEncoder().encode(text))
}

/** IA5String; text beyond ASCII is refused. */
export function ia5String(text: string): Uint8Array<ArrayBuffer> {
  return element(Tag.IA5_STRING, asciiBytes(text))
}

/** PrintableString; text beyond its alphabet (X.680 section 41.4) is refused. */
export function printableString(text: string): Uint8Array<ArrayBuffer> {
  if (!/^[A-Za-z0-9 '()+,\-./:=?]*$/.test(text))
    throw new DerError('ERR_DER_INVALID_VALUE', 'text is not a PrintableString', 0)
  return element(Tag.PRINTABLE_STRING, asciiBytes(text))
}

/** Bytes of ASCII text; anything else is refused. */
export function asciiBytes(text: string): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7f) throw new DerError('ERR_DER_INVALID_VALUE', 'text is not ASCII', 0)
    out[i] = code
  }
  return out
}

/** UTCTime until 2049, GeneralizedTime from 2050 (RFC 5280 section 4.1.2.5); fractions of seconds are cut. */
export function time(at: Date | number): Uint8Array<ArrayBuffer> {
  const year = yearOf(at)
  return year >= 1950 && year < 2050 ? element(Tag.UTC_TIME, asciiBytes(digits(at).slice(2))) : generalizedTime(at)
}

/** GeneralizedTime, as OCSP and CRL dates are; fractions of seconds are cut. */
export function generalizedTime(at: Date | number): Uint8Array<ArrayBuffer> {
  yearOf(at)
  return element(Tag.GENERALIZED_TIME, asciiBytes(digits(at)))
}

function yearOf(at: Date | number): number {
  const year = new Date(at).getUTCFullYear()
  if (!(year >= 0 && year <= 9999))
    throw new DerError('ERR_DER_INVALID_VALUE', 'time is not within the years 0 to 9999', 0)
  return year
}

function digits(at: Date | number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace(/[-T:]/g, '')}Z`
}
