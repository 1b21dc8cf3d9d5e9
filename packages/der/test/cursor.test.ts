import { runInNewContext } from 'node:vm'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DerCursor, type DerErrorCode, element, MAX_DEPTH, openDer, Tag } from '../src/index.ts'
import { expectRefused, hex } from './refused.ts'

const headers: readonly [title: string, octets: string, code: DerErrorCode, offset: number][] = [
  ['nothing at all', '', 'ERR_DER_TRUNCATED', 0],
  ['a tag without a length', '04', 'ERR_DER_TRUNCATED', 0],
  ['a length beyond the end', '04 02 00', 'ERR_DER_TRUNCATED', 0],
  ['a length of 4 GiB less one', '04 84 ffffffff 00', 'ERR_DER_TRUNCATED', 0],
  ['a long length that is cut off', '04 82 01', 'ERR_DER_TRUNCATED', 2],
  ['the indefinite length', '30 80 0000', 'ERR_DER_INDEFINITE_LENGTH', 1],
  ['a length of five octets', '04 85 0100000000 00', 'ERR_DER_LENGTH_TOO_LARGE', 1],
  ['the reserved length 0xff', '04 ff 00', 'ERR_DER_LENGTH_TOO_LARGE', 1],
  ['127 in the long form', `04 81 7f ${'00'.repeat(127)}`, 'ERR_DER_NON_MINIMAL_LENGTH', 1],
  ['255 in two octets', `04 82 00ff ${'00'.repeat(255)}`, 'ERR_DER_NON_MINIMAL_LENGTH', 1],
  ['nothing in four octets', '04 84 00000000', 'ERR_DER_NON_MINIMAL_LENGTH', 1],
  ['a tag of two octets', '1f 81 00', 'ERR_DER_LONG_TAG', 0],
  ['a context tag of two octets', 'bf 1f 00', 'ERR_DER_LONG_TAG', 0],
]

describe('DerCursor.next', () => {
  it.each(headers)('refuses %s', (_, octets, code, offset) => {
    expectRefused(() => new DerCursor(hex(octets)).next(), code, offset)
  })

  it('counts the offset from the start of the buffer, not of the level', () => {
    const bytes = hex('30 06 30 04 0401aa 04')
    const inner = openDer(bytes).enterExpected(Tag.SEQUENCE)
    inner.next()
    expectRefused(() => inner.next(), 'ERR_DER_TRUNCATED', 7)
  })

  it('does not let an element reach beyond the level that holds it', () => {
    const cursor = openDer(hex('30 03 04 02 aa')).done
    expect(cursor).toBe(false)
    const inner = new DerCursor(hex('30 03 04 02 aa bb cc')).enterExpected(Tag.SEQUENCE)
    expectRefused(() => inner.next(), 'ERR_DER_TRUNCATED', 2)
  })

  it('reads what element() wrote, whatever its length', () => {
    const lengths = fc.constantFrom(0, 1, 126, 127, 128, 129, 255, 256, 257, 65_535, 65_536, 70_000)
    const tags = fc.integer({ min: 0, max: 255 }).filter((tag) => (tag & 0x1f) !== 0x1f)
    fc.assert(
      fc.property(tags, lengths, fc.integer({ min: 0, max: 9 }), (tag, length, before) => {
        const written = element(tag, new Uint8Array(length).fill(7))
        const buffer = new Uint8Array(before + written.length)
        buffer.set(written, before)
        const cursor = new DerCursor(buffer, before)
        expect(cursor.peekTag()).toBe(tag)
        expect(cursor.next()).toBe(tag)
        expect(cursor.done).toBe(true)
        expect(cursor.peekTag()).toBe(-1)
        expect(Buffer.compare(cursor.content(), written.subarray(written.length - length))).toBe(0)
        expect(Buffer.compare(cursor.element(), written)).toBe(0)
        expect(cursor.element().buffer).toBe(buffer.buffer)
      }),
    )
  })

  it('reads nested lists back, in order', () => {
    const trees = fc.letrec<{ tree: Tree }>((tie) => ({
      tree: fc.oneof({ maxDepth: 6 }, fc.uint8Array({ maxLength: 200 }), fc.array(tie('tree'), { maxLength: 5 })),
    })).tree
    fc.assert(
      fc.property(trees, (tree) => {
        expect(read(new DerCursor(write(tree)))).toEqual(tree)
      }),
    )
  })
})

