import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  bitString,
  boolean,
  contextTag,
  decodeOid,
  DerCursor,
  type DerErrorCode,
  element,
  encodeOid,
  enumerated,
  generalizedTime,
  headerLength,
  integer,
  MAX_OID_OCTETS,
  namedBits,
  nullElement,
  octetString,
  oid,
  readBitString,
  readBoolean,
  readInteger,
  readIntegerBytes,
  readOctetAlignedBits,
  readOid,
  readSmallInteger,
  readTime,
  sequence,
  setOf,
  Tag,
  time,
  writeHeader,
} from '../src/index.ts'
import { readNamedBits } from '../src/x509.ts'
import { expectRefused, hex } from './refused.ts'

function at(bytes: Uint8Array): DerCursor {
  const cursor = new DerCursor(bytes)
  cursor.next()
  cursor.finish()
  return cursor
}

type Reader = (cursor: DerCursor) => unknown

const refused: readonly [title: string, read: Reader, octets: string, code: DerErrorCode][] = [
  ['a boolean of no octet', readBoolean, '0100', 'ERR_DER_INVALID_VALUE'],
  ['a boolean of two octets', readBoolean, '0102ffff', 'ERR_DER_INVALID_VALUE'],
  ['a boolean that is neither 00 nor ff', readBoolean, '010101', 'ERR_DER_INVALID_VALUE'],
  ['an integer of no octet', readInteger, '0200', 'ERR_DER_INVALID_VALUE'],
  ['an integer with a needless 00', readInteger, '0202007f', 'ERR_DER_INVALID_VALUE'],
  ['an integer with a needless ff', readIntegerBytes, '0202ff80', 'ERR_DER_INVALID_VALUE'],
  ['a small integer of seven octets', readSmallInteger, '020701000000000000', 'ERR_DER_TOO_LARGE'],
  ['an integer beyond the bound', (cursor) => readInteger(cursor, 2), '0203010000', 'ERR_DER_TOO_LARGE'],
  ['an integer under a NaN bound', (cursor) => readInteger(cursor, Number.NaN), '020101', 'ERR_DER_TOO_LARGE'],
  ['an empty identifier', readOid, '0600', 'ERR_DER_INVALID_VALUE'],
  ['an identifier that stops within an arc', readOid, '06022a86', 'ERR_DER_INVALID_VALUE'],
  ['an arc with a leading zero', readOid, '06032a8001', 'ERR_DER_INVALID_VALUE'],
  ['a first arc with a leading zero', readOid, '06028001', 'ERR_DER_INVALID_VALUE'],
  ['an identifier of 65 octets', readOid, `0641${'01'.repeat(65)}`, 'ERR_DER_TOO_LARGE'],
  ['a bit string of no octet', readBitString, '0300', 'ERR_DER_INVALID_VALUE'],
  ['eight unused bits', readBitString, '03020800', 'ERR_DER_INVALID_VALUE'],
  ['unused bits of nothing', readBitString, '030101', 'ERR_DER_INVALID_VALUE'],
  ['unused bits that are set', readBitString, '03020101', 'ERR_DER_INVALID_VALUE'],
  ['a key that is not whole octets', readOctetAlignedBits, '03020180', 'ERR_DER_INVALID_VALUE'],
  ['more named bits than a mask holds', readNamedBits, '03050000000001', 'ERR_DER_TOO_LARGE'],
  ['a time of another type', readTime, '0500', 'ERR_DER_UNEXPECTED_TAG'],
]

