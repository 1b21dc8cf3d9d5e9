import { X509Certificate } from 'node:crypto'
import { integer, octetString, oid, sequence, utf8String } from '@x/der'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type CertificateDescription,
  type CertificateOptions,
  createAuthority,
  createCertificate,
  describeCertificate,
  generateKeySync,
} from '@x/utils'
import { codeOf } from './support.ts'

const privateKey = generateKeySync('ec')
const issuer = createAuthority({ subject: { commonName: 'Root', organizationName: 'Tests' } })

describe('describeCertificate', () => {
  const created = createCertificate({
    privateKey,
    issuer,
    subject: { countryName: 'DE', commonName: 'a.example', organizationalUnitName: ['x', 'y'] },
    subjectAltNames: [
      ['DNS', 'a.example'],
      ['IP', '::1'],
    ],
    serial: 0xabcn,
    notBefore: Date.UTC(2030, 0),
    notAfter: Date.UTC(2031, 0),
    purpose: 'server',
    ocspUris: ['http://o/'],
    crlUris: ['http://c/'],
  })

  it('says what the certificate says', () => {
    const description = describeCertificate(created)
    expect(description).toMatchObject({
      version: 3,
      serial: '0abc',
      subject: { countryName: 'DE', commonName: 'a.example', organizationalUnitName: ['x', 'y'] },
      issuer: { commonName: 'Root', organizationName: 'Tests' },
      notBefore: new Date(Date.UTC(2030, 0)),
      notAfter: new Date(Date.UTC(2031, 0)),
      signatureAlgorithm: 'ecdsa-with-SHA256',
      subjectAltNames: [
        ['DNS', 'a.example'],
        ['IP', '::1'],
      ],
      keyUsage: ['digitalSignature', 'keyEncipherment'],
      extendedKeyUsage: ['serverAuth'],
      ocspUris: ['http://o/'],
      crlUris: ['http://c/'],
      fingerprint: created.certificate.fingerprint256,
      problems: [],
    })
    expect(description.extensions.map(({ name, critical }) => `${name}${critical ? '!' : ''}`)).toEqual([
      'subjectKeyIdentifier',
      'authorityKeyIdentifier',
      'subjectAltName',
      'basicConstraints!',
      'keyUsage!',
      'nsCertType',
      'extendedKeyUsage',
      'authorityInfoAccess',
      'crlDistributionPoints',
    ])
    expect(Object.keys(description.subject)).toEqual(['countryName', 'commonName', 'organizationalUnitName'])
  })

  it('digests as asked', () => {
    expect(describeCertificate(created, { algorithm: 'sha1' })).toMatchObject({
      digests: { algorithm: 'sha1' },
      fingerprint: created.certificate.fingerprint,
    })
    expect(codeOf(() => describeCertificate(created, { algorithm: 'md5' as never }))).toBe(
      'ERR_INVALID_ARG_VALUE algorithm',
    )
    expect(codeOf(() => describeCertificate(created, { digest: 'sha1' } as never))).toBe('ERR_INVALID_ARG_VALUE digest')
  })

  it('can be printed as JSON', () => {
    const { extensions, notBefore } = JSON.parse(JSON.stringify(describeCertificate(created)))
    expect(notBefore).toBe('2030-01-01T00:00:00.000Z')
    expect(extensions[3]).toEqual({
      oid: '2.5.29.19',
      name: 'basicConstraints',
      critical: true,
      raw: '3000',
      text: 'CA:FALSE',
    })
  })

  it('lists what it cannot read, and leaves it empty', () => {
    const broken = ['2.5.29.17', '2.5.29.15', '2.5.29.37', '2.5.29.31', '1.3.6.1.5.5.7.1.1'].map((id) => ({
      oid: id,
      raw: Buffer.of(0x30, 1),
    }))
    const description = describeCertificate(createCertificate({ privateKey, extensions: broken }))
    expect(description).toMatchObject({
      subjectAltNames: [],
      keyUsage: [],
      extendedKeyUsage: [],
      crlUris: [],
      ocspUris: [],
    })
    expect(description.problems).toEqual(['subjectAltNames', 'keyUsage', 'extendedKeyUsage', 'crlUris', 'ocspUris'])
    expect(description.extensions.find(({ name }) => name === 'keyUsage')?.text).toBe('30:01')
  })

  it('lists a broken name', () => {
    const name = sequence(octetString(Buffer.of(1)))
    expect(describeCertificate(createCertificate({ privateKey, subject: name }))).toMatchObject({
      subject: {},
      issuer: {},
      problems: ['subject', 'issuer'],
    })
  })

  it('shows what is no text as hex, and passes over empty RDNs', () => {
    const attribute = (value: Uint8Array): Uint8Array => sequence(oid('2.5.4.3'), value)
    const set = (...parts: Uint8Array[]): Uint8Array =>
      Buffer.concat([
        Buffer.of(
          0x31,
          parts.reduce((sum, { length }) => sum + length, 0),
        ),
        ...parts,
      ])
    const name = sequence(
      set(attribute(integer(5))),
      set(),
      set(attribute(utf8String('a'))),
      set(attribute(Buffer.from('0c02c328', 'hex'))),
      set(attribute(Buffer.from('1301e4', 'hex'))),
      set(attribute(Buffer.from('1e0400e420ac', 'hex'))),
    )
    expect(describeCertificate(createCertificate({ privateKey, subject: name })).subject).toEqual({
      commonName: ['#020105', 'a', '#0c02c328', 'ä', 'ä€'],
    })
  })

  it.each([
    ['DER cut off', created.raw.subarray(0, -1)],
    ['another structure', Buffer.from('3003020101', 'hex')],
  ])('refuses %s', (_, input) => {
    expect(codeOf(() => describeCertificate(input))).toBe('ERR_CERT_INVALID')
  })
})

