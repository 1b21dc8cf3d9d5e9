import { DerCursor, DerError, readBoolean, readIntegerBytes, readTime, Tag } from '@x/der'

/** What one pass over revokedCertificates finds. No object per entry. */
export interface EntryIndex {
  /** Offset of each entry, ordered by the hash of its serial number. */
  readonly offsets: Uint32Array
  /** Offsets of the entries with a certificateIssuer extension, in the order of the list (RFC 5280 section 5.3.3). */
  readonly certificateIssuers: Uint32Array
  /** True where some entry has a critical extension that we do not know (RFC 5280 section 5.3). */
  readonly unknownCritical: boolean
}

/** The shortest entry: two headers, one octet of serial number, a UTCTime. */
const SHORTEST_ENTRY = 20
const CRL_REASON = 21
const INVALIDITY_DATE = 24
const CERTIFICATE_ISSUER = 29

/**
 * Checks every entry's form in one pass and orders their offsets for {@link findEntry}.
 * @throws DerError for entries that are malformed, of version 1 with extensions, or with an extension twice.
 */
export function indexEntries(der: Uint8Array, start: number, end: number, version: number): EntryIndex {
  let offsets: Uint32Array = new Uint32Array(Math.ceil((end - start) / SHORTEST_ENTRY))
  const certificateIssuers: number[] = []
  let unknownCritical = false
  let count = 0
  const cursor = new DerCursor(der, start, end)
  while (!cursor.done) {
    const entryEnd = step(cursor, Tag.SEQUENCE, end)
    offsets[count++] = cursor.start
    cursor.position = cursor.contentStart
    step(cursor, Tag.INTEGER, entryEnd)
    checkSerial(cursor)
    stepAny(cursor, entryEnd)
    checkTime(cursor)
    if (cursor.position === entryEnd) continue
    if (version < 2)
      throw new DerError('ERR_DER_INVALID_VALUE', 'entry extensions in a list of version 1', cursor.start)
    const extensionsEnd = step(cursor, Tag.SEQUENCE, entryEnd)
    if (extensionsEnd !== entryEnd) throw new DerError('ERR_DER_TRAILING_DATA', 'bytes behind an entry', extensionsEnd)
    const found = readEntryExtensions(cursor, entryEnd)
    if (found & FOUND_ISSUER) certificateIssuers.push(offsets[count - 1] as number)
    if (found & FOUND_UNKNOWN) unknownCritical = true
  }
  offsets = offsets.slice(0, count)
  return {
    offsets: sortByHash(der, offsets),
    certificateIssuers: Uint32Array.from(certificateIssuers),
    unknownCritical,
  }
}

/** The offsets of the entries with this serial number (content octets of the INTEGER); an indirect list may have several. */
export function findEntries(der: Uint8Array, offsets: Uint32Array, serial: Uint8Array): number[] {
  const wanted = hash(serial, 0, serial.length)
  let low = 0
  for (let high = offsets.length; low < high; ) {
    const middle = (low + high) >>> 1
    if (hashAt(der, offsets[middle] as number) < wanted) low = middle + 1
    else high = middle
  }
  const found: number[] = []
  for (; low < offsets.length; low++) {
    const offset = offsets[low] as number
    if (hashAt(der, offset) !== wanted) break
    if (holdsSerial(der, offset, serial)) found.push(offset)
  }
  return found
}

const FOUND_ISSUER = 1 << 29
const FOUND_UNKNOWN = 1 << 30

/** A mask of what was found; known types have the bit of their last arc. */
function readEntryExtensions(cursor: DerCursor, end: number): number {
  let found = 0
  cursor.position = cursor.contentStart
  while (cursor.position < end) {
    const extensionEnd = step(cursor, Tag.SEQUENCE, end)
    cursor.position = cursor.contentStart
    step(cursor, Tag.OID, extensionEnd)
    const type = typeOf(cursor)
    stepAny(cursor, extensionEnd)
    let critical = false
    if (cursor.tag === Tag.BOOLEAN) {
      critical = readBoolean(cursor)
      stepAny(cursor, extensionEnd)
    }
    if (cursor.tag !== Tag.OCTET_STRING || cursor.position !== extensionEnd)
      throw new DerError('ERR_DER_UNEXPECTED_TAG', 'not an entry extension', cursor.start)
    if (type === 0) {
      if (critical) found |= FOUND_UNKNOWN
      continue
    }
    const bit = 1 << type
    if (found & bit) throw new DerError('ERR_DER_INVALID_VALUE', 'an entry extension comes twice', cursor.start)
    found |= bit
  }
  return found
}

/** The last arc of 2.5.29.21, .24 and .29; 0 for every other type. */
function typeOf({ bytes, contentStart: p, contentEnd }: DerCursor): number {
  if (contentEnd - p !== 3 || bytes[p] !== 0x55 || bytes[p + 1] !== 0x1d) return 0
  const arc = bytes[p + 2] as number
  return arc === CRL_REASON || arc === INVALIDITY_DATE || arc === CERTIFICATE_ISSUER ? arc : 0
}

