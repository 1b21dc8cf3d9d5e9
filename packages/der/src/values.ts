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

/** INTEGER as a bigint of any size (the cost grows with its square: bound the length where that matters). */
export function readInteger(cursor: DerCursor): bigint {
  const content = readIntegerBytes(cursor)
  let hex = ''
  for (const byte of content) hex += byte.toString(16).padStart(2, '0')
  return BigInt.asIntN(content.length * 8, BigInt(`0x${hex}`))
}

/** INTEGER or ENUMERATED of at most 6 octets as a number. */
export function readSmallInteger(cursor: DerCursor): number {
  const content = readIntegerBytes(cursor)
  if (content.length > 6) throw new DerError('ERR_DER_TOO_LARGE', 'integer is larger than expected', cursor.start)
  let value = (content[0] as number) & 0x80 ? -1 : 0
  for (const byte of content) value = value * 256 + byte
  return value
}

/** OBJECT IDENTIFIER as dotted text (X.690 section 8.19); at most 64 octets. */
export function readOid(cursor: DerCursor): string {
  return decodeOid(cursor.content(), cursor.start)
}

/** Dotted text of the content octets of an OBJECT IDENTIFIER. */
export function decodeOid(content: Uint8Array, offset = 0): string {
  if (content.length === 0 || content.length > 64 || (content.at(-1) as number) & 0x80)
    throw new DerError('ERR_DER_INVALID_VALUE', 'not an object identifier', offset)
  let text = ''
  let arc = 0n
  let small = 0
  let octets = 0
  for (const byte of content) {
    if (octets === 0 && byte === 0x80) throw new DerError('ERR_DER_INVALID_VALUE', 'arc with a leading zero', offset)
    octets++
    if (octets <= 4) small = small * 128 + (byte & 0x7f)
    if (octets === 4) arc = BigInt(small)
    if (octets > 4) arc = arc * 128n + BigInt(byte & 0x7f)
    if (byte & 0x80) continue
    const value = octets > 4 ? arc : small
    if (text !== '') text += `.${value}`
    else if (value < 80) text = `${value < 40 ? 0 : 1}.${Number(value) % 40}`
    else text = typeof value === 'bigint' ? `2.${value - 80n}` : `2.${value - 80}`
    small = 0
    octets = 0
  }
  return text
}

/** A BIT STRING's bits and how many of the last octet are unused (X.690 section 11.2: those are zero). */
export function readBitString(cursor: DerCursor): { readonly bits: Uint8Array; readonly unused: number } {
  const { bytes, contentStart, contentEnd } = cursor
  const unused = bytes[contentStart] as number
  const length = contentEnd - contentStart
  if (
    length === 0 ||
    unused > 7 ||
    (length === 1 && unused !== 0) ||
    ((bytes[contentEnd - 1] as number) & ((1 << unused) - 1) && length > 1)
  )
    throw new DerError('ERR_DER_INVALID_VALUE', 'not a DER bit string', cursor.start)
  return { bits: bytes.subarray(contentStart + 1, contentEnd), unused }
}

/** A BIT STRING of whole octets, as keys and signatures are. */
export function readOctetAlignedBits(cursor: DerCursor): Uint8Array {
  const { bits, unused } = readBitString(cursor)
  if (unused !== 0) throw new DerError('ERR_DER_INVALID_VALUE', 'bit string is not whole octets', cursor.start)
  return bits
}

/** UTCTime or GeneralizedTime in the form RFC 5280 section 4.1.2.5 demands (seconds, Zulu), in milliseconds since 1970. */
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
