import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { element, integer, oid, openDer, printableString, sequence, setOf, Tag, utf8String } from '../src/index.ts'
import { canonicalName, canonicalRdn, readName, readRdn } from '../src/x509.ts'

const name = (...values: readonly Uint8Array[]): Uint8Array =>
  sequence(...values.map((value) => setOf(sequence(oid('2.5.4.3'), value))))
const nameKey = (bytes: Uint8Array): string => Buffer.from(canonicalName(bytes)).toString('latin1')
const text = (tag: number, ...bytes: readonly number[]): Uint8Array => element(tag, Uint8Array.from(bytes))
const ascii = (tag: number, value: string): Uint8Array => element(tag, Buffer.from(value, 'latin1'))
const bmp = (value: string): Uint8Array => element(Tag.BMP_STRING, Buffer.from(value, 'utf16le').swap16())

/** A name whose canonical form is written in one pass, and the same in a type that is not. */
const pairs = (value: string): readonly [Uint8Array, Uint8Array] => [
  name(ascii(Tag.UTF8_STRING, value)),
  name(bmp(value)),
]

describe('names are equal as RFC 5280 section 7.1 and OpenSSL have it', () => {
  it.each([
    ['case', utf8String('Example CA'), utf8String('eXAMPLE ca'), true],
    ['inner runs of white space', utf8String('Example \t\n CA'), utf8String('Example CA'), true],
    ['outer white space', utf8String('  Example CA \r'), utf8String('Example CA'), true],
    ['nothing but white space', utf8String(' \t '), utf8String(''), true],
    ['PrintableString and UTF8String', printableString('Example CA'), utf8String('Example CA'), true],
    ['TeletexString is Latin-1', text(Tag.TELETEX_STRING, 0xe4), utf8String('ä'), true],
    ['BMPString', bmp('Größe'), utf8String('größe'), true],
    ['UniversalString', text(Tag.UNIVERSAL_STRING, 0, 0, 0, 0xe4), utf8String('ä'), true],
    [
      'a PrintableString beyond its alphabet is read octet by octet',
      text(Tag.PRINTABLE_STRING, 0xe4),
      utf8String('ä'),
      true,
    ],
    ['letters beyond ASCII keep their case', utf8String('Ä'), utf8String('ä'), false],
    ['a NumericString is another type', ascii(Tag.NUMERIC_STRING, '12'), utf8String('12'), false],
    ['a space or none', utf8String('Example CA'), utf8String('ExampleCA'), false],
    ['a no-break space is no space', utf8String('a\u00a0b'), utf8String('a b'), false],
    ['a longer one', utf8String('Example CA 2'), utf8String('Example CA'), false],
  ])('%s', (_, a, b, same) => {
    expect(nameKey(name(a)) === nameKey(name(b))).toBe(same)
  })

  it('the attributes of one RDN have no order, RDNs do', () => {
    const [a, b] = [sequence(oid('2.5.4.3'), utf8String('A')), sequence(oid('2.5.4.10'), utf8String('B'))]
    const swapped = element(Tag.SEQUENCE, element(Tag.SET, b, a))
    expect(nameKey(swapped)).toBe(nameKey(sequence(setOf(a, b))))
    expect(nameKey(sequence(setOf(a), setOf(b)))).not.toBe(nameKey(sequence(setOf(b), setOf(a))))
  })

  it('an empty RDN counts for nothing', () => {
    expect(nameKey(sequence(setOf(), setOf(sequence(oid('2.5.4.3'), utf8String('A')))))).toBe(
      nameKey(name(utf8String('A'))),
    )
  })

  it('long names have long headers', () => {
    const long = 'x'.repeat(70_000)
    expect(nameKey(name(utf8String(long)))).toBe(nameKey(name(bmp(long.toUpperCase()))))
    expect(nameKey(name(utf8String('x'.repeat(300))))).not.toBe(nameKey(name(utf8String('x'.repeat(301)))))
  })

  it('the fast way and the general one agree', () => {
    const character = fc.constantFrom('A', 'b', ' ', '\t', '7', '.', '~', '\u007f')
    fc.assert(
      fc.property(fc.array(fc.string({ unit: character, maxLength: 60 }), { maxLength: 6 }), (values) => {
        const fast = name(...values.map((value) => ascii(Tag.UTF8_STRING, value)))
        const general = name(...values.map(bmp))
        expect(nameKey(fast)).toBe(nameKey(general))
      }),
    )
  })

  it('a value of every length crosses every header form', () => {
    for (let length = 0; length < 300; length++) {
      const [fast, general] = pairs('y'.repeat(length))
      expect(nameKey(fast), `${length}`).toBe(nameKey(general))
    }
  })
})

describe('one RDN in that form', () => {
  it('is a part of the canonical name', () => {
    const [a, b] = [utf8String(' A  b'), bmp('C')]
    const rdns = readName(name(a, b)).map((attribute) => canonicalRdn([attribute]))
    expect(Buffer.concat(rdns).toString('latin1')).toBe(nameKey(name(a, b)))
  })

  it('of several attributes has them in order', () => {
    const [a, b] = [sequence(oid('2.5.4.10'), utf8String('A')), sequence(oid('2.5.4.3'), integer(1))]
    const rdn = element(Tag.SET, a, b)
    expect(Buffer.from(canonicalRdn(readRdn(openDer(rdn, Tag.SET), 0))).toString('latin1')).toBe(nameKey(sequence(rdn)))
  })

  it('of more attributes than a call has room for', () => {
    const attribute = sequence(oid('2.5.4.3'), utf8String('A'))
    const many = element(
      Tag.SEQUENCE,
      element(Tag.SET, Buffer.concat(Array.from({ length: 300_000 }, () => attribute))),
    )
    expect(canonicalName(many).length).toBeGreaterThan(300_000)
  })
})

describe('what is no name is refused', () => {
  const good = name(utf8String('Root'))
  it.each([
    ['nothing', new Uint8Array()],
    ['trailing bytes', Buffer.concat([good, Uint8Array.of(0)])],
    ['cut off', good.subarray(0, good.length - 1)],
    ['malformed UTF-8', name(text(Tag.UTF8_STRING, 0xc3, 0x28))],
    ['half a BMP character', name(text(Tag.BMP_STRING, 0x41))],
    ['an attribute with a third field', sequence(setOf(sequence(oid('2.5.4.3'), utf8String('A'), utf8String('B'))))],
    ['an attribute without a value', sequence(setOf(sequence(oid('2.5.4.3'))))],
    ['a value where an OID belongs', sequence(setOf(sequence(utf8String('A'), utf8String('B'))))],
    ['a non-minimal length', Uint8Array.of(0x30, 0x81, 0x02, 0x31, 0x00)],
  ])('%s', (_, bytes) => {
    expect(() => nameKey(bytes)).toThrow(expect.objectContaining({ name: 'DerError' }))
  })

  it('whatever one octet is changed to, the two ways give one answer', () => {
    fc.assert(
      fc.property(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 }), (at, octet) => {
        const changed = Uint8Array.from(good)
        changed[at] = octet
        const padded = sequence(changed.subarray(2), setOf(sequence(oid('2.5.4.3'), bmp('z')))) // never the fast way
        const alone = attempt(() => nameKey(changed))
        if (changed[0] === 0x30 && changed[1] === good.length - 2)
          expect(attempt(() => nameKey(padded))?.slice(0, alone?.length)).toBe(alone)
      }),
      { numRuns: 2_000 },
    )
  })
})

function attempt(act: () => string): string | undefined {
  try {
    return act()
  } catch {
    return undefined
  }
}