function step(cursor: DerCursor, tag: number, end: number): number {
  cursor.expect(tag)
  if (cursor.contentEnd > end) throw new DerError('ERR_DER_TRUNCATED', 'an element ends behind its entry', cursor.start)
  return cursor.contentEnd
}

function stepAny(cursor: DerCursor, end: number): void {
  cursor.next()
  if (cursor.contentEnd > end) throw new DerError('ERR_DER_TRUNCATED', 'an element ends behind its entry', cursor.start)
}

/** `readIntegerBytes` makes a view, so it is asked only where the short check does not settle it. */
function checkSerial(cursor: DerCursor): void {
  const first = cursor.bytes[cursor.contentStart] as number
  if (cursor.contentEnd === cursor.contentStart || first === 0 || first === 0xff) readIntegerBytes(cursor)
}

/** Digits and 'Z' for UTCTime, which nearly all are; `readTime` judges every other form, and dates are read when asked for. */
function checkTime(cursor: DerCursor): void {
  const { bytes, contentStart: p, contentEnd } = cursor
  const month = twoDigits(bytes, p + 2)
  const day = twoDigits(bytes, p + 4)
  const plain =
    cursor.tag === Tag.UTC_TIME &&
    contentEnd - p === 13 &&
    twoDigits(bytes, p) >= 0 &&
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= 28 &&
    twoDigits(bytes, p + 6) <= 23 &&
    twoDigits(bytes, p + 6) >= 0 &&
    twoDigits(bytes, p + 8) <= 59 &&
    twoDigits(bytes, p + 8) >= 0 &&
    twoDigits(bytes, p + 10) <= 59 &&
    twoDigits(bytes, p + 10) >= 0 &&
    bytes[p + 12] === 0x5a
  if (!plain) readTime(cursor)
}

/** -1 where they are no digits. */
function twoDigits(bytes: Uint8Array, p: number): number {
  const tens = (bytes[p] as number) - 0x30
  const ones = (bytes[p + 1] as number) - 0x30
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1
}

/** FNV-1a. Who can choose serial numbers can make hashes equal: the search is then linear over those, not wrong. */
function hash(bytes: Uint8Array, start: number, end: number): number {
  let h = 0x811c9dc5
  for (let i = start; i < end; i++) h = Math.imul(h ^ (bytes[i] as number), 0x01000193)
  return h >>> 0
}

/** Entries were checked by `indexEntries`: headers are well-formed. */
function contentOf(der: Uint8Array, offset: number): number {
  const length = der[offset + 1] as number
  return offset + 2 + (length < 0x80 ? 0 : length & 0x7f)
}

function endOf(der: Uint8Array, offset: number): number {
  let length = der[offset + 1] as number
  if (length < 0x80) return offset + 2 + length
  const stop = offset + 2 + (length & 0x7f)
  length = 0
  for (let p = offset + 2; p < stop; p++) length = length * 256 + (der[p] as number)
  return stop + length
}

function hashAt(der: Uint8Array, offset: number): number {
  const serial = contentOf(der, offset)
  return hash(der, contentOf(der, serial), endOf(der, serial))
}

function holdsSerial(der: Uint8Array, offset: number, serial: Uint8Array): boolean {
  const header = contentOf(der, offset)
  const start = contentOf(der, header)
  if (endOf(der, header) - start !== serial.length) return false
  for (let i = 0; i < serial.length; i++) if (der[start + i] !== serial[i]) return false
  return true
}

/** Radix sort, three passes of 11 bits: a comparing sort of a million would take longer than all the rest. */
function sortByHash(der: Uint8Array, offsets: Uint32Array): Uint32Array {
  const count = offsets.length
  let from: Uint32Array = offsets
  let to: Uint32Array = new Uint32Array(count)
  let keys: Uint32Array = new Uint32Array(count)
  let sortedKeys: Uint32Array = new Uint32Array(count)
  for (let i = 0; i < count; i++) keys[i] = hashAt(der, offsets[i] as number)
  const places = new Uint32Array(2048)
  for (let shift = 0; shift < 32; shift += 11) {
    places.fill(0)
    for (let i = 0; i < count; i++) {
      const digit = ((keys[i] as number) >>> shift) & 2047
      places[digit] = (places[digit] as number) + 1
    }
    let place = 0
    for (let digit = 0; digit < 2048; digit++) {
      const size = places[digit] as number
      places[digit] = place
      place += size
    }
    for (let i = 0; i < count; i++) {
      const key = keys[i] as number
      const digit = (key >>> shift) & 2047
      const target = places[digit] as number
      places[digit] = target + 1
      to[target] = from[i] as number
      sortedKeys[target] = key
    }
    ;[from, to] = [to, from]
    ;[keys, sortedKeys] = [sortedKeys, keys]
  }
  return from
}
