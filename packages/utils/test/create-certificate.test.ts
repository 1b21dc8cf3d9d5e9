import { createPublicKey, X509Certificate } from 'node:crypto'
import { CertificateView } from '@x/der/x509'
import { describe, expect, it } from 'vitest'
import {
  type CertificateOptions,
  createAuthority,
  createCertificate,
  describeCertificate,
  encodeName,
  type ExtensionInput,
  generateKeySync,
} from '@x/utils'
import { codeOf } from './support.ts'

const privateKey = generateKeySync('ec')
const ca = createAuthority('Test CA')
const make = (options: CertificateOptions): ReturnType<typeof describeCertificate> =>
  describeCertificate(createCertificate({ privateKey, ...options }))

describe('createCertificate', () => {
  it('needs no option', () => {
    const { certificate, privateKey: key, cert, key: keyPem } = createCertificate()
    expect(certificate.verify(certificate.publicKey)).toBe(true)
    expect(certificate.issuer).toBe(certificate.subject)
    expect(key.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' })
    expect(certificate.checkPrivateKey(key)).toBe(true)
    expect(new X509Certificate(cert).raw).toEqual(certificate.raw)
    expect(keyPem).toContain('BEGIN PRIVATE KEY')
    expect(Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)).toBe(365 * 86_400_000)
    // valid at once, also by a clock that lags behind
    expect(Date.parse(certificate.validFrom)).toBeLessThanOrEqual(Date.now() - 60_000)
  })

  it('is signed by its issuer', () => {
    const { certificate } = createCertificate({ privateKey, subjectAltNames: [['DNS', 'a.example']], issuer: ca })
    expect(certificate.verify(ca.certificate.publicKey)).toBe(true)
    expect(certificate.checkIssued(ca.certificate)).toBe(true)
    expect(certificate.subject).toBe('CN=a.example')
  })

  it('takes a public key where it has an issuer', () => {
    const created = createCertificate({ publicKey: createPublicKey(privateKey), issuer: ca })
    expect(created).not.toHaveProperty('privateKey')
    expect(created.certificate.checkPrivateKey(privateKey)).toBe(true)
    expect(codeOf(() => createCertificate({ publicKey: createPublicKey(privateKey) }))).toBe(
      'ERR_INVALID_ARG_VALUE publicKey',
    )
    expect(codeOf(() => createCertificate({ publicKey: 'x' as never }))).toBe('ERR_INVALID_ARG_VALUE publicKey')
  })

  it('makes serial numbers of 16 octets, positive and never the same', () => {
    const serials = new Set<string>()
    for (let i = 0; i < 64; i++) {
      const octets = new CertificateView(createCertificate({ privateKey }).raw).serialNumber
      expect(octets).toHaveLength(16)
      expect(octets[0]).toBeLessThan(0x80)
      serials.add(Buffer.from(octets).toString('hex'))
    }
    expect(serials.size).toBe(64)
  })

  it.each([
    [1, '01'],
    [255n, 'ff'],
    ['0a:0B', '0a0b'],
    ['10', '10'],
    [Uint8Array.of(0x80, 1), '8001'],
    [2n ** 159n - 1n, `7f${'ff'.repeat(19)}`],
  ])('takes the serial number %s', (serial, hex) => {
    expect(make({ serial }).serial).toBe(hex)
  })

  it.each([0, -1, 0n, 1.5, Number.NaN, '', 'xyz', '-1', 2n ** 159n, new Uint8Array(0), new Uint8Array(21).fill(1)])(
    'refuses the serial number %s',
    (serial) => {
      expect(codeOf(() => createCertificate({ privateKey, serial }))).toBe('ERR_INVALID_ARG_VALUE serial')
    },
  )

  it.each([
    [new Date('2030-01-02T03:04:05.678Z'), '2030-01-02T03:04:05.000Z'],
    [Date.UTC(1950, 0), '1950-01-01T00:00:00.000Z'],
    [Date.UTC(2049, 11, 31, 23, 59, 59), '2049-12-31T23:59:59.000Z'],
    [Date.UTC(2050, 0), '2050-01-01T00:00:00.000Z'],
    [Date.UTC(9999, 11, 31, 23, 59, 59), '9999-12-31T23:59:59.000Z'],
  ])('takes the time %s', (at, expected) => {
    expect(make({ notBefore: at, notAfter: at })).toMatchObject({
      notBefore: new Date(expected),
      notAfter: new Date(expected),
    })
  })

  it.each([
    [new Date(Number.NaN), 'ERR_INVALID_ARG_VALUE'],
    [Number.NaN, 'ERR_INVALID_ARG_VALUE'],
    [Number.POSITIVE_INFINITY, 'ERR_INVALID_ARG_VALUE'],
    [Date.UTC(10_000, 0), 'ERR_INVALID_ARG_VALUE'],
    [9e15, 'ERR_INVALID_ARG_VALUE'],
    ['2030-01-01', 'ERR_INVALID_ARG_TYPE'],
  ])('refuses the time %s', (at, code) => {
    expect(codeOf(() => createCertificate({ privateKey, notBefore: at as never }))).toBe(`${code} notBefore`)
    expect(codeOf(() => createCertificate({ privateKey, notBefore: 0, notAfter: at as never }))).toBe(
      `${code} notAfter`,
    )
  })

  it('takes its clock', () => {
    expect(make({ now: () => 86_400_000 })).toMatchObject({
      notBefore: new Date(86_400_000 - 60_000),
      notAfter: new Date(366 * 86_400_000 - 60_000),
    })
    expect(codeOf(() => createCertificate({ privateKey, now: () => Number.NaN }))).toBe(
      'ERR_INVALID_ARG_VALUE notBefore',
    )
  })

  it.each([
    [
      { commonName: 'a', organizationName: ['b', 'c'] },
      { commonName: 'a', organizationName: ['b', 'c'] },
    ],
    [
      { CN: 'short', C: 'DE', '1.2.3.4': 'x' },
      { commonName: 'short', countryName: 'DE', '1.2.3.4': 'x' },
    ],
    [
      { emailAddress: 'a@b.c', DC: 'example', commonName: 'ä€😀' },
      { emailAddress: 'a@b.c', domainComponent: 'example', commonName: 'ä€😀' },
    ],
    [{ countryName: 'Ü' }, { countryName: 'Ü' }],
    [{}, {}],
    [encodeName({ commonName: 'DER' }, 'subject'), { commonName: 'DER' }],
  ])('takes the subject %j', (subject, expected) => {
    expect(make({ subject }).subject).toEqual(expected)
  })

  it('makes up a subject from the names', () => {
    expect(
      make({
        subjectAltNames: [
          ['EMAIL', 'a@b.c'],
          ['DNS', 'a.example'],
        ],
      }).subject,
    ).toEqual({ commonName: 'a.example' })
    expect(make({ subjectAltNames: [['DNS', `${'a'.repeat(60)}.example`]] }).subject).toEqual({})
    expect(make({}).subject).toEqual({ commonName: 'Test certificate' })
  })

  it('makes the names critical where the subject is empty', () => {
    const critical = (subject: object): boolean | undefined =>
      make({ subject: subject as never, subjectAltNames: [['DNS', 'a']] }).extensions.find(
        ({ name }) => name === 'subjectAltName',
      )?.critical
    expect(critical({})).toBe(true)
    expect(critical({ commonName: 'a' })).toBe(false)
  })

  it('writes every kind of name', () => {
    const names = [
      ['DNS', 'a.example'],
      ['DNS', '*.example'],
      ['DNS', 'xn--mnchen-3ya.example'],
      ['IP', '127.0.0.1'],
      ['IP', '2001:db8::1'],
      ['EMAIL', 'a@b.c'],
      ['URI', 'https://a.example/'],
      ['RID', '1.2.3.4'],
      ['DIRNAME', { commonName: 'x' }],
      ['OTHERNAME', Buffer.from('06032a0304a0030c0161', 'hex')],
    ] as const
    const { subjectAltNames } = make({
      subjectAltNames: names.map(([type, value]) => [
        type,
        value === 'xn--mnchen-3ya.example' ? 'münchen.example' : value,
      ]) as never,
    })
    expect(
      subjectAltNames.map(([type, value]) => [type, value instanceof Uint8Array ? Buffer.from(value) : value]),
    ).toEqual(names.map((one) => [...one]))
  })

  it.each([
    [[['DNS', 'a\0b']], 'ERR_INVALID_ARG_VALUE subjectAltNames'],
    [[['DNS', 'mün\nchen.example']], 'ERR_INVALID_ARG_VALUE subjectAltNames'],
    // what the conversion would turn into another name
    [[['DNS', 'ex\u00adample.org']], 'ERR_INVALID_ARG_VALUE subjectAltNames'],
    [[['DNS', 'a\u200b.example.org']], 'ERR_INVALID_ARG_VALUE subjectAltNames'],
    [[['DNS', '１２７.０.０.１']], 'ERR_INVALID_ARG_VALUE subjectAltNames'],
    [[['DNS', 'example.org。mün.example']], 'ERR_INVALID_ARG_VALUE subjectAltNames'],
    [[['DNS', 'ü%2ecom']], 'ERR_INVALID_ARG_VALUE subjectAltNames'],
    [[['DNS', 'ü.a/b']], 'ERR_INVALID_ARG_VALUE subjectAltNames'],
    [[['DNS', 'a\nb']], 'ERR_INVALID_ARG_VALUE subjectAltNames'],
    [[['EMAIL', 'ä@b.c']], 'ERR_INVALID_ARG_VALUE subjectAltNames'],
    [[['IP', '127.0.0.01']], 'ERR_INVALID_ARG_VALUE subjectAltNames'],
    [[['IP', 'fe80::1%eth0']], 'ERR_INVALID_ARG_VALUE subjectAltNames'],
    [[['IP', '10.0.0.0/8']], 'ERR_INVALID_ARG_VALUE subjectAltNames'],
    [[['HOST', 'a']], 'ERR_INVALID_ARG_VALUE subjectAltNames'],
    [[['DNS']], 'ERR_INVALID_ARG_TYPE subjectAltNames'],
    [[['DNS', 1]], 'ERR_INVALID_ARG_TYPE subjectAltNames'],
    ['a.example', 'ERR_INVALID_ARG_TYPE subjectAltNames'],
  ])('refuses the names %j', (subjectAltNames, code) => {
    expect(
      codeOf(() => createCertificate({ privateKey, subject: {}, subjectAltNames: subjectAltNames as never })),
    ).toBe(code)
  })

  it.each<[object, string]>([
    [{ subjects: {} }, 'ERR_INVALID_ARG_VALUE subjects'],
    [{ version: 2 }, 'ERR_INVALID_ARG_VALUE version'],
    [{ digest: 'md5' }, 'ERR_INVALID_ARG_VALUE digest'],
    [{ padding: 'none' }, 'ERR_INVALID_ARG_VALUE padding'],
    [{ ca: 'yes' }, 'ERR_INVALID_ARG_TYPE ca'],
    [{ pathLength: 0 }, 'ERR_INVALID_ARG_VALUE pathLength'],
    [{ ca: true, pathLength: -1 }, 'ERR_INVALID_ARG_VALUE pathLength'],
    [{ subject: 'CN=a' }, 'ERR_INVALID_ARG_TYPE subject'],
    [{ subject: { hostName: 'a' } }, 'ERR_INVALID_ARG_VALUE subject.hostName'],
    [{ subject: { commonName: 1 } }, 'ERR_INVALID_ARG_TYPE subject.commonName'],
    [{ keyUsage: ['sign'] }, 'ERR_INVALID_ARG_VALUE keyUsage'],
    [{ extendedKeyUsage: ['sign'] }, 'ERR_INVALID_ARG_VALUE extendedKeyUsage'],
    [{ mustStaple: 1 }, 'ERR_INVALID_ARG_TYPE mustStaple'],
    [{ privateKey: 'dsa' }, 'ERR_INVALID_ARG_VALUE type'],
    [{ privateKey: { type: 'rsa', bits: 1 } }, 'ERR_INVALID_ARG_VALUE bits'],
    [{ issuer: 'x' }, 'ERR_INVALID_ARG_TYPE issuer'],
    [{ issuer: { certificate: ca.certificate, privateKey: generateKeySync() } }, 'ERR_CERT_KEY_MISMATCH'],
    [{ issuer: { certificate: 'x', privateKey } }, 'ERR_CERT_NOT_FOUND'],
    [{ issuer: { certificate: { raw: Buffer.from('3003020101', 'hex') }, privateKey } }, 'ERR_CERT_INVALID'],
    [{ extensions: {} }, 'ERR_INVALID_ARG_TYPE extensions'],
    [{ omit: ['nonsense'] }, 'ERR_INVALID_ARG_VALUE omit'],
  ])('refuses %j', (options, code) => {
    expect(codeOf(() => createCertificate({ privateKey, ...options }))).toBe(code)
  })

  it.each(['rsa', 'rsa-pss', 'ec', 'ed25519', 'ed448', { type: 'ec', curve: 'P-384' }] as const)(
    'makes and takes %j keys',
    (kind) => {
      const issuer = createAuthority({ privateKey: kind })
      const { certificate } = createCertificate({ privateKey: kind, issuer })
      expect(certificate.verify(issuer.certificate.publicKey)).toBe(true)
    },
  )

  it('signs with the digest and padding asked for', () => {
    const rsa = generateKeySync('rsa')
    expect(make({ privateKey: rsa, digest: 'sha512' }).signatureAlgorithm).toBe('sha512WithRSAEncryption')
    expect(make({ privateKey: rsa, padding: 'pss' }).signatureAlgorithm).toBe('rsassaPss')
    expect(make({ digest: 'sha384' }).signatureAlgorithm).toBe('ecdsa-with-SHA384')
  })
})