/** Everything but what must differ: serial number, keys, signature. */
function lasting(description: CertificateDescription): object {
  const {
    serial: _,
    digests: __,
    fingerprint: ___,
    signatureAlgorithm: ____,
    issuer: _____,
    extensions,
    ...rest
  } = description
  const keyed = new Set(['2.5.29.14', '2.5.29.35'])
  return {
    ...rest,
    subject: Object.entries(description.subject),
    extensions: extensions.map(({ oid: id, critical, text, raw }) => ({
      id,
      critical,
      ...(keyed.has(id) ? {} : { text, raw: Buffer.from(raw).toString('hex') }),
    })),
  }
}

const text = fc.string({ minLength: 1, maxLength: 20 }).filter((value) => !value.includes('\0'))
const label = fc.stringMatching(/^[a-z0-9*_-]{1,20}$/)
const generalName = fc.oneof(
  fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => ['DNS', labels.join('.')] as const),
  fc.ipV4().map((value) => ['IP', value] as const),
  fc
    .ipV6()
    .filter((value) => !value.includes('.'))
    .map((value) => ['IP', value] as const),
  fc.webUrl().map((value) => ['URI', value] as const),
  fc.emailAddress().map((value) => ['EMAIL', value] as const),
  fc.constantFrom(['RID', '1.2.3'] as const, ['DIRNAME', { commonName: 'x', organizationName: ['a', 'b'] }] as const),
)
const usage = fc.subarray([
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'keyAgreement',
  'cRLSign',
  'decipherOnly',
])
const options: fc.Arbitrary<CertificateOptions> = fc.record(
  {
    subject: fc.dictionary(
      fc.constantFrom('commonName', 'organizationName', 'localityName', 'emailAddress', 'countryName', '1.2.3.4'),
      fc.oneof(text, fc.array(text, { minLength: 2, maxLength: 3 })),
    ),
    subjectAltNames: fc.array(generalName, { maxLength: 6 }),
    notBefore: fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }),
    notAfter: fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }),
    purpose: fc.subarray(['server', 'client', 'email', 'timeStamping', '-keyEncipherment', 'CA', 'sslCA']),
    keyUsage: usage,
    extendedKeyUsage: fc.subarray(['serverAuth', 'OCSPSigning', '1.2.3.4']),
    ocspUris: fc.array(fc.webUrl(), { maxLength: 2 }),
    crlUris: fc.array(fc.webUrl(), { maxLength: 2 }),
    mustStaple: fc.boolean(),
    omit: fc.subarray(['subjectKeyIdentifier', 'authorityKeyIdentifier', 'basicConstraints', 'nsCertType']),
    extensions: fc.array(
      fc.record({
        oid: fc.constantFrom('1.2.3.4', '2.5.29.17', '2.5.29.15', '2.5.29.32'),
        critical: fc.boolean(),
        raw: fc.uint8Array({ maxLength: 12 }),
      }),
      { maxLength: 2 },
    ),
    issuer: fc.constant(issuer),
  },
  { requiredKeys: [] },
)