type Tree = Uint8Array | Tree[]

function write(tree: Tree): Uint8Array {
  return tree instanceof Uint8Array ? element(Tag.OCTET_STRING, tree) : element(Tag.SEQUENCE, ...tree.map(write))
}

function read(cursor: DerCursor): Tree {
  if (cursor.next() === Tag.OCTET_STRING) return cursor.content()
  const items: Tree[] = []
  for (const inner = cursor.enter(); !inner.done; ) items.push(read(inner))
  return items
}

describe('DerCursor on a level', () => {
  it('refuses another tag than expected, at that element', () => {
    const cursor = new DerCursor(hex('0500 0101ff'))
    cursor.expect(Tag.NULL)
    expectRefused(() => cursor.expect(Tag.INTEGER), 'ERR_DER_UNEXPECTED_TAG', 2)
  })

  it('takes an optional element only where its tag matches', () => {
    const cursor = new DerCursor(hex('0500'))
    expect(cursor.optional(Tag.BOOLEAN)).toBe(false)
    expect(cursor.position).toBe(0)
    expect(cursor.optional(Tag.NULL)).toBe(true)
    expect(cursor.optional(Tag.NULL)).toBe(false)
  })

  it('refuses what is left over, at its first byte', () => {
    const inner = openDer(hex('3004 0500 0500'))
    inner.next()
    expectRefused(() => inner.finish(), 'ERR_DER_TRAILING_DATA', 4)
    inner.next()
    inner.finish()
  })

  it('openDer refuses bytes behind the element, and another tag', () => {
    expectRefused(() => openDer(hex('3000 00')), 'ERR_DER_TRAILING_DATA', 2)
    expectRefused(() => openDer(hex('3100')), 'ERR_DER_UNEXPECTED_TAG', 0)
    expect(openDer(hex('3100'), Tag.SET).done).toBe(true)
  })

  it(`goes ${MAX_DEPTH} levels deep and no deeper, unless told`, () => {
    let nested: Uint8Array = new Uint8Array()
    for (let level = 0; level <= MAX_DEPTH; level++) nested = element(Tag.SEQUENCE, nested)
    let cursor = new DerCursor(nested)
    for (let level = 0; level < MAX_DEPTH; level++) cursor = cursor.enterExpected(Tag.SEQUENCE)
    const last = cursor
    expectRefused(() => last.enterExpected(Tag.SEQUENCE), 'ERR_DER_TOO_DEEP', last.start)
    const shallow = new DerCursor(nested, 0, nested.length, 1).enterExpected(Tag.SEQUENCE)
    expectRefused(() => shallow.enterExpected(Tag.SEQUENCE), 'ERR_DER_TOO_DEEP')
    expectRefused(
      () => new DerCursor(nested, 0, nested.length, Number.NaN).expect(Tag.SEQUENCE).enter(),
      'ERR_DER_TOO_DEEP',
    )
  })
})

describe('DerCursor, misused', () => {
  const wrong: readonly [title: string, bytes: unknown][] = [
    ['text', '0500'],
    ['undefined', undefined],
    ['an array', [5, 0]],
    ['16-bit elements', new Uint16Array([5, 0])],
    ['a DataView', new DataView(new ArrayBuffer(2))],
    ['an object that claims to be octets', { [Symbol.toStringTag]: 'Uint8Array', length: 2, 0: 5, 1: 0 }],
  ]
  it.each(wrong)('refuses %s as bytes', (_, bytes) => {
    const misuse = expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE', name: 'TypeError' }) as Error
    expect(() => new DerCursor(bytes as Uint8Array, 0, 2)).toThrow(misuse)
    expect(() => openDer(bytes as Uint8Array)).toThrow(misuse)
  })

  it('takes octets of another realm', () => {
    const foreign = runInNewContext('Uint8Array.of(5, 0)') as Uint8Array
    expect(foreign instanceof Uint8Array).toBe(false)
    expect(new DerCursor(foreign).next()).toBe(Tag.NULL)
  })

  it.each([
    [-1, 2],
    [2, 1],
    [0, 3],
    [Number.NaN, 2],
    [0, Number.NaN],
  ])('refuses the range %d to %d of two bytes', (start, end) => {
    expect(() => new DerCursor(hex('0500'), start, end)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE', name: 'TypeError' }),
    )
  })
})