describe('what DER does not allow', () => {
  it.each(refused)('refuses %s', (_, read, octets, code) => {
    expectRefused(() => read(at(hex(octets))), code, 0)
  })

  const times: readonly [tag: number, text: string][] = [
    [Tag.UTC_TIME, '2611211200Z'],
    [Tag.UTC_TIME, '261121120000'],
    [Tag.UTC_TIME, '261121120000+0000'],
    [Tag.UTC_TIME, '26112112000 Z'],
    [Tag.UTC_TIME, '26112112000/Z'],
    [Tag.UTC_TIME, '26112112000:Z'],
    [Tag.UTC_TIME, '260021120000Z'],
    [Tag.UTC_TIME, '261321120000Z'],
    [Tag.UTC_TIME, '261100120000Z'],
    [Tag.UTC_TIME, '260431120000Z'],
    [Tag.UTC_TIME, '260229120000Z'],
    [Tag.UTC_TIME, '261121240000Z'],
    [Tag.UTC_TIME, '261121126000Z'],
    [Tag.UTC_TIME, '261121120060Z'],
    [Tag.UTC_TIME, '20261121120000Z'],
    [Tag.GENERALIZED_TIME, '20261121120000.5Z'],
    [Tag.GENERALIZED_TIME, '20261121120000z'],
    [Tag.GENERALIZED_TIME, '19000229120000Z'],
    [Tag.GENERALIZED_TIME, '261121120000Z'],
  ]
  it.each(times)('refuses the time 0x%i %s', (tag, text) => {
    expectRefused(() => readTime(at(element(tag, Buffer.from(text)))), 'ERR_DER_INVALID_VALUE', 0)
  })
})

