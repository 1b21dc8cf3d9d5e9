import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import {
  sequence,
  setOf,
  utf8String,
  oid as writeOid,
  element,
  integer,
  bitString,
  nullElement,
  octetString,
  time,
  namedBits,
} from '@x/der'
import {
  CertificateView,
  ExtensionOid,
  KeyUsage,
  readAuthorityKeyIdentifier,
  readBasicConstraints,
  readExtendedKeyUsage,
  readKeyUsage,
  readSubjectAltName,
  readSubjectKeyIdentifier,
} from '@x/der/x509'
import { createAuthority, describeCertificate, generateKeySync } from '@x/utils'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Clone, Interceptor } from '../src/index.ts'
import { DAY, hex, identityOf, NOW, origin, proxyCa } from './samples.ts'

const interceptor = new Interceptor({ ...proxyCa, now: () => NOW })

function typesOf(raw: Uint8Array): string[] {
  return new CertificateView(raw).extensions().map(({ oid }) => oid)
}

function valueOf(raw: Uint8Array, oid: string): Uint8Array {
  return new CertificateView(raw).extension(oid)?.value as Uint8Array
}

describe('a clone', () => {
  it('says of its subject what the origin says', () => {
    const original = origin({
      subject: { countryName: 'DE', organizationName: ['A', 'B'], commonName: 'Bücher.example' },
      subjectAltNames: [
        ['DNS', 'www.example.org'],
        ['DNS', '*.example.org'],
        ['IP', '192.0.2.1'],
        ['IP', '2001:db8::1'],
        ['EMAIL', 'a@example.org'],
        ['URI', 'spiffe://example.org/x'],
      ],
    })
    const clone = interceptor.clone(original.certificate)
    const before = describeCertificate(original.certificate)
    const after = describeCertificate(clone.certificate)
    for (const field of [
      'subject',
      'subjectAltNames',
      'notBefore',
      'notAfter',
      'keyUsage',
      'extendedKeyUsage',
    ] as const)
      expect(after[field]).toEqual(before[field])
    expect(after.version).toBe(3)
    expect(after.serial).not.toBe(before.serial)
    expect(after.issuer).toEqual(describeCertificate(proxyCa.certificate).subject)
    expect(Buffer.compare(new CertificateView(clone.raw).subject, new CertificateView(original.raw).subject)).toBe(0)
  })

  it('is signed by the CA, with a key that is not the origin’s', () => {
    const original = origin()
    const clone = interceptor.clone(original.certificate)
    expect(clone.certificate.verify(proxyCa.certificate.publicKey)).toBe(true)
    expect(clone.certificate.checkIssued(proxyCa.certificate)).toBe(true)
    expect(clone.certificate.checkPrivateKey(clone.privateKey)).toBe(true)
    expect(clone.certificate.checkPrivateKey(original.privateKey)).toBe(false)
    expect(clone.certificate.checkPrivateKey(proxyCa.privateKey)).toBe(false)
    expect(new X509Certificate(clone.cert).raw).toEqual(clone.certificate.raw)
    expect(createPublicKey(clone.key).equals(clone.certificate.publicKey)).toBe(true)
  })

  it('refers to the CA by the CA’s own key identifier, and to its key by another', () => {
    const original = origin()
    const { raw } = interceptor.clone(original.certificate)
    const authority = readAuthorityKeyIdentifier(valueOf(raw, '2.5.29.35'))
    const own = readSubjectKeyIdentifier(valueOf(raw, '2.5.29.14'))
    expect(Buffer.from(authority.keyIdentifier ?? [])).toEqual(
      Buffer.from(readSubjectKeyIdentifier(valueOf(proxyCa.certificate.raw, '2.5.29.14'))),
    )
    expect(own).not.toEqual(authority.keyIdentifier)
    expect(own).not.toEqual(readSubjectKeyIdentifier(valueOf(original.raw, '2.5.29.14')))
  })

  it('leaves out what only the origin’s CA may say', () => {
    const original = origin({
      extensions: [
        { oid: '2.5.29.32', raw: sequence(sequence(writeOid('2.23.140.1.2.1'))) },
        { oid: '1.3.6.1.4.1.11129.2.4.2', raw: octetString(hex('0000')) },
        { oid: '2.5.29.18', raw: sequence(element(0x82, Buffer.from('ca.example'))) },
        { oid: '1.2.3.4', raw: nullElement() },
      ],
    })
    expect(typesOf(original.raw)).toEqual(
      expect.arrayContaining([
        '1.3.6.1.5.5.7.1.1',
        '1.3.6.1.5.5.7.1.24',
        '2.5.29.31',
        '2.5.29.32',
        '2.5.29.18',
        '1.2.3.4',
      ]),
    )
    expect(typesOf(interceptor.clone(original.certificate).raw).sort()).toEqual(
      ['2.5.29.14', '2.5.29.15', '2.5.29.17', '2.5.29.19', '2.5.29.35', '2.5.29.37', '2.16.840.1.113730.1.1']
        .filter((type) => type !== '2.16.840.1.113730.1.1' || typesOf(original.raw).includes(type))
        .sort(),
    )
  })

  it('copies alternative names octet by octet, with types that have no text', () => {
    const names = sequence(
      element(0x82, Buffer.from('www.example.org')),
      element(0xa0, sequence(writeOid('1.3.6.1.4.1.311.20.2.3'), element(0xa0, utf8String('u@example.org')))),
      element(0xa4, sequence(setOf(sequence(writeOid('2.5.4.3'), utf8String('x'))))),
      element(0x88, writeOid('1.2.3').subarray(2)),
      element(0x87, hex('0a000001')),
    )
    const original = origin({
      extensions: [{ oid: '2.5.29.17', critical: true, raw: names }],
    })
    const view = new CertificateView(interceptor.clone(original.certificate).raw)
    const extension = view.extension(ExtensionOid.SUBJECT_ALT_NAME)
    expect(extension?.critical).toBe(true)
    expect(Buffer.compare(extension?.value as Uint8Array, names)).toBe(0)
  })

  it('has an empty subject where the origin has, and no names where the origin has none', () => {
    const empty = interceptor.clone(origin({ subject: {} }).certificate)
    expect(new CertificateView(empty.raw).subject).toEqual(hex('3000'))
    expect(new CertificateView(empty.raw).extension(ExtensionOid.SUBJECT_ALT_NAME)?.critical).toBe(true)
    const nameless = interceptor.clone(origin({ subject: { commonName: 'x' }, subjectAltNames: [] }).certificate)
    expect(typesOf(nameless.raw)).not.toContain('2.5.29.17')
  })

  it('without usages stays without them', () => {
    const bare = origin({ keyUsage: [], extendedKeyUsage: [] })
    const types = typesOf(interceptor.clone(bare.certificate).raw)
    expect(types).not.toContain('2.5.29.15')
    expect(types).not.toContain('2.5.29.37')
  })

  it('of a version 1 certificate has version 3 and says that it is no CA', () => {
    const { raw } = interceptor.clone({ raw: version1() })
    expect(new CertificateView(raw).version).toBe(3)
    expect(readBasicConstraints(valueOf(raw, '2.5.29.19')).ca).toBe(false)
    expect(new X509Certificate(raw).ca).toBe(false)
  })
})

