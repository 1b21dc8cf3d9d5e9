import { describe, expect, it } from 'vitest'
import {
  DerCursor,
  element,
  integer,
  MAX_INTEGER_OCTETS,
  octetString,
  readBitString,
  readInteger,
  readIntegerBytes,
  readOid,
  readString,
  sequence,
  Tag,
} from '../src/index.ts'
import { CertificateView, readName, readSubjectAltName } from '../src/x509.ts'
import { countSteps } from './steps.ts'
import { expectRefused } from './refused.ts'

const TEN_MB = 10_000_000

function filled(tag: number, octet: number, length = TEN_MB): DerCursor {
  const cursor = new DerCursor(element(tag, new Uint8Array(length).fill(octet)))
  cursor.next()
  return cursor
}

/** What the heap grew by while `work` ran, in bytes: garbage counts too, so this bounds the peak. */
function heapGrowth(work: () => unknown): number {
  const before = process.memoryUsage().heapUsed
  work()
  return process.memoryUsage().heapUsed - before
}

describe('10 MB in one element', () => {
  it('an integer is refused before it is converted, and its octets are a view', () => {
    const cursor = filled(Tag.INTEGER, 0x7f)
    expectRefused(() => readInteger(cursor), 'ERR_DER_TOO_LARGE', 0)
    expect(readIntegerBytes(cursor).buffer).toBe(cursor.bytes.buffer)
    expectRefused(() => readInteger(filled(Tag.INTEGER, 0x7f, MAX_INTEGER_OCTETS + 1)), 'ERR_DER_TOO_LARGE')
    expect(readInteger(filled(Tag.INTEGER, 0x7f, MAX_INTEGER_OCTETS))).toBeGreaterThan(2n ** 65_000n)
  })

  it('an object identifier is refused', () => {
    expectRefused(() => readOid(filled(Tag.OID, 0x01)), 'ERR_DER_TOO_LARGE', 0)
    expectRefused(() => readOid(filled(Tag.OID, 0xff)), 'ERR_DER_TOO_LARGE', 0)
  })

  it('a bit string is a view', () => {
    const cursor = filled(Tag.BIT_STRING, 0)
    expect(readBitString(cursor).bits.buffer).toBe(cursor.bytes.buffer)
  })

  it.each([
    ['UTF8String', Tag.UTF8_STRING, 0x61],
    ['IA5String', Tag.IA5_STRING, 0x61],
    ['TeletexString', Tag.TELETEX_STRING, 0xe4],
    ['BMPString', Tag.BMP_STRING, 0x61],
  ])('a %s costs memory in proportion', (_, tag, octet) => {
    const cursor = filled(tag, octet)
    expect(heapGrowth(() => readString(cursor))).toBeLessThan(8 * TEN_MB)
  })

  it('a large number is written in proportion too', () => {
    expect(integer(2n ** 400_000n).length).toBe(50_001 + 4)
  })
})

describe('10 MB of many small elements', () => {
  it('a certificate of them is refused at its first field', () => {
    const empty = sequence()
    const der = element(Tag.SEQUENCE, ...Array.from({ length: 100_000 }, () => empty))
    const { steps } = countSteps(() => expectRefused(() => new CertificateView(der), 'ERR_DER_UNEXPECTED_TAG'))
    expect(steps).toBeLessThan(10)
  })

  it('names and alternative names take one step per header', () => {
    const names = element(
      Tag.SEQUENCE,
      new Uint8Array(200_000).map((_, i) => (i % 2 === 0 ? 0x82 : 0)),
    )
    const read = countSteps(() => readSubjectAltName(names))
    expect(read.result.length).toBe(100_000)
    expect(read.steps).toBe(100_001)
    const sets = element(
      Tag.SEQUENCE,
      new Uint8Array(200_000).map((_, i) => (i % 2 === 0 ? 0x31 : 0)),
    )
    const refused = countSteps(() => expectRefused(() => readName(sets), 'ERR_DER_TRUNCATED'))
    expect(refused.steps).toBeLessThan(5)
  })

  it('a pile of lengths that all claim the rest does not multiply the work', () => {
    let nested: Uint8Array = octetString(new Uint8Array(1000))
    for (let i = 0; i < 5000; i++) nested = element(Tag.SEQUENCE, nested)
    const { steps } = countSteps(() => expectRefused(() => new CertificateView(nested), 'ERR_DER_TRUNCATED'))
    expect(steps).toBeLessThan(10)
  })
})