describe('write, then read', () => {
  it('booleans', () => {
    expect(readBoolean(at(boolean(true)))).toBe(true)
    expect(readBoolean(at(boolean(false)))).toBe(false)
  })

  it('integers of any size, in the shortest form', () => {
    const edges = fc
      .bigInt({ min: 0n, max: 80n })
      .chain((bits) => fc.constantFrom(2n ** bits, -(2n ** bits), 2n ** bits - 1n))
    fc.assert(
      fc.property(fc.oneof(edges, fc.bigInt({ min: -(2n ** 4100n), max: 2n ** 4100n })), (value) => {
        const written = integer(value)
        expect(readInteger(at(written))).toBe(value)
        const octets = readIntegerBytes(at(written)).length
        expect(BigInt.asIntN(octets * 8, value)).toBe(value)
        if (octets > 1) expect(BigInt.asIntN(octets * 8 - 8, value)).not.toBe(value)
      }),
    )
  })

  it('small integers and enumerations', () => {
    const values = fc.integer({ min: -(2 ** 46), max: 2 ** 46 })
    fc.assert(
      fc.property(values, (value) => {
        expect(readSmallInteger(at(integer(value)))).toBe(value)
        expect(readSmallInteger(at(enumerated(value)))).toBe(value)
        expect(at(enumerated(value)).tag).toBe(Tag.ENUMERATED)
      }),
    )
  })

  it('unsigned octets, as serial numbers are made of', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 30 }), (octets) => {
        const expected = octets.length === 0 ? 0n : BigInt(`0x${Buffer.from(octets).toString('hex')}`)
        expect(readInteger(at(integer(octets)))).toBe(expected)
      }),
    )
  })

  it('object identifiers', () => {
    const arc = fc.oneof(fc.bigInt({ min: 0n, max: 300n }), fc.bigInt({ min: 0n, max: 2n ** 128n }))
    const identifiers = fc
      .tuple(fc.constantFrom(0n, 1n, 2n), arc, fc.array(arc, { maxLength: 3 }))
      .map(([first, second, rest]) => [first, first < 2n ? second % 40n : second, ...rest].join('.'))
    fc.assert(
      fc.property(identifiers, (text) => {
        fc.pre(encodeOidLength(text) <= MAX_OID_OCTETS)
        expect(readOid(at(oid(text)))).toBe(text)
        expect(decodeOid(encodeOid(text))).toBe(text)
      }),
    )
  })

  it('object identifiers of three octets below 2.5, each as decodeOid has it, also when read again', () => {
    for (const round of [1, 2])
      for (let second = 0; second < 256; second += round)
        for (const third of [0, 1, 0x7f, 0x80, 0x81, 0xff]) {
          const written = element(Tag.OID, Uint8Array.of(0x55, second, third))
          const attempt = (read: () => string): string => {
            try {
              return read()
            } catch (error) {
              return String((error as { code?: unknown }).code)
            }
          }
          expect(attempt(() => readOid(at(written)))).toBe(attempt(() => decodeOid(written.subarray(2))))
        }
  })

  it('bit strings', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.integer({ min: 0, max: 7 }), (bits, unused) => {
        const read = readBitString(at(bitString(bits, unused)))
        expect(read.unused).toBe(unused)
        expect(read.bits.subarray(0, -1)).toEqual(bits.subarray(0, -1))
        expect(read.bits.at(-1)).toBe((bits.at(-1) as number) & (0xff << unused))
      }),
    )
    expect(readOctetAlignedBits(at(bitString(new Uint8Array())))).toEqual(new Uint8Array())
  })

  it('named bits, without trailing zeros', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 23 })), (numbers) => {
        const written = namedBits(numbers)
        let mask = 0
        for (const number of numbers) mask |= 1 << number
        expect(readNamedBits(at(written))).toBe(mask)
        const { bits, unused } = readBitString(at(written))
        if (numbers.length === 0) expect(bits.length).toBe(0)
        else expect((bits.at(-1) as number) & (1 << unused)).not.toBe(0)
      }),
    )
  })

  it('times, by the type RFC 5280 wants', () => {
    const dates = fc.date({ min: new Date('0000-01-01'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true })
    fc.assert(
      fc.property(dates, (date) => {
        const seconds = Math.floor(date.getTime() / 1000) * 1000
        expect(readTime(at(time(date)))).toBe(seconds)
        expect(readTime(at(generalizedTime(date.getTime())))).toBe(seconds)
        const year = date.getUTCFullYear()
        expect(at(time(date)).tag).toBe(year >= 1950 && year < 2050 ? Tag.UTC_TIME : Tag.GENERALIZED_TIME)
      }),
    )
    expect(readTime(at(element(Tag.UTC_TIME, Buffer.from('491231235959Z'))))).toBe(Date.UTC(2049, 11, 31, 23, 59, 59))
    expect(readTime(at(element(Tag.UTC_TIME, Buffer.from('500101000000Z'))))).toBe(Date.UTC(1950, 0, 1))
    expect(readTime(at(element(Tag.UTC_TIME, Buffer.from('000229000000Z'))))).toBe(Date.UTC(2000, 1, 29))
    expect(readTime(at(element(Tag.GENERALIZED_TIME, Buffer.from('00000101000000Z'))))).toBe(Date.parse('0000-01-01'))
  })

  it('headers, into a buffer of one’s own', () => {
    for (const length of [0, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000, 0xffffff, 0x1000000, 0xffffffff]) {
      const out = new Uint8Array(10)
      const end = writeHeader(out, 3, Tag.OCTET_STRING, length)
      expect(end).toBe(3 + headerLength(length))
      const claimed = out[4] === 0x84 ? Buffer.from(out).readUInt32BE(5) : undefined
      if (length < 0x1000000)
        expect(out.subarray(3, end)).toEqual(octetString(new Uint8Array(length)).subarray(0, end - 3))
      else expect(claimed).toBe(length)
    }
  })

  it('sets in the order of their octets', () => {
    const parts = [octetString(hex('ff')), octetString(hex('0102')), octetString(hex('01')), nullElement()]
    expect(setOf(...parts)).toEqual(hex('310c 0401 01 0401ff 04020102 0500'))
    expect(sequence(...parts).subarray(2)).toEqual(Uint8Array.from(Buffer.concat(parts)))
  })
})