describe('a clone is never a CA', () => {
  it('whatever the origin may do', () => {
    const ca = createAuthority('Some CA').issue({ ca: true, names: ['ca.example'], purpose: 'CA,server,cRLSign' })
    const { raw, certificate } = interceptor.clone(ca.certificate)
    expect(certificate.ca).toBe(false)
    const constraints = new CertificateView(raw).extension(ExtensionOid.BASIC_CONSTRAINTS)
    expect(constraints?.critical).toBe(true)
    expect(readBasicConstraints(constraints?.value as Uint8Array)).toEqual({ ca: false, pathLength: undefined })
    const usage = readKeyUsage(valueOf(raw, '2.5.29.15'))
    expect(usage & (KeyUsage.KEY_CERT_SIGN | KeyUsage.CRL_SIGN)).toBe(0)
    expect(usage & KeyUsage.DIGITAL_SIGNATURE).not.toBe(0)
  })

  it('nor may it answer OCSP for the CA', () => {
    const both = origin({ extendedKeyUsage: ['serverAuth', 'OCSPSigning'] })
    expect(readExtendedKeyUsage(valueOf(interceptor.clone(both.certificate).raw, '2.5.29.37'))).toEqual([
      '1.3.6.1.5.5.7.3.1',
    ])
    const responder = origin({ extendedKeyUsage: ['OCSPSigning'] })
    expect(() => interceptor.clone(responder.certificate)).toThrow(
      expect.objectContaining({ code: 'ERR_INTERCEPT_NOT_CLONABLE' }),
    )
  })

  it('where only a CA’s usages were, the clone is as useless for TLS as the origin', () => {
    const usages = origin({ keyUsage: ['keyCertSign', 'cRLSign'] })
    expect(readKeyUsage(valueOf(interceptor.clone(usages.certificate).raw, '2.5.29.15'))).toBe(KeyUsage.NON_REPUDIATION)
    const hiding = new Interceptor({ ...proxyCa, mirrorInvalidity: false, now: () => NOW })
    expect(readKeyUsage(valueOf(hiding.clone(usages.certificate).raw, '2.5.29.15'))).toBe(KeyUsage.DIGITAL_SIGNATURE)
  })

  it('Netscape’s types lose their CA bits, and go where nothing is left', () => {
    const typed = (...bits: number[]): Clone =>
      interceptor.clone(origin({ extensions: [{ oid: '2.16.840.1.113730.1.1', raw: namedBits(bits) }] }).certificate)
    expect(readKeyUsage(valueOf(typed(1, 5, 7).raw, '2.16.840.1.113730.1.1'))).toBe(2)
    expect(typesOf(typed(5).raw)).not.toContain('2.16.840.1.113730.1.1')
  })

  it('for any origin (property)', () => {
    const usages = ['digitalSignature', 'keyEncipherment', 'keyAgreement', 'keyCertSign', 'cRLSign', 'decipherOnly']
    const options = fc.record({
      ca: fc.boolean(),
      keyUsage: fc.subarray(usages),
      extendedKeyUsage: fc.subarray(['serverAuth', 'clientAuth', 'codeSigning', '1.2.3.4'], { minLength: 1 }),
      names: fc.uniqueArray(fc.domain(), { maxLength: 5 }),
    })
    fc.assert(
      fc.property(options, ({ names, ...options }) => {
        const original = origin({
          ...options,
          subjectAltNames: names.map((name) => ['DNS', name]),
        })
        const { raw } = interceptor.clone(original.certificate)
        const view = new CertificateView(raw)
        expect(readBasicConstraints(valueOf(raw, '2.5.29.19')).ca).toBe(false)
        const before = new CertificateView(original.raw).extension(ExtensionOid.KEY_USAGE)
        const usage = view.extension(ExtensionOid.KEY_USAGE)
        expect(usage === undefined).toBe(before === undefined)
        if (usage !== undefined) expect(readKeyUsage(usage.value) & 0x60).toBe(0)
        const san = view.extension(ExtensionOid.SUBJECT_ALT_NAME)
        expect(san === undefined ? 0 : readSubjectAltName(san.value).length).toBe(names.length)
        expect(readExtendedKeyUsage(valueOf(raw, '2.5.29.37')).length).toBe(options.extendedKeyUsage.length)
        expect(new X509Certificate(raw).verify(proxyCa.certificate.publicKey)).toBe(true)
      }),
      { numRuns: 60 },
    )
  })
})

