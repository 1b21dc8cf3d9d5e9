import { boolean, element, integer, octetString, oid, sequence, time, contextTag, generalizedTime } from '@x/der'
import { describe, expect, it } from 'vitest'
import { Crl, parseCrl, parseCrls } from '../src/index.ts'
import { authority, codeOf, DAY, leaf, list, NOW } from './authorities.ts'

const ca = authority('Parsing CA')
const revoked = leaf(ca)
const full = list(ca, {
  number: 7,
  revoked: [
    { certificate: revoked.raw, date: NOW - 2 * DAY, reason: 'keyCompromise', invalidityDate: NOW - 3 * DAY },
    { serial: 'ff00', date: NOW - 2 * DAY },
    { serial: 5n, reason: 'certificateHold' },
  ],
})

describe('parseCrl', () => {
  it('reads what the list says of itself', () => {
    const crl = parseCrl(full.der)
    expect(crl).toMatchObject({ version: 2, size: 3, crlNumber: 7n, baseCrlNumber: undefined, unknownCritical: [] })
    expect(crl.thisUpdate).toEqual(new Date(NOW - DAY))
    expect(crl.nextUpdate).toEqual(new Date(NOW + 6 * DAY))
    expect(crl.issuingDistributionPoint).toBeUndefined()
    expect(crl.authorityKeyIdentifier?.keyIdentifier).toHaveLength(20)
    expect([...crl.entries()].map(({ reason }) => reason)).toEqual(['keyCompromise', 'unspecified', 'certificateHold'])
  })

  it('finds entries by serial number', () => {
    const serial = Buffer.from(revoked.certificate.serialNumber, 'hex')
    expect(full.find(serial)).toEqual({
      serialNumber: new Uint8Array(serial),
      revocationDate: new Date(NOW - 2 * DAY),
      reason: 'keyCompromise',
      invalidityDate: new Date(NOW - 3 * DAY),
    })
    expect(full.find(Uint8Array.of(0, 0xff, 0))).toMatchObject({ reason: 'unspecified', invalidityDate: undefined })
    expect(full.find(Uint8Array.of(0xff, 0))).toBeUndefined()
    expect(full.find(Uint8Array.of(6))).toBeUndefined()
    expect(full.find(Uint8Array.of())).toBeUndefined()
  })

  it('takes DER, PEM text, PEM bytes, and its own lists', () => {
    const pem = full.toPem()
    expect(pem).toMatch(/^-----BEGIN X509 CRL-----\n/)
    for (const input of [full.der, pem, Buffer.from(pem), full, { der: full.der } as Crl])
      expect(Buffer.from(parseCrl(input).der).equals(full.der)).toBe(true)
    expect(parseCrl(full)).toBe(full)
  })

  it('reads every list of a bundle, whatever stands between', () => {
    const other = list(ca, { number: 8 })
    const bundle = `junk\n${full.toPem()}\n${ca.cert}text\n${other.toPem()}`
    expect(parseCrls(bundle).map(({ crlNumber }) => crlNumber)).toEqual([7n, 8n])
    expect(parseCrls([bundle, full.der])).toHaveLength(3)
    expect(codeOf(() => parseCrls(`${full.toPem()}-----BEGIN X509 CRL-----\n!\n-----END X509 CRL-----\n`))).toBe(
      'ERR_CRL_INVALID',
    )
  })

  it.each([
    ['nothing', new Uint8Array(), 'ERR_CRL_NOT_FOUND'],
    ['HTML', '<!doctype html><title>404</title>', 'ERR_CRL_NOT_FOUND'],
    ['a certificate', ca.raw, 'ERR_CRL_INVALID'],
    ['a certificate in PEM', ca.cert, 'ERR_CRL_NOT_FOUND'],
    ['a list cut short', full.der.subarray(0, full.der.length - 1), 'ERR_CRL_INVALID'],
    ['a list with a byte behind it', Buffer.concat([full.der, Buffer.of(0)]), 'ERR_CRL_INVALID'],
    ['a length that lies', Uint8Array.of(0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0x30), 'ERR_CRL_INVALID'],
    ['an indefinite length', Uint8Array.of(0x30, 0x80, 0, 0), 'ERR_CRL_INVALID'],
  ])('refuses %s', (_, input, code) => {
    expect(codeOf(() => parseCrl(input))).toBe(code)
  })

  it('refuses misuse by name', () => {
    for (const input of [undefined, null, 5, {}, ca.certificate])
      expect(codeOf(() => parseCrl(input as string))).toBe('ERR_INVALID_ARG_TYPE')
  })
})

/** A list around these entries and extensions, with a signature that nobody looks at here. */
function forged(parts: {
  version?: number
  entries?: Uint8Array[]
  extensions?: Uint8Array[]
  outer?: Uint8Array
}): Uint8Array {
  const { version = 2, entries = [], extensions = [], outer } = parts
  const original = parseCrl(full.der)
  const tbs = sequence(
    ...(version === 1 ? [] : [integer(version - 1)]),
    original.signatureAlgorithm,
    original.issuer,
    time(NOW),
    time(NOW + DAY),
    ...(entries.length > 0 ? [sequence(...entries)] : []),
    ...(extensions.length > 0 ? [element(contextTag(0, true), sequence(...extensions))] : []),
  )
  return sequence(tbs, outer ?? original.signatureAlgorithm, element(3, Uint8Array.of(0, 1, 2)))
}
const extension = (type: string, value: Uint8Array, critical = false): Uint8Array =>
  sequence(oid(type), ...(critical ? [boolean(true)] : []), octetString(value))
