import { describe, expect, it } from 'vitest'
import {
  bitString,
  boolean,
  contextTag,
  DerCursor,
  type DerErrorCode,
  element,
  encodeOid,
  generalizedTime,
  integer,
  nullElement,
  octetString,
  oid,
  sequence,
  time,
} from '../src/index.ts'
import {
  CertificateListView,
  CertificateView,
  ExtensionOid,
  findExtension,
  readExtensions,
  readName,
  readRdn,
  sameBytes,
} from '../src/x509.ts'
import { expectRefused, hex } from './refused.ts'
import { ALGORITHM, allExtensions, certificate, certificateList, extension, NAME, REVOKED, SPKI } from './samples.ts'
import { countSteps } from './steps.ts'

type Changed = Readonly<Record<string, Uint8Array | undefined>>

const explicit = (number: number, ...content: Uint8Array[]): Uint8Array => element(contextTag(number, true), ...content)

describe('CertificateView', () => {
  it('finds every field, as views into the bytes', () => {
    const der = certificate()
    const view = new CertificateView(der)
    expect(view.version).toBe(3)
    expect(view.serialNumber).toEqual(hex('1234'))
    expect(view.tbsSignatureAlgorithm).toEqual(ALGORITHM)
    expect(view.signatureAlgorithm).toEqual(ALGORITHM)
    expect(view.issuer).toEqual(NAME)
    expect(view.subject).toEqual(NAME)
    expect(view.spki).toEqual(SPKI)
    expect(view.validity).toEqual(sequence(time(Date.UTC(2026, 0)), time(Date.UTC(2060, 0))))
    expect(view.notBefore).toBe(Date.UTC(2026, 0))
    expect(view.notAfter).toBe(Date.UTC(2060, 0))
    expect(view.signature).toEqual(new Uint8Array(64).fill(9))
    expect(sequence(view.tbs, ALGORITHM, bitString(view.signature))).toEqual(der)
    for (const part of [view.tbs, view.issuer, view.spki, view.signature]) expect(part.buffer).toBe(der.buffer)
  })

  it('reads versions 1 and 2, and unique identifiers', () => {
    expect(new CertificateView(certificate({ version: undefined, extensions: undefined })).version).toBe(1)
    const second = certificate({
      version: explicit(0, integer(1)),
      extensions: element(contextTag(1), hex('00aa')),
      more: element(contextTag(2), hex('00bb')),
    })
    expect(new CertificateView(second).version).toBe(2)
    expect(new CertificateView(second).extensions()).toEqual([])
    expect(new CertificateView(second).extension(ExtensionOid.KEY_USAGE)).toBeUndefined()
  })

  const refused: readonly [title: string, changed: Changed, code: DerErrorCode][] = [
    ['version 4', { version: explicit(0, integer(3)) }, 'ERR_DER_INVALID_VALUE'],
    ['a negative version', { version: explicit(0, integer(-1)) }, 'ERR_DER_INVALID_VALUE'],
    ['two versions', { version: explicit(0, integer(2), integer(2)) }, 'ERR_DER_TRAILING_DATA'],
    ['a missing serial number', { serial: undefined }, 'ERR_DER_UNEXPECTED_TAG'],
    ['a serial number in a long form', { serial: hex('02020001') }, 'ERR_DER_INVALID_VALUE'],
    ['an algorithm that is no sequence', { tbsAlgorithm: nullElement() }, 'ERR_DER_UNEXPECTED_TAG'],
    ['an issuer that is no sequence', { issuer: octetString(NAME) }, 'ERR_DER_UNEXPECTED_TAG'],
    ['a validity of one time', { validity: sequence(time(0)) }, 'ERR_DER_TRUNCATED'],
    ['a validity of three times', { validity: sequence(time(0), time(0), time(0)) }, 'ERR_DER_TRAILING_DATA'],
    ['a validity that is no time', { validity: sequence(integer(0), time(0)) }, 'ERR_DER_UNEXPECTED_TAG'],
    ['a missing key', { spki: undefined }, 'ERR_DER_UNEXPECTED_TAG'],
    ['two Extensions', { extensions: explicit(3, sequence(), sequence()) }, 'ERR_DER_TRAILING_DATA'],
    ['Extensions that are no sequence', { extensions: explicit(3, octetString(hex(''))) }, 'ERR_DER_UNEXPECTED_TAG'],
    ['a field too many', { more: nullElement() }, 'ERR_DER_TRAILING_DATA'],
    ['a constructed signature', { signature: element(0x23, bitString(hex('00'))) }, 'ERR_DER_UNEXPECTED_TAG'],
    ['a signature of half octets', { signature: bitString(hex('00'), 4) }, 'ERR_DER_INVALID_VALUE'],
    ['an element behind the signature', { after: nullElement() }, 'ERR_DER_TRAILING_DATA'],
  ]
  it.each(refused)('refuses %s', (_, changed, code) => {
    expectRefused(() => new CertificateView(certificate(changed)), code)
  })

  it('refuses bytes behind the certificate, and every certificate that is cut off', () => {
    const der = certificate()
    expectRefused(() => new CertificateView(Uint8Array.of(...der, 0)), 'ERR_DER_TRAILING_DATA', der.length)
    for (let length = 0; length < der.length; length++)
      expectRefused(() => new CertificateView(der.subarray(0, length)), 'ERR_DER_TRUNCATED')
  })

  it('takes a handful of steps, however many extensions there are', () => {
    const many = Array.from({ length: 10_000 }, () => extension('1.2.3', hex('00')))
    const der = certificate({ extensions: explicit(3, sequence(...many, ...allExtensions())) })
    expect(countSteps(() => new CertificateView(der)).steps).toBeLessThan(25)
  })
})

