import type { DerCursor } from './cursor.ts'
import { DerError } from './errors.ts'
import { Tag } from './tags.ts'

/** BOOLEAN of the current element (X.690 section 11.1: 0x00 or 0xff). */
export function readBoolean(cursor: DerCursor): boolean {
  const { bytes, contentStart } = cursor
  const value = bytes[contentStart]
  if (cursor.contentEnd - contentStart !== 1 || (value !== 0 && value !== 0xff))
    throw new DerError('ERR_DER_INVALID_VALUE', 'not a DER boolean', cursor.start)
  return value === 0xff
}

/** Content octets of an INTEGER or ENUMERATED, checked for the shortest form (X.690 section 8.3.2). */
export function readIntegerBytes(cursor: DerCursor): Uint8Array {
  const { bytes, contentStart, contentEnd } = cursor
  const length = contentEnd - contentStart
  const first = bytes[contentStart] as number
  if (
    length === 0 ||
    (length > 1 && (first === 0 || first === 0xff) && ((first ^ (bytes[contentStart + 1] as number)) & 0x80) === 0)
  )
    throw new DerError('ERR_DER_INVALID_VALUE', 'integer is not in its shortest form', cursor.start)
  return cursor.content()
}

/** How many octets `readInteger` takes unless told otherwise: a number of 65,536 bits. */
export const MAX_INTEGER_OCTETS = 8192

/**
 * INTEGER as a bigint.
 * @throws DerError `ERR_DER_TOO_LARGE` beyond `maxOctets`: who prints or multiplies the number pays more than linearly.
 */