describe('describe -> create -> describe', () => {
  it('comes out equal but for serial number, keys and signature', () => {
    const other = generateKeySync('ec')
    fc.assert(
      fc.property(options, (chosen) => {
        const first = describeCertificate(createCertificate({ privateKey, ...chosen }))
        const second = describeCertificate(createCertificate({ ...first, privateKey: other }))
        expect(lasting(second)).toEqual(lasting(first))
        const third = describeCertificate(createCertificate({ ...first, privateKey: other, issuer }))
        expect(lasting(third)).toEqual(lasting(first))
        expect(third.issuer).toEqual(describeCertificate(issuer).subject)
      }),
      { numRuns: 200 },
    )
  })

  const first = describeCertificate(
    createCertificate({
      privateKey,
      subject: {},
      subjectAltNames: [['DNS', 'a']],
      purpose: 'server',
      crlUris: ['http://c/'],
    }),
  )
  const again = (change: CertificateOptions): CertificateDescription =>
    describeCertificate(createCertificate({ ...first, privateKey, ...change }))

  it('has new key identifiers', () => {
    const other = createCertificate({ ...first, privateKey: 'ec' })
    const ski = (description: CertificateDescription): string | undefined =>
      description.extensions.find(({ name }) => name === 'subjectKeyIdentifier')?.text
    expect(ski(describeCertificate(other))).not.toBe(ski(first))
    expect(ski(again({}))).toBe(ski(first))
  })

  it.each<[CertificateOptions, Partial<CertificateDescription>]>([
    [{ subjectAltNames: [['DNS', 'b']] }, { subjectAltNames: [['DNS', 'b']] }],
    [{ subjectAltNames: [] }, { subjectAltNames: [] }],
    [{ keyUsage: ['keyAgreement'] }, { keyUsage: ['keyAgreement'], extendedKeyUsage: ['serverAuth'] }],
    [
      { extendedKeyUsage: ['clientAuth'] },
      { keyUsage: ['digitalSignature', 'keyEncipherment'], extendedKeyUsage: ['clientAuth'] },
    ],
    [{ purpose: 'client' }, { extendedKeyUsage: ['clientAuth'] }],
    [{ ca: true }, { keyUsage: ['digitalSignature', 'keyCertSign'], extendedKeyUsage: [] }],
    [{ crlUris: ['http://d/'] }, { crlUris: ['http://d/'] }],
    [{ ocspUris: ['http://o/'] }, { ocspUris: ['http://o/'], crlUris: ['http://c/'] }],
    [{ notAfter: Date.UTC(2040, 0) }, { notAfter: new Date(Date.UTC(2040, 0)) }],
    [{ serial: 5 }, { serial: '05' }],
  ])('%j beside a description wins', (change, expected) => {
    expect(again(change)).toMatchObject(expected)
  })

  it.each(['-01', '00', `7f${'00'.repeat(25)}`])(
    'makes a new serial number where that of the description is %s',
    (serial) => {
      expect(again({ serial }).serial).toMatch(/^[4-7][0-9a-f]{31}$/)
    },
  )

  it('keeps the order and criticality of extensions that change', () => {
    const names = (description: CertificateDescription): string[] =>
      description.extensions.map(({ name, critical }) => `${name}${critical ? '!' : ''}`)
    expect(names(again({ subjectAltNames: [['DNS', 'b']], keyUsage: ['keyAgreement'] }))).toEqual(names(first))
    expect(names(again({ mustStaple: true, ca: true }))).toContain('tlsfeature')
  })

  it('takes descriptions of the roots that Node trusts', async () => {
    const { rootCertificates } = await import('node:tls')
    for (const pem of rootCertificates) {
      const before = describeCertificate(pem)
      const after = describeCertificate(createCertificate({ ...before, privateKey }))
      expect({ ...lasting(after), version: 0 }).toEqual({ ...lasting(before), version: 0 })
      expect(new X509Certificate(pem).fingerprint256).toBe(before.fingerprint)
    }
  })
})