describe('extensions', () => {
  const view = new CertificateView(certificate())

  it('come in order', () => {
    const all = view.extensions()
    expect(all.map(({ oid }) => oid)).toEqual([
      '2.5.29.14',
      '2.5.29.15',
      '2.5.29.17',
      '2.5.29.19',
      '2.5.29.28',
      '2.5.29.30',
      '2.5.29.31',
      '2.5.29.35',
      '2.5.29.37',
      '1.3.6.1.5.5.7.1.1',
    ])
    expect(all.map(({ element }) => element)).toEqual(allExtensions())
    expect(all.map(({ critical }) => critical)).toEqual(all.map((_, i) => i % 3 === 0))
  })

  it('are found by text and by octets; the first one counts', () => {
    expect(view.extension('2.5.29.19')).toEqual(view.extension(ExtensionOid.BASIC_CONSTRAINTS))
    expect(view.extension('2.5.29.19')?.critical).toBe(true)
    expect(view.extension('2.5.29.1')).toBeUndefined()
    expect(view.extension(ExtensionOid.TLS_FEATURE)).toBeUndefined()
    const twice = Buffer.concat([extension('1.2.3', hex('aa')), extension('1.2.3', hex('bb'))])
    expect(findExtension(new DerCursor(twice), '1.2.3')?.value).toEqual(Buffer.from('aa', 'hex'))
    expect([...readExtensions(new DerCursor(twice), encodeOid('1.2.3'))].length).toBe(2)
    expect([...readExtensions(new DerCursor(twice), encodeOid('1.2.4'))].length).toBe(0)
  })

  it('name the octets of the well-known types', () => {
    expect(ExtensionOid.SUBJECT_ALT_NAME).toEqual(hex('551d11'))
    expect(ExtensionOid.AUTHORITY_INFO_ACCESS).toEqual(hex('2b06010505070101'))
    expect(Object.keys(ExtensionOid).length).toBe(new Set(Object.values(ExtensionOid).map(String)).size)
  })

  it('may say that they are not critical, which DER would leave out', () => {
    const said = sequence(oid('1.2.3'), boolean(false), octetString(hex('')))
    expect([...readExtensions(new DerCursor(said))][0]?.critical).toBe(false)
  })

  const id = oid('1.2.3')
  const refused: readonly [title: string, bytes: Uint8Array, code: DerErrorCode, offset: number][] = [
    ['without a value', sequence(id), 'ERR_DER_TRUNCATED', 6],
    ['whose value is no octet string', sequence(id, nullElement()), 'ERR_DER_UNEXPECTED_TAG', 6],
    ['with a BER boolean', sequence(id, hex('010101'), octetString(hex(''))), 'ERR_DER_INVALID_VALUE', 6],
    ['with a field too many', sequence(id, octetString(hex('')), nullElement()), 'ERR_DER_TRAILING_DATA', 8],
    ['without a type', sequence(octetString(hex(''))), 'ERR_DER_UNEXPECTED_TAG', 2],
    ['with an empty type', sequence(hex('0600'), octetString(hex(''))), 'ERR_DER_INVALID_VALUE', 2],
    ['that is no sequence', octetString(hex('')), 'ERR_DER_UNEXPECTED_TAG', 0],
  ]
  it.each(refused)('are refused %s', (_, bytes, code, offset) => {
    expectRefused(() => [...readExtensions(new DerCursor(bytes))], code, offset)
  })
})