describe('extensions', () => {
  const added = (extensions: readonly ExtensionInput[]): string[] =>
    make({
      extensions,
      omit: [
        'subjectKeyIdentifier',
        'authorityKeyIdentifier',
        'basicConstraints',
        'keyUsage',
        'extendedKeyUsage',
        'nsCertType',
      ],
    }).extensions.map(({ name, oid, critical, text }) => `${name ?? oid}${critical ? '!' : ''}: ${text}`)

  it.each<[ExtensionInput, string]>([
    [{ name: 'issuerAltName', value: [['DNS', 'a']] }, 'issuerAltName: DNS:a'],
    [{ name: 'nsComment', value: 'hello' }, 'nsComment: hello'],
    [
      { name: 'authorityInfoAccess', value: { ocsp: ['http://o/'], caIssuers: ['http://c/'] } },
      'authorityInfoAccess: OCSP - URI:http://o/, CA Issuers - URI:http://c/',
    ],
    [
      { name: 'crlDistributionPoints', value: ['http://a/', 'http://b/'] },
      'crlDistributionPoints: URI:http://a/, URI:http://b/',
    ],
    [{ name: 'freshestCRL', value: ['http://a/'] }, 'freshestCRL: URI:http://a/'],
    [{ name: 'certificatePolicies', value: ['2.23.140.1.2.1', '1.2.3'] }, 'certificatePolicies: 2.23.140.1.2.1, 1.2.3'],
    [
      {
        name: 'nameConstraints',
        critical: true,
        value: {
          permitted: [
            ['DNS', 'example'],
            ['IP', '10.0.0.0/8'],
          ],
          excluded: [
            ['IP', '2001:db8::/32'],
            ['EMAIL', 'a@b'],
          ],
        },
      },
      'nameConstraints!: permitted DNS:example, IP:10.0.0.0/255.0.0.0; excluded IP:2001:db8::/ffff:ffff::, EMAIL:a@b',
    ],
    [{ name: 'tlsfeature', value: [5, 17] }, 'tlsfeature: status_request, 17'],
    [{ name: 'noCheck', value: null }, 'noCheck: '],
    [{ oid: '1.2.3.4', raw: Buffer.from('0500', 'hex') }, '1.2.3.4: 05:00'],
    [{ oid: '1.2.3.4', critical: true, raw: new Uint8Array(0) }, '1.2.3.4!: '],
  ])('%j', (extension, text) => {
    expect(added([extension])).toEqual([text])
  })

  it.each<[ExtensionInput, string]>([
    [{ name: 'basicConstraints', critical: true, value: { ca: true, pathLength: 3 } }, 'CA:TRUE, pathlen:3'],
    [{ name: 'keyUsage', value: ['decipherOnly', 'crlsign'] }, 'cRLSign, decipherOnly'],
    [{ name: 'extendedKeyUsage', value: ['serverAuth', '1.2.3'] }, 'TLS Web Server Authentication, 1.2.3'],
    [{ name: 'X509v3 Key Usage', raw: Buffer.from('03020780', 'hex') }, 'digitalSignature'],
    [{ name: 'subjectKeyIdentifier', value: Uint8Array.of(1, 2) }, '01:02'],
    [{ name: 'authorityKeyIdentifier', value: Uint8Array.of(1, 2) }, 'keyid:01:02'],
    [{ oid: '2.5.29.17', raw: Buffer.from('ff', 'hex') }, 'FF'],
  ])('%j replaces what would be set', (extension, text) => {
    const { extensions } = make({ subjectAltNames: [['DNS', 'a']], extensions: [extension] })
    const id = describeCertificate(createCertificate({ privateKey, extensions: [extension] })).extensions.at(-1)?.oid
    expect(extensions.filter(({ oid }) => oid === id).map((one) => one.text)).toEqual([text])
  })

  it('has short options for what is usual', () => {
    const { ocspUris, crlUris, extensions } = make({
      ocspUris: ['http://o/'],
      crlUris: ['http://c/'],
      mustStaple: true,
      keyUsage: ['keyAgreement'],
      extendedKeyUsage: [],
    })
    expect({ ocspUris, crlUris }).toEqual({ ocspUris: ['http://o/'], crlUris: ['http://c/'] })
    expect(extensions.find(({ name }) => name === 'tlsfeature')?.text).toBe('status_request')
    expect(extensions.find(({ name }) => name === 'keyUsage')?.text).toBe('keyAgreement')
    expect(extensions.some(({ name }) => name === 'extendedKeyUsage')).toBe(false)
  })

  it('keeps duplicates that are asked for', () => {
    const san = { oid: '2.5.29.17', raw: Buffer.from('3000', 'hex') }
    expect(make({ extensions: [san, san] }).extensions.filter(({ oid }) => oid === san.oid)).toHaveLength(2)
  })

  it('writes no list of extensions where all are left out', () => {
    const omit = [
      'subjectKeyIdentifier',
      'authorityKeyIdentifier',
      'basicConstraints',
      'keyUsage',
      'extendedKeyUsage',
      'nsCertType',
    ]
    expect(make({ omit }).extensions).toEqual([])
  })

  it.each([
    [null, 'ERR_INVALID_ARG_TYPE extensions[0]'],
    [{ name: 'nonsense', raw: Buffer.of(5, 0) }, 'ERR_INVALID_ARG_VALUE extensions[0].name'],
    [{ raw: Buffer.of(5, 0) }, 'ERR_INVALID_ARG_VALUE extensions[0].name'],
    [{ name: 'keyUsage', raw: 'x' }, 'ERR_INVALID_ARG_TYPE extensions[0].raw'],
    [{ name: 'keyUsage' }, 'ERR_INVALID_ARG_TYPE extensions[0].value'],
    [{ name: 'keyUsage', value: [], raw: Buffer.of(5, 0) }, 'ERR_INVALID_ARG_VALUE extensions[0].value'],
    [{ name: 'keyUsage', value: 'x' }, 'ERR_INVALID_ARG_TYPE extensions[0].value'],
    [{ name: 'qcStatements', value: [] }, 'ERR_INVALID_ARG_VALUE extensions[0]'],
    [{ name: 'certificatePolicies', value: ['x'] }, 'ERR_INVALID_ARG_VALUE extensions[0].value'],
    [{ name: 'nsComment', value: 'ä' }, 'ERR_INVALID_ARG_VALUE extensions[0].value'],
    [
      { name: 'nameConstraints', value: { permitted: [['IP', '10.0.0.0']] } },
      'ERR_INVALID_ARG_VALUE extensions[0].value',
    ],
    [
      { name: 'nameConstraints', value: { permitted: [['IP', '10.0.0.0/33']] } },
      'ERR_INVALID_ARG_VALUE extensions[0].value',
    ],
    [
      { name: 'nameConstraints', value: { permitted: [['IP', '10.0.0.0/ffff::']] } },
      'ERR_INVALID_ARG_VALUE extensions[0].value',
    ],
    [{ name: 'crlDistributionPoints', value: [1] }, 'ERR_INVALID_ARG_TYPE extensions[0].value'],
    [{ name: 'subjectKeyIdentifier', value: 'x' }, 'ERR_INVALID_ARG_TYPE extensions[0].value'],
    [{ name: 'basicConstraints', value: {} }, 'ERR_INVALID_ARG_TYPE extensions[0].value.ca'],
    [{ oid: 'x', raw: Buffer.of(5, 0) }, 'ERR_INVALID_ARG_VALUE extensions[0].oid'],
    [{ oid: '1.2.3', critical: 1, raw: Buffer.of(5, 0) }, 'ERR_INVALID_ARG_TYPE extensions[0].critical'],
    [{ oid: '1.2.3', data: Buffer.of(5, 0) }, 'ERR_INVALID_ARG_VALUE extensions[0].data'],
    [{ name: 'basicConstraints', value: null }, 'ERR_INVALID_ARG_TYPE extensions[0].value'],
  ])('refuses %j', (extension, code) => {
    expect(codeOf(() => createCertificate({ privateKey, extensions: [extension as never] }))).toBe(code)
  })
})
