import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  asciiBytes,
  decodeAscii,
  DerCursor,
  element,
  ia5String,
  printableString,
  readString,
  Tag,
  utf8String,
} from '../src/index.ts'
import { expectRefused, hex } from './refused.ts'

function read(tag: number, content: Uint8Array): string {
  const cursor = new DerCursor(element(tag, content))
  cursor.next()
  return readString(cursor)
}

const malformed: readonly [title: string, tag: number, octets: string][] = [
  ['UTF-8 that stops within a character', Tag.UTF8_STRING, 'c3'],
  ['UTF-8 in a longer form than needed', Tag.UTF8_STRING, 'c080'],
  ['a surrogate in UTF-8', Tag.UTF8_STRING, 'eda080'],
  ['Latin-1 as UTF-8', Tag.UTF8_STRING, 'e4'],
  ['a letter in a NumericString', Tag.NUMERIC_STRING, '3161'],
  ['Latin-1 in a PrintableString', Tag.PRINTABLE_STRING, 'e4'],
  ['Latin-1 in an IA5String', Tag.IA5_STRING, 'e4'],
  ['a control character in a VisibleString', Tag.VISIBLE_STRING, '0a'],
  ['Latin-1 in a VisibleString', Tag.VISIBLE_STRING, 'e4'],
  ['half a character in a BMPString', Tag.BMP_STRING, '006100'],
  ['a surrogate pair in a BMPString', Tag.BMP_STRING, 'd83dde00'],
  ['half a character in a UniversalString', Tag.UNIVERSAL_STRING, '000000610000'],
  ['a surrogate in a UniversalString', Tag.UNIVERSAL_STRING, '0000d83d'],
  ['a character beyond Unicode', Tag.UNIVERSAL_STRING, '00110000'],
  ['a character far beyond Unicode', Tag.UNIVERSAL_STRING, '01000000'],
]

describe('readString', () => {
  it.each(malformed)('refuses %s', (_, tag, octets) => {
    expectRefused(() => read(tag, hex(octets)), 'ERR_DER_INVALID_VALUE', 0)
  })

  it.each([Tag.OCTET_STRING, Tag.BIT_STRING, Tag.INTEGER, Tag.SEQUENCE, 0x82])(
    'refuses tag 0x%i, which is no string',
    (tag) => {
      expectRefused(() => read(tag, hex('61')), 'ERR_DER_UNEXPECTED_TAG', 0)
    },
  )

  it('reads each type', () => {
    expect(read(Tag.UTF8_STRING, hex('c3a4f09f9880'))).toBe('ä😀')
    expect(read(Tag.NUMERIC_STRING, hex('31203 2'))).toBe('1 2')
    expect(read(Tag.PRINTABLE_STRING, asciiBytes('*.example_org@'))).toBe('*.example_org@')
    expect(read(Tag.VISIBLE_STRING, asciiBytes('a~ '))).toBe('a~ ')
    expect(read(Tag.TELETEX_STRING, hex('e4ff'))).toBe('äÿ')
    expect(read(Tag.BMP_STRING, hex('006100e4ffe6'))).toBe('aä￦')
    expect(read(Tag.UNIVERSAL_STRING, hex('000000610001f600 0010ffff'))).toBe('a😀\u{10ffff}')
    for (const tag of Object.values(Tag).filter((tag) => tag >= Tag.UTF8_STRING && tag <= Tag.BMP_STRING))
      if (tag !== Tag.UTC_TIME && tag !== Tag.GENERALIZED_TIME) expect(read(tag, new Uint8Array())).toBe('')
  })

  it('keeps what a careless reader would drop: NUL and the byte order mark', () => {
    expect(read(Tag.IA5_STRING, hex('6100 62'))).toBe('a\0b')
    expect(read(Tag.UTF8_STRING, hex('efbbbf61'))).toBe('\ufeffa')
  })

  it('reads back what was written', () => {
    const text = fc.string({ unit: 'binary', maxLength: 60 })
    fc.assert(
      fc.property(text, (text) => {
        const cursor = new DerCursor(utf8String(text))
        cursor.next()
        expect(readString(cursor)).toBe(text)
        const points = Array.from(text, (character) => character.codePointAt(0) as number)
        expect(
          read(
            Tag.UNIVERSAL_STRING,
            Uint8Array.from(points.flatMap((point) => [0, point >> 16, (point >> 8) & 255, point & 255])),
          ),
        ).toBe(text)
      }),
    )
  })

  it('agrees with Buffer on ASCII and Latin-1 of any length', () => {
    for (const length of [0, 1, 11, 12, 13, 14, 4095, 4096, 4097, 20_000]) {
      const ascii = Uint8Array.from({ length }, (_, i) => i % 128)
      expect(decodeAscii(ascii)).toBe(Buffer.from(ascii).toString('latin1'))
      const latin = Uint8Array.from({ length }, (_, i) => i % 256)
      expect(read(Tag.TELETEX_STRING, latin)).toBe(Buffer.from(latin).toString('latin1'))
      if (length > 0) expect(decodeAscii(ascii.with(length - 1, 0x80))).toBeUndefined()
    }
  })
})

describe('the string writers', () => {
  it('refuse what their type cannot hold', () => {
    expectRefused(() => ia5String('ä'), 'ERR_DER_INVALID_VALUE')
    expectRefused(() => asciiBytes('a\u0100'), 'ERR_DER_INVALID_VALUE')
    expectRefused(() => printableString('*.example.org'), 'ERR_DER_INVALID_VALUE')
    expectRefused(() => utf8String('a\ud800'), 'ERR_DER_INVALID_VALUE')
    expectRefused(() => utf8String('\udc00a'), 'ERR_DER_INVALID_VALUE')
  })

  it('write the tags they are named for', () => {
    expect(ia5String('a')).toEqual(hex('160161'))
    expect(printableString('A b')).toEqual(hex('1303412062'))
    expect(utf8String('ä😀')).toEqual(hex('0c06c3a4f09f9880'))
  })
})