describe('CertificateListView', () => {
  it('finds every field of the head, and the span of the entries', () => {
    const der = certificateList()
    const view = new CertificateListView(der)
    expect(view.version).toBe(2)
    expect(view.issuer).toEqual(NAME)
    expect(view.thisUpdate).toBe(Date.UTC(2026, 3))
    expect(view.nextUpdate).toBe(Date.UTC(2026, 4))
    expect(view.tbsSignatureAlgorithm).toEqual(ALGORITHM)
    expect(sequence(view.tbs, view.signatureAlgorithm, bitString(view.signature))).toEqual(der)
    expect(der.subarray(view.revokedStart, view.revokedEnd)).toEqual(new Uint8Array(Buffer.concat(REVOKED)))
    const entries = view.revoked()
    for (const entry of REVOKED) expect(entries.expect(0x30).element()).toEqual(entry)
    expect(entries.done).toBe(true)
    expect(view.extensions().map(({ oid }) => oid)).toEqual(['2.5.29.20', '2.5.29.28'])
    expect(view.extension(ExtensionOid.ISSUING_DISTRIBUTION_POINT)?.critical).toBe(true)
    expect(view.extension(ExtensionOid.DELTA_CRL_INDICATOR)).toBeUndefined()
  })

  it.each<[title: string, changed: Changed, nextUpdate: number | undefined, entries: number]>([
    ['no nextUpdate', { nextUpdate: undefined }, undefined, 2],
    ['a nextUpdate as UTCTime', { nextUpdate: time(Date.UTC(2027, 0)) }, Date.UTC(2027, 0), 2],
    ['no entries', { revoked: undefined }, Date.UTC(2026, 4), 0],
    ['an empty list of entries', { revoked: sequence() }, Date.UTC(2026, 4), 0],
    [
      'nothing optional',
      { version: undefined, nextUpdate: undefined, revoked: undefined, extensions: undefined },
      undefined,
      0,
    ],
  ])('reads %s', (_, changed, nextUpdate, entries) => {
    const view = new CertificateListView(certificateList(changed))
    expect(view.nextUpdate).toBe(nextUpdate)
    expect(view.version).toBe('version' in changed ? 1 : 2)
    expect(view.extensions().length).toBe('extensions' in changed ? 0 : 2)
    let found = 0
    for (const cursor = view.revoked(); !cursor.done; found++) cursor.expect(0x30)
    expect(found).toBe(entries)
    if (entries === 0) expect(view.revokedStart).toBe(view.revokedEnd)
  })

  const refused: readonly [title: string, changed: Changed, code: DerErrorCode][] = [
    ['version 1 written out', { version: integer(0) }, 'ERR_DER_INVALID_VALUE'],
    ['version 3', { version: integer(2) }, 'ERR_DER_INVALID_VALUE'],
    ['a missing thisUpdate', { thisUpdate: undefined, nextUpdate: undefined }, 'ERR_DER_UNEXPECTED_TAG'],
    ['three times', { revoked: generalizedTime(0) }, 'ERR_DER_TRAILING_DATA'],
    ['two lists of entries', { extensions: sequence() }, 'ERR_DER_TRAILING_DATA'],
    ['extensions in a certificate’s place', { extensions: explicit(3, sequence()) }, 'ERR_DER_TRAILING_DATA'],
    ['two Extensions', { extensions: explicit(0, sequence(), sequence()) }, 'ERR_DER_TRAILING_DATA'],
    ['a signature of half octets', { signature: bitString(hex('00'), 4) }, 'ERR_DER_INVALID_VALUE'],
    ['an element behind the signature', { after: nullElement() }, 'ERR_DER_TRAILING_DATA'],
  ]
  it.each(refused)('refuses %s', (_, changed, code) => {
    expectRefused(() => new CertificateListView(certificateList(changed)), code)
  })

  it('refuses a certificate', () => {
    expectRefused(() => new CertificateListView(certificate()), 'ERR_DER_UNEXPECTED_TAG')
  })

  it('refuses every list that is cut off', () => {
    const der = certificateList()
    for (let length = 0; length < der.length; length++)
      expectRefused(() => new CertificateListView(der.subarray(0, length)), 'ERR_DER_TRUNCATED')
  })

  it('takes as many steps for a million entries as for none', () => {
    const million = new Uint8Array(17_000_000)
    const entry = sequence(integer(0x1234), time(0))
    for (let at = 0; at + entry.length <= million.length; at += entry.length) million.set(entry, at)
    const full = million.subarray(0, Math.floor(million.length / entry.length) * entry.length)
    const large = certificateList({ revoked: sequence(full) })
    const small = certificateList({ revoked: sequence() })
    const steps = countSteps(() => new CertificateListView(large)).steps
    expect(steps).toBe(countSteps(() => new CertificateListView(small)).steps)
  })
})