function encodeOidLength(text: string): number {
  const [first, second, ...rest] = text.split('.').map(BigInt) as [bigint, bigint, ...bigint[]]
  return [first * 40n + second, ...rest].reduce(
    (sum, arc) => sum + Math.max(1, Math.ceil(arc.toString(2).length / 7)),
    0,
  )
}

describe('object identifiers of note', () => {
  it.each([
    ['2.5.29.17', '551d11'],
    ['1.2.840.113549.1.1.11', '2a864886f70d01010b'],
    ['0.0', '00'],
    ['0.39', '27'],
    ['1.0', '28'],
    ['1.39', '4f'],
    ['2.0', '50'],
    ['2.999.3', '883703'],
    ['2.268435375', 'ffffff7f'],
    ['2.268435376', '8180808000'],
    ['2.34359738287', 'ffffffff7f'],
    ['2.25.329800735698586629295641978511506172918', '6983f09da7ebcfdee0c7a1a7b2c0948cc8f9d776'],
  ])('%s', (text, octets) => {
    expect(decodeOid(encodeOid(text))).toBe(text)
    expect(encodeOid(text)).toEqual(hex(octets))
  })
})

describe('the writer refuses', () => {
  const cases: readonly [title: string, write: () => unknown, code: DerErrorCode][] = [
    ['a tag of several octets', () => element(0x1f), 'ERR_DER_LONG_TAG'],
    ['a tag above 255', () => element(256), 'ERR_DER_LONG_TAG'],
    ['a negative tag', () => element(-1), 'ERR_DER_LONG_TAG'],
    ['a number that is no integer', () => integer(1.5), 'ERR_DER_INVALID_VALUE'],
    ['a number that is not exact', () => integer(2 ** 53), 'ERR_DER_INVALID_VALUE'],
    ['an enumeration that is no integer', () => enumerated(Number.NaN), 'ERR_DER_INVALID_VALUE'],
    ['text that is no identifier', () => oid('server'), 'ERR_DER_INVALID_VALUE'],
    ['an identifier of one arc', () => oid('1'), 'ERR_DER_INVALID_VALUE'],
    ['an arc with a leading zero', () => oid('1.2.03'), 'ERR_DER_INVALID_VALUE'],
    ['a line break behind an identifier', () => oid('1.2.3\n'), 'ERR_DER_INVALID_VALUE'],
    ['a first arc above 2', () => oid('3.1'), 'ERR_DER_INVALID_VALUE'],
    ['a second arc above 39 below 1', () => oid('1.40'), 'ERR_DER_INVALID_VALUE'],
    ['an identifier that readOid refuses', () => oid(`1.2${'.3'.repeat(64)}`), 'ERR_DER_TOO_LARGE'],
    ['an identifier of endless text', () => oid(`1.2.${'3'.repeat(300)}`), 'ERR_DER_INVALID_VALUE'],
    ['eight unused bits', () => bitString(hex('00'), 8), 'ERR_DER_INVALID_VALUE'],
    ['unused bits of nothing', () => bitString(hex(''), 1), 'ERR_DER_INVALID_VALUE'],
    ['a negative bit number', () => namedBits([-1]), 'ERR_DER_INVALID_VALUE'],
    ['a bit number without end', () => namedBits([1e9]), 'ERR_DER_INVALID_VALUE'],
    ['an invalid date', () => time(new Date(Number.NaN)), 'ERR_DER_INVALID_VALUE'],
    ['a year of five digits', () => generalizedTime(Date.UTC(10_000, 0)), 'ERR_DER_INVALID_VALUE'],
    ['a year before 0', () => time(Date.UTC(-1, 0)), 'ERR_DER_INVALID_VALUE'],
  ]
  it.each(cases)('%s', (_, write, code) => {
    expectRefused(write, code, 0)
  })

  it.each([-1, 31, 1.5, Number.NaN])('a context tag [%d], as misuse', (number) => {
    expect(() => contextTag(number)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE', name: 'TypeError' }),
    )
  })
})
