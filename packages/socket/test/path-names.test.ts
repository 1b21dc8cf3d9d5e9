import { element, oid, printableString, sequence, setOf, Tag, utf8String } from '@x/der'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isNameWithin, sameName } from '../src/verify/path/names.ts'

const CN = '2.5.4.3'
const O = '2.5.4.10'
const attribute = (type: string, value: Uint8Array): Uint8Array => sequence(oid(type), value)
const name = (...rdns: readonly (readonly Uint8Array[])[]): Uint8Array =>
  sequence(...rdns.map((attributes) => setOf(...attributes)))
const cn = (value: Uint8Array): Uint8Array => name([attribute(CN, value)])
const bmp = (text: string): Uint8Array => element(Tag.BMP_STRING, Buffer.from(text, 'utf16le').swap16())

describe('names are the same', () => {
  it.each([
    ['octet by octet', cn(utf8String('Root')), cn(utf8String('Root')), true],
    ['in another case', cn(utf8String('Root')), cn(utf8String('ROOT')), true],
    ['in another type of string', cn(utf8String('Root')), cn(printableString('Root')), true],
    ['in UTF-16', cn(utf8String('Rööt')), cn(bmp('Rööt')), true],
    ['with white space', cn(utf8String('My Root')), cn(utf8String(' My \t Root ')), true],
    ['with white space inside alone', cn(utf8String('My Root')), cn(utf8String('MyRoot')), false],
    ['in another case beyond ASCII', cn(utf8String('RÖÖT')), cn(utf8String('rööt')), false],
    ['in another attribute', cn(utf8String('Root')), name([attribute(O, utf8String('Root'))]), false],
    [
      'in another order of RDNs',
      name([attribute(CN, utf8String('a'))], [attribute(O, utf8String('b'))]),
      name([attribute(O, utf8String('b'))], [attribute(CN, utf8String('a'))]),
      false,
    ],
    [
      'in another order within an RDN',
      name([attribute(CN, utf8String('b')), attribute(CN, utf8String('A'))]),
      name([attribute(CN, utf8String('a')), attribute(CN, utf8String('B'))]),
      true,
    ],
    [
      'of one RDN and of two',
      name([attribute(CN, utf8String('a')), attribute(O, utf8String('b'))]),
      name([attribute(CN, utf8String('a'))], [attribute(O, utf8String('b'))]),
      false,
    ],
    [
      'with something more',
      name([attribute(CN, utf8String('a'))]),
      name([attribute(CN, utf8String('a'))], [attribute(O, utf8String('b'))]),
      false,
    ],
    [
      'not in an integer',
      cn(element(Tag.INTEGER, Buffer.from('A'))),
      cn(element(Tag.INTEGER, Buffer.from('a'))),
      false,
    ],
    [
      'not with text that looks like another attribute',
      cn(utf8String('a","2.5.4.10="b')),
      name([attribute(CN, utf8String('a')), attribute(O, utf8String('b'))]),
      false,
    ],
    ['nor where one is broken', cn(utf8String('a')), sequence(sequence()), false],
    [
      'nor in broken UTF-8',
      cn(element(Tag.UTF8_STRING, Buffer.of(0xff))),
      cn(element(Tag.UTF8_STRING, Buffer.of(0xfe))),
      false,
    ],
  ])('%s', (_case, a, b, expected) => {
    expect(sameName(a, b)).toBe(expected)
    expect(sameName(b, a)).toBe(expected)
  })
})

const text = fc.string({ minLength: 1, maxLength: 6, unit: fc.constantFrom('a', 'B', ' ', 'ö', '1', '"', '=', '\\') })
const anyName = fc.array(fc.array(fc.tuple(fc.constantFrom(CN, O), text), { minLength: 1, maxLength: 2 }), {
  maxLength: 3,
})
const encode = (rdns: readonly (readonly (readonly [string, string])[])[]): Uint8Array =>
  name(...rdns.map((attributes) => attributes.map(([type, value]) => attribute(type, utf8String(value)))))

describe('properties', () => {
  it('a name is itself, in upper case too, and lies within its beginnings', () => {
    fc.assert(
      fc.property(anyName, fc.nat(3), (rdns, cut) => {
        const upper = rdns.map((attributes) =>
          attributes.map(([type, value]) => [type, value.replaceAll('a', 'A')] as const),
        )
        expect(sameName(encode(rdns), encode(upper))).toBe(true)
        expect(isNameWithin(encode(rdns), encode(rdns.slice(0, cut)))).toBe(true)
        expect(isNameWithin(encode(rdns.slice(0, cut)), encode(rdns))).toBe(cut >= rdns.length)
      }),
    )
  })

  it('to be the same is symmetric, and means to lie within each other', () => {
    fc.assert(
      fc.property(anyName, anyName, (a, b) => {
        const same = sameName(encode(a), encode(b))
        expect(sameName(encode(b), encode(a))).toBe(same)
        expect(isNameWithin(encode(a), encode(b)) && isNameWithin(encode(b), encode(a))).toBe(same)
      }),
    )
  })
})