describe('the clone’s key', () => {
  const kinds: readonly [title: string, key: () => KeyObject, type: string][] = [
    ['RSA', () => generateKeySync({ type: 'rsa', bits: 2048 }), 'rsa'],
    ['P-256', () => generateKeySync('ec'), 'ec'],
    ['P-521', () => generateKeySync({ type: 'ec', curve: 'P-521' }), 'ec'],
    ['Ed25519', () => generateKeySync('ed25519'), 'ec'],
    ['Ed448', () => generateKeySync('ed448'), 'ec'],
  ]
  it.each(kinds)('follows an origin with %s', (_, key, type) => {
    const { privateKey } = interceptor.clone(origin({ privateKey: key() }).certificate)
    expect(privateKey.asymmetricKeyType).toBe(type)
    if (type === 'ec') expect(privateKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1')
    else expect(privateKey.asymmetricKeyDetails?.modulusLength).toBe(2048)
  })

  it('is one per interceptor and type, unless each is to have its own', () => {
    const shared = new Interceptor(proxyCa)
    const [a, b] = [shared.clone(origin().certificate), shared.clone(origin().certificate)]
    expect(a.privateKey).toBe(b.privateKey)
    expect(new Interceptor(proxyCa).clone(origin().certificate).privateKey.equals(a.privateKey)).toBe(false)
    const own = new Interceptor({ ...proxyCa, leafKey: 'own' })
    const original = origin()
    const [c, d] = [own.clone(original.certificate, 'c'), own.clone(original.certificate, 'd')]
    expect(c.privateKey.equals(d.privateKey)).toBe(false)
    expect(c.certificate.checkPrivateKey(c.privateKey)).toBe(true)
  })

  it('can be given', () => {
    const leafKey = generateKeySync({ type: 'ec', curve: 'P-384' })
    const given = new Interceptor({ ...proxyCa, leafKey })
    const rsa = origin({ privateKey: generateKeySync('rsa') })
    expect(given.clone(rsa.certificate).privateKey).toBe(leafKey)
    expect(given.clone(origin().certificate).certificate.checkPrivateKey(leafKey)).toBe(true)
  })

  it.each([
    ['Ed25519', () => generateKeySync('ed25519')],
    ['P-521', () => generateKeySync({ type: 'ec', curve: 'P-521' })],
    ['RSA with 1024 bits', () => generateKeySync({ type: 'rsa', bits: 1024 })],
    ['RSA-PSS', () => generateKeySync('rsa-pss')],
  ] as const)('is not of a kind that browsers refuse: %s', (_, key) => {
    expect(() => new Interceptor({ ...proxyCa, leafKey: key() })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE', message: expect.stringContaining('leafKey') as string }),
    )
  })

  it('can be made ahead', async () => {
    const prepared = new Interceptor(proxyCa)
    await prepared.prepare()
    const before = process.cpuUsage()
    const { privateKey } = prepared.clone(origin({ privateKey: generateKeySync('rsa') }).certificate)
    expect(privateKey.asymmetricKeyType).toBe('rsa')
    expect(before).toBeDefined()
    await prepared.prepare()
    expect(prepared.clone(origin({ privateKey: generateKeySync('rsa') }).certificate).privateKey).toBe(privateKey)
    await new Interceptor({ ...proxyCa, leafKey: 'own' }).prepare()
  })
})

describe('the serial number', () => {
  const serialOf = (clone: Clone): bigint => BigInt(`0x${clone.certificate.serialNumber}`)
  const leafKey = generateKeySync('ec')

  it('looks random, is positive, and is the same whenever the same clone is made', () => {
    const original = origin()
    const a = new Interceptor({ ...proxyCa, leafKey, now: () => NOW }).clone(original.certificate)
    const b = new Interceptor({ ...proxyCa, leafKey, now: () => NOW + DAY }).clone(original.certificate)
    expect(serialOf(a)).toBe(serialOf(b))
    expect(a.certificate.serialNumber.length).toBe(32)
    expect(serialOf(a)).toBeGreaterThan(0n)
    const many = new Set(Array.from({ length: 50 }, () => serialOf(interceptor.clone(origin().certificate))))
    expect(many.size).toBe(50)
  })

  it('is not shared by two clones that differ', () => {
    const original = origin()
    const numbers = [
      new Interceptor({ ...proxyCa, leafKey, now: () => NOW }),
      new Interceptor({ ...proxyCa, leafKey: generateKeySync('ec'), now: () => NOW }),
      new Interceptor({ ...identityOf(createAuthority('Another CA')), leafKey, now: () => NOW }),
      new Interceptor({ ...proxyCa, leafKey, maxValidityDays: 5, now: () => NOW }),
      new Interceptor({ ...proxyCa, leafKey, maxValidityDays: 5, now: () => NOW + DAY }),
      new Interceptor({ ...proxyCa, leafKey, maxValidityDays: 6, now: () => NOW }),
    ].map((interceptor) => serialOf(interceptor.clone(original.certificate)))
    expect(new Set(numbers).size).toBe(numbers.length)
  })

  it('can count', () => {
    const counting = new Interceptor({ ...proxyCa, serial: 41 })
    const original = origin()
    expect(serialOf(counting.clone(original.certificate))).toBe(42n)
    expect(serialOf(counting.clone(original.certificate))).toBe(42n)
    expect(serialOf(counting.clone(origin().certificate))).toBe(43n)
    expect(serialOf(new Interceptor({ ...proxyCa, serial: 2n ** 64n }).clone(original.certificate))).toBe(
      2n ** 64n + 1n,
    )
  })

  it('can be decided by a function, which sees the origin', () => {
    const original = origin()
    const deciding = new Interceptor({
      ...proxyCa,
      serial: (certificate, { subjectAltNames }) =>
        BigInt(`0x${certificate.serialNumber}`) + BigInt(subjectAltNames.length),
    })
    expect(serialOf(deciding.clone(original.certificate))).toBe(BigInt(`0x${original.certificate.serialNumber}`) + 1n)
    const bytes = new Interceptor({ ...proxyCa, serial: () => hex('ff00') })
    expect(serialOf(bytes.clone(original.certificate))).toBe(0xff00n)
  })

  it.each([
    0,
    -1,
    2n ** 160n,
    1.5,
    Number.NaN,
    '7',
    undefined,
    new Uint8Array(21).fill(255),
    new Uint8Array(),
    Promise.resolve(7),
  ])('refuses %s from a function', (answer) => {
    const wrong = new Interceptor({ ...proxyCa, serial: () => answer as bigint })
    expect(() => wrong.clone(origin().certificate)).toThrow(
      expect.objectContaining({ name: 'TypeError', message: expect.stringContaining('"serial"') as string }),
    )
  })

  it('passes on what the function throws', () => {
    const failing = new Interceptor({
      ...proxyCa,
      serial: () => {
        throw new RangeError('out of numbers')
      },
    })
    expect(() => failing.clone(origin().certificate)).toThrow(RangeError)
  })
})

/** No version, no extensions. */
function version1(): Uint8Array {
  const algorithm = sequence(writeOid('1.2.840.10045.4.3.2'))
  const { issuer, subject, spki } = new CertificateView(origin().raw)
  const tbs = sequence(integer(7), algorithm, issuer, sequence(time(NOW), time(NOW + DAY)), subject, spki)
  return sequence(tbs, algorithm, bitString(new Uint8Array(70)))
}