describe('readName', () => {
  it('lists the attributes with their RDN', () => {
    const attributes = readName(NAME)
    // DER orders a SET OF by its octets: the serialNumber is the shorter element and comes first.
    expect(attributes.map(({ oid, rdn }) => [oid, rdn])).toEqual([
      ['2.5.4.6', 0],
      ['2.5.4.5', 1],
      ['2.5.4.3', 1],
    ])
    expect(new Set(attributes.map(({ tag }) => tag))).toEqual(new Set([0x13, 0x0c]))
    expect(readName(sequence())).toEqual([])
  })

  it.each<[title: string, name: Uint8Array, code: DerErrorCode]>([
    ['an empty RDN', sequence(hex('3100')), 'ERR_DER_TRUNCATED'],
    ['an attribute without a value', sequence(hex('3107'), hex('3005 0603550403')), 'ERR_DER_TRUNCATED'],
    [
      'an attribute of two values',
      sequence(element(0x31, sequence(oid('2.5.4.3'), nullElement(), nullElement()))),
      'ERR_DER_TRAILING_DATA',
    ],
    ['an RDN that is a sequence', sequence(sequence()), 'ERR_DER_UNEXPECTED_TAG'],
    ['bytes behind the name', Uint8Array.of(...NAME, 0), 'ERR_DER_TRAILING_DATA'],
  ])('refuses %s', (_, name, code) => {
    expectRefused(() => readName(name), code)
  })

  it('reads one RDN, as distribution points have it', () => {
    const [first] = readRdn(new DerCursor(sequence(oid('2.5.4.3'), nullElement())), 4)
    expect(first).toEqual({ oid: '2.5.4.3', tag: 5, value: new Uint8Array(), rdn: 4 })
  })
})

describe('sameBytes', () => {
  it('compares octets, not buffers', () => {
    expect(sameBytes(hex('aabb'), Buffer.from('aabb', 'hex'))).toBe(true)
    expect(sameBytes(hex('aabb'), hex('aabc'))).toBe(false)
    expect(sameBytes(hex('aabb'), hex('aa'))).toBe(false)
    expect(sameBytes(hex(''), hex(''))).toBe(true)
  })
})