const entry = (...extensions: Uint8Array[]): Uint8Array =>
  sequence(integer(9), time(NOW), ...(extensions.length > 0 ? [sequence(...extensions)] : []))
const reason = extension('2.5.29.21', Uint8Array.of(0x0a, 1, 1))

describe('what a list must not be', () => {
  it.each<[string, Uint8Array, string]>([
    [
      'entries and extensions in order',
      forged({ entries: [entry(reason)], extensions: [extension('2.5.29.20', integer(1))] }),
      'accepted',
    ],
    ['version 1', forged({ version: 1, entries: [entry()] }), 'accepted'],
    [
      'version 1 with extensions',
      forged({ version: 1, extensions: [extension('2.5.29.20', integer(1))] }),
      'ERR_CRL_INVALID',
    ],
    ['version 1 with entry extensions', forged({ version: 1, entries: [entry(reason)] }), 'ERR_CRL_INVALID'],
    ['version 3', forged({ version: 3 }), 'ERR_CRL_INVALID'],
    ['another algorithm outside', forged({ outer: sequence(oid('1.2.840.10045.4.3.3')) }), 'ERR_CRL_INVALID'],
    [
      'an extension twice',
      forged({ extensions: [extension('2.5.29.20', integer(1)), extension('2.5.29.20', integer(2))] }),
      'ERR_CRL_INVALID',
    ],
    ['an entry extension twice', forged({ entries: [entry(reason, reason)] }), 'ERR_CRL_INVALID'],
    [
      'a serial number not in its shortest form',
      forged({ entries: [sequence(element(2, Uint8Array.of(0, 5)), time(NOW))] }),
      'ERR_CRL_INVALID',
    ],
    ['an empty serial number', forged({ entries: [sequence(element(2), time(NOW))] }), 'ERR_CRL_INVALID'],
    ['an entry without a date', forged({ entries: [sequence(integer(5)), entry()] }), 'ERR_CRL_INVALID'],
    [
      'an entry with a 13th month',
      forged({ entries: [sequence(integer(5), element(0x17, Buffer.from('261301000000Z')))] }),
      'ERR_CRL_INVALID',
    ],
    [
      'an entry on 29 February',
      forged({ entries: [sequence(integer(5), element(0x17, Buffer.from('240229000000Z')))] }),
      'accepted',
    ],
    [
      'an entry on 30 February',
      forged({ entries: [sequence(integer(5), element(0x17, Buffer.from('240230000000Z')))] }),
      'ERR_CRL_INVALID',
    ],
    ['an entry in GeneralizedTime', forged({ entries: [sequence(integer(5), generalizedTime(NOW))] }), 'accepted'],
    ['bytes behind the date', forged({ entries: [sequence(integer(5), time(NOW), integer(1))] }), 'ERR_CRL_INVALID'],
    [
      'bytes behind the extensions',
      forged({ entries: [sequence(integer(5), time(NOW), sequence(reason), integer(1))] }),
      'ERR_CRL_INVALID',
    ],
    ['an entry extension without a value', forged({ entries: [entry(sequence(oid('2.5.29.21')))] }), 'ERR_CRL_INVALID'],
    ['a scope that is none', forged({ extensions: [extension('2.5.29.28', integer(1), true)] }), 'ERR_CRL_INVALID'],
    [
      'a number of 65 octets',
      forged({ extensions: [extension('2.5.29.20', integer(new Uint8Array(65).fill(1)))] }),
      'ERR_CRL_INVALID',
    ],
  ])('%s', (_, der, code) => {
    expect(codeOf(() => parseCrl(der))).toBe(code)
  })

  it('tells of critical extensions that it does not know', () => {
    expect(parseCrl(forged({ extensions: [extension('1.2.3', integer(1), true)] })).unknownCritical).toEqual(['1.2.3'])
    expect(parseCrl(forged({ entries: [entry(extension('1.2.3', integer(1), true))] })).unknownCritical).toEqual([
      'of an entry',
    ])
    expect(parseCrl(forged({ entries: [entry(extension('1.2.3', integer(1)))] })).unknownCritical).toEqual([])
  })

  it('reads a reason that nobody defined as unspecified, and a broken one not at all', () => {
    const odd = parseCrl(forged({ entries: [entry(extension('2.5.29.21', Uint8Array.of(0x0a, 1, 7)))] }))
    expect(odd.find(Uint8Array.of(9))).toMatchObject({ reason: 'unspecified' })
    const broken = parseCrl(forged({ entries: [entry(extension('2.5.29.21', Uint8Array.of(1, 1, 0xff)))] }))
    expect(codeOf(() => broken.find(Uint8Array.of(9)))).toBe('ERR_CRL_INVALID')
  })
})