export function readInteger(cursor: DerCursor, maxOctets: number = MAX_INTEGER_OCTETS): bigint {
  const content = readIntegerBytes(cursor)
  if (!(content.length <= maxOctets))
    throw new DerError('ERR_DER_TOO_LARGE', 'integer is larger than expected', cursor.start)
  let hex = '0x'
  for (const byte of content) hex += HEX[byte] as string
  return BigInt.asIntN(content.length * 8, BigInt(hex))
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/**
 * INTEGER or ENUMERATED of at most 6 octets as a number.
 * @throws DerError `ERR_DER_TOO_LARGE`, `ERR_DER_INVALID_VALUE`.
 */
export function readSmallInteger(cursor: DerCursor): number {
  const content = readIntegerBytes(cursor)
  if (content.length > 6) throw new DerError('ERR_DER_TOO_LARGE', 'integer is larger than expected', cursor.start)
  let value = (content[0] as number) & 0x80 ? -1 : 0
  for (const byte of content) value = value * 256 + byte
  return value
}

/** The longest OBJECT IDENTIFIER that is read or written, in content octets; those in use stay below 30. */
export const MAX_OID_OCTETS = 64

/**
 * OBJECT IDENTIFIER as dotted text (X.690 section 8.19).
 * @throws DerError `ERR_DER_INVALID_VALUE`, `ERR_DER_TOO_LARGE` beyond {@link MAX_OID_OCTETS}.
 */
export function readOid(cursor: DerCursor): string {
  const { bytes, contentStart: p, contentEnd } = cursor
  if (contentEnd - p === 3 && bytes[p] === 0x55) return x500Oid(cursor)
  return oidText(bytes, p, contentEnd, cursor.start)
}

/** `2.5.x.y` in three octets, decoded once each: nearly all that names and extensions use, and 16,384 at most. */
const x500Oids = new Map<number, string>()

function x500Oid({ bytes, contentStart: p, contentEnd, start }: DerCursor): string {
  const key = (bytes[p + 1] as number) * 256 + (bytes[p + 2] as number)
  let text = x500Oids.get(key)
  if (text === undefined) {
    text = oidText(bytes, p, contentEnd, start)
    x500Oids.set(key, text)
  }
  return text
}

/** Dotted text of the content octets of an OBJECT IDENTIFIER; `offset` is what an error will say. As `readOid`. */
export function decodeOid(content: Uint8Array, offset = 0): string {
  return oidText(content, 0, content.length, offset)
}

function oidText(bytes: Uint8Array, start: number, end: number, offset: number): string {
  if (end - start > MAX_OID_OCTETS) throw new DerError('ERR_DER_TOO_LARGE', 'object identifier is too long', offset)
  if (start === end || (bytes[end - 1] as number) > 0x7f)
    throw new DerError('ERR_DER_INVALID_VALUE', 'object identifier is cut off', offset)
  let text = ''
  let arcStart = start
  for (let i = start; i < end; i++) {
    if ((bytes[i] as number) > 0x7f) continue
    if (bytes[arcStart] === 0x80) throw new DerError('ERR_DER_INVALID_VALUE', 'arc with a leading zero', offset)
    // Four octets of 7 bits stay exact in a number; longer arcs (UUIDs below 2.25) need a bigint.
    const value = i - arcStart < 4 ? smallArc(bytes, arcStart, i) : largeArc(bytes, arcStart, i)
    text = arcStart === start ? firstArcs(value) : `${text}.${value}`
    arcStart = i + 1
  }
  return text
}

function smallArc(bytes: Uint8Array, from: number, to: number): number {
  let value = 0
  for (let i = from; i <= to; i++) value = (value << 7) | ((bytes[i] as number) & 0x7f)
  return value
}

function largeArc(bytes: Uint8Array, from: number, to: number): bigint {
  let value = 0n
  for (let i = from; i <= to; i++) value = (value << 7n) | BigInt((bytes[i] as number) & 0x7f)
  return value
}

/** The first two arcs share one number (X.690 section 8.19.4). */
function firstArcs(value: number | bigint): string {
  if (typeof value === 'bigint') return `2.${value - 80n}`
  return value < 40 ? `0.${value}` : value < 80 ? `1.${value - 40}` : `2.${value - 80}`
}

/** A BIT STRING's bits and how many of the last octet are unused (X.690 section 11.2: those are zero). */
export function readBitString(cursor: DerCursor): { readonly bits: Uint8Array; readonly unused: number } {
  const unused = readUnusedBits(cursor)
  return { bits: cursor.bytes.subarray(cursor.contentStart + 1, cursor.contentEnd), unused }
}

/** Checks a BIT STRING as `readBitString` does; returns how many bits of its last octet are unused. */
export function readUnusedBits({ bytes, start, contentStart, contentEnd }: DerCursor): number {
  const unused = bytes[contentStart] as number
  const length = contentEnd - contentStart
  if (
    length === 0 ||
    unused > 7 ||
    (length === 1 && unused !== 0) ||
    ((bytes[contentEnd - 1] as number) & ((1 << unused) - 1) && length > 1)
  )
    throw new DerError('ERR_DER_INVALID_VALUE', 'not a DER bit string', start)
  return unused
}

/** A BIT STRING of whole octets, as keys and signatures are. */
export function readOctetAlignedBits(cursor: DerCursor): Uint8Array {
  const { bits, unused } = readBitString(cursor)
  if (unused !== 0) throw new DerError('ERR_DER_INVALID_VALUE', 'bit string is not whole octets', cursor.start)
  return bits
}

/**
 * UTCTime or GeneralizedTime in the form RFC 5280 section 4.1.2.5 demands (seconds, Zulu), in milliseconds since
 * 1970. Two-digit years are 1950 to 2049; a leap second (60) is refused, as OpenSSL does. Not checked: which of both types
 * was due.
 * @throws DerError `ERR_DER_UNEXPECTED_TAG`, `ERR_DER_INVALID_VALUE`.
 */
export function readTime(cursor: DerCursor): number {
  const { bytes, tag, contentStart: p, contentEnd } = cursor
  const yearDigits = tag === Tag.UTC_TIME ? 2 : tag === Tag.GENERALIZED_TIME ? 4 : 0
  if (yearDigits === 0) throw new DerError('ERR_DER_UNEXPECTED_TAG', 'expected a time', cursor.start)
  if (contentEnd - p !== yearDigits + 11 || bytes[contentEnd - 1] !== 0x5a) throw invalidTime(cursor)
  let year = pair(cursor, p)
  if (yearDigits === 4) year = year * 100 + pair(cursor, p + 2)
  else year += year < 50 ? 2000 : 1900
  const q = p + yearDigits
  const month = pair(cursor, q)
  const day = pair(cursor, q + 2)
  const hour = pair(cursor, q + 4)
  const minute = pair(cursor, q + 6)
  const second = pair(cursor, q + 8)
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) throw invalidTime(cursor)
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  const daysInMonth =
    month === 2 ? (leap ? 29 : 28) : month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
  if (day > daysInMonth) throw invalidTime(cursor)
  if (year >= 100) return Date.UTC(year, month - 1, day, hour, minute, second)
  const date = new Date(0) // Date.UTC takes the years 0 to 99 for 1900 to 1999
  date.setUTCFullYear(year, month - 1, day)
  return date.setUTCHours(hour, minute, second)
}

function pair(cursor: DerCursor, p: number): number {
  const tens = (cursor.bytes[p] as number) - 0x30
  const ones = (cursor.bytes[p + 1] as number) - 0x30
  if (!(tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9)) throw invalidTime(cursor)
  return tens * 10 + ones
}

function invalidTime(cursor: DerCursor): DerError {
  return new DerError('ERR_DER_INVALID_VALUE', 'not a time of the form [YY]YYMMDDHHMMSSZ', cursor.start)
}
