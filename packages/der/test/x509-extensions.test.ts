import { describe, expect, it } from 'vitest'
import {
  bitString,
  boolean,
  contextTag,
  decodeAscii,
  decodeOid,
  type DerErrorCode,
  element,
  integer,
  namedBits,
  nullElement,
  octetString,
  oid,
  printableString,
  sequence,
} from '../src/index.ts'
import {
  AccessMethod,
  GeneralNameTag,
  KeyUsage,
  readAccessUris,
  readAuthorityInfoAccess,
  readAuthorityKeyIdentifier,
  readBasicConstraints,
  readDistributionPoints,
  readDistributionPointUris,
  readExtendedKeyUsage,
  readIssuingDistributionPoint,
  readKeyUsage,
  readName,
  readNameConstraints,
  readSubjectAltName,
  readSubjectKeyIdentifier,
  ReasonFlag,
} from '../src/x509.ts'
import { expectRefused, hex } from './refused.ts'
import { ascii, extensionValues, NAME } from './samples.ts'

const explicit = (number: number, ...content: Uint8Array[]): Uint8Array => element(contextTag(number, true), ...content)
const implicit = (number: number, content: Uint8Array): Uint8Array => element(contextTag(number), content)
const uri = ascii(GeneralNameTag.URI, 'http://a.example')
const latin = ascii(GeneralNameTag.URI, 'http://ä.example')
const dns = ascii(GeneralNameTag.DNS, 'example.org')

function sample(type: string): Uint8Array {
  return extensionValues[type] as Uint8Array
}

describe('what was written is read', () => {
  it('subjectAltName: each choice with its content', () => {
    const names = readSubjectAltName(sample('2.5.29.17'))
    expect(names.map(({ tag }) => tag)).toEqual([
      GeneralNameTag.EMAIL,
      GeneralNameTag.DNS,
      GeneralNameTag.URI,
      GeneralNameTag.IP,
      GeneralNameTag.DIRECTORY,
      GeneralNameTag.OTHER_NAME,
      GeneralNameTag.REGISTERED_ID,
    ])
    const [email, , , ip, directory, , registered] = names as [Name, Name, Name, Name, Name, Name, Name]
    expect(decodeAscii(email.value)).toBe('a@example.org')
    expect(ip.value).toEqual(Uint8Array.of(192, 0, 2, 1))
    expect(readName(directory.value).length).toBe(3)
    expect(decodeOid(registered.value)).toBe('2.999.3')
    expect(readSubjectAltName(sequence())).toEqual([])
  })

  it('basicConstraints', () => {
    expect(readBasicConstraints(sample('2.5.29.19'))).toEqual({ ca: true, pathLength: 3 })
    expect(readBasicConstraints(sequence())).toEqual({ ca: false, pathLength: undefined })
    expect(readBasicConstraints(sequence(boolean(false)))).toEqual({ ca: false, pathLength: undefined })
    expect(readBasicConstraints(sequence(boolean(true), integer(0)))).toEqual({ ca: true, pathLength: 0 })
  })

  it('keyUsage, bit by bit', () => {
    for (const [n, bit] of Object.values(KeyUsage).entries()) {
      expect(bit).toBe(1 << n)
      expect(readKeyUsage(namedBits([n]))).toBe(bit)
    }
    expect(readKeyUsage(sample('2.5.29.15'))).toBe(
      KeyUsage.DIGITAL_SIGNATURE | KeyUsage.KEY_CERT_SIGN | KeyUsage.DECIPHER_ONLY,
    )
    expect(readKeyUsage(bitString(hex('')))).toBe(0)
    expect(readKeyUsage(bitString(hex('8000')))).toBe(KeyUsage.DIGITAL_SIGNATURE)
  })

  it('extKeyUsage', () => {
    expect(readExtendedKeyUsage(sample('2.5.29.37'))).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'])
  })

  it('key identifiers', () => {
    expect(readSubjectKeyIdentifier(sample('2.5.29.14'))).toEqual(new Uint8Array(20).fill(1))
    const { keyIdentifier, issuer, serialNumber } = readAuthorityKeyIdentifier(sample('2.5.29.35'))
    expect(keyIdentifier).toEqual(new Uint8Array(20).fill(2))
    expect(issuer?.[0]?.value).toEqual(NAME)
    expect(serialNumber).toEqual(hex('1234'))
    const nothing = { keyIdentifier: undefined, issuer: undefined, serialNumber: undefined }
    expect(readAuthorityKeyIdentifier(sequence())).toEqual(nothing)
  })

  it('authorityInfoAccess', () => {
    const value = sample('1.3.6.1.5.5.7.1.1')
    expect(readAuthorityInfoAccess(value).map(({ method, location }) => [method, location.tag])).toEqual([
      [AccessMethod.OCSP, GeneralNameTag.URI],
      [AccessMethod.CA_ISSUERS, GeneralNameTag.DIRECTORY],
      [AccessMethod.CA_ISSUERS, GeneralNameTag.URI],
    ])
    expect(readAccessUris(value, AccessMethod.OCSP)).toEqual(['http://ocsp.example'])
    expect(readAccessUris(value, AccessMethod.CA_ISSUERS)).toEqual(['http://ca.example/list'])
    expect(readAccessUris(value, '1.2.3')).toEqual([])
  })

  it('cRLDistributionPoints: full and relative names, reasons, issuer', () => {
    const [first, second] = readDistributionPoints(sample('2.5.29.31'))
    expect(first?.name?.fullName?.map(({ tag }) => tag)).toEqual([GeneralNameTag.URI, GeneralNameTag.DIRECTORY])
    expect(first?.reasons).toBeUndefined()
    expect(first?.crlIssuer).toBeUndefined()
    expect(second?.name?.fullName).toBeUndefined()
    expect(second?.name?.relativeName?.[0]).toMatchObject({ oid: '2.5.4.3', rdn: 0 })
    expect(second?.reasons).toBe(
      ReasonFlag.KEY_COMPROMISE | ReasonFlag.CESSATION_OF_OPERATION | ReasonFlag.CERTIFICATE_HOLD,
    )
    expect(second?.crlIssuer?.[0]?.value).toEqual(NAME)
    expect(readDistributionPointUris(sample('2.5.29.31'))).toEqual(['http://ca.example/list'])
    expect(readDistributionPoints(sequence(sequence()))).toEqual([
      { name: undefined, reasons: undefined, crlIssuer: undefined },
    ])
  })

  it('issuingDistributionPoint', () => {
    expect(readIssuingDistributionPoint(sample('2.5.29.28'))).toMatchObject({
      onlyContainsUserCerts: true,
      onlyContainsCaCerts: false,
      onlySomeReasons: ReasonFlag.KEY_COMPROMISE | ReasonFlag.CESSATION_OF_OPERATION | ReasonFlag.CERTIFICATE_HOLD,
      indirectCrl: true,
      onlyContainsAttributeCerts: false,
    })
    const rest = sequence(implicit(2, hex('ff')), implicit(5, hex('ff')))
    expect(readIssuingDistributionPoint(rest)).toEqual({
      name: undefined,
      onlyContainsUserCerts: false,
      onlyContainsCaCerts: true,
      onlySomeReasons: undefined,
      indirectCrl: false,
      onlyContainsAttributeCerts: true,
    })
  })

  it('reason flags stand at the bits that RFC 5280 gives them', () => {
    for (const [n, flag] of Object.values(ReasonFlag).entries()) expect(flag).toBe(1 << (n + 1))
  })

  it('nameConstraints', () => {
    const { permitted, excluded } = readNameConstraints(sample('2.5.29.30'))
    expect(permitted.map(({ tag }) => tag)).toEqual([GeneralNameTag.DNS, GeneralNameTag.DIRECTORY])
    expect(excluded.map(({ value }) => value.length)).toEqual([32])
    expect(readNameConstraints(sequence())).toEqual({ permitted: [], excluded: [] })
    const minimum = sequence(explicit(1, sequence(dns, implicit(0, hex('00')))))
    expect(readNameConstraints(minimum).excluded.length).toBe(1)
  })
})

type Name = { readonly tag: number; readonly value: Uint8Array }

describe('what is malformed is refused', () => {
  const access = (...fields: Uint8Array[]): Uint8Array => sequence(sequence(...fields))
  const point = (...fields: Uint8Array[]): Uint8Array => sequence(sequence(...fields))
  const cases: readonly [
    title: string,
    read: (value: Uint8Array) => unknown,
    value: Uint8Array,
    code: DerErrorCode,
    offset?: number,
  ][] = [
    ['SAN: a universal tag', readSubjectAltName, sequence(printableString('a')), 'ERR_DER_UNEXPECTED_TAG', 2],
    ['SAN: a constructed dNSName', readSubjectAltName, sequence(element(0xa2, dns)), 'ERR_DER_UNEXPECTED_TAG', 2],
    ['SAN: a primitive directoryName', readSubjectAltName, sequence(element(0x84, NAME)), 'ERR_DER_UNEXPECTED_TAG', 2],
    ['SAN: choice 9', readSubjectAltName, sequence(dns, element(0x89)), 'ERR_DER_UNEXPECTED_TAG', 15],
    ['SAN: an application tag', readSubjectAltName, sequence(element(0x42)), 'ERR_DER_UNEXPECTED_TAG', 2],
    ['SAN: a private tag', readSubjectAltName, sequence(element(0xc2)), 'ERR_DER_UNEXPECTED_TAG', 2],
    ['SAN: no sequence', readSubjectAltName, dns, 'ERR_DER_UNEXPECTED_TAG', 0],
    ['SAN: bytes behind', readSubjectAltName, hex('3000 00'), 'ERR_DER_TRAILING_DATA', 2],
    ['SAN: empty value', readSubjectAltName, hex(''), 'ERR_DER_TRUNCATED', 0],
    [
      'basicConstraints: a negative length',
      readBasicConstraints,
      sequence(boolean(true), integer(-1)),
      'ERR_DER_INVALID_VALUE',
      5,
    ],
    [
      'basicConstraints: an endless length',
      readBasicConstraints,
      sequence(boolean(true), integer(2n ** 60n)),
      'ERR_DER_TOO_LARGE',
      5,
    ],
    ['basicConstraints: a BER boolean', readBasicConstraints, sequence(hex('010101')), 'ERR_DER_INVALID_VALUE', 2],
    [
      'basicConstraints: a field too many',
      readBasicConstraints,
      sequence(boolean(true), integer(0), nullElement()),
      'ERR_DER_TRAILING_DATA',
      8,
    ],
    [
      'basicConstraints: fields in disorder',
      readBasicConstraints,
      sequence(integer(0), boolean(true)),
      'ERR_DER_TRAILING_DATA',
      5,
    ],
    ['keyUsage: bytes behind', readKeyUsage, hex('030107 00'), 'ERR_DER_INVALID_VALUE', 0],
    ['keyUsage: a second element', readKeyUsage, hex('03020780 0500'), 'ERR_DER_TRAILING_DATA', 4],
    ['keyUsage: no bit string', readKeyUsage, hex('0500'), 'ERR_DER_UNEXPECTED_TAG', 0],
    ['keyUsage: four octets', readKeyUsage, bitString(hex('80000001')), 'ERR_DER_TOO_LARGE', 0],
    ['extKeyUsage: nothing', readExtendedKeyUsage, sequence(), 'ERR_DER_TRUNCATED', 2],
    ['extKeyUsage: no identifier', readExtendedKeyUsage, sequence(nullElement()), 'ERR_DER_UNEXPECTED_TAG', 2],
    ['SKI: no octet string', readSubjectKeyIdentifier, sequence(), 'ERR_DER_UNEXPECTED_TAG', 0],
    ['SKI: bytes behind', readSubjectKeyIdentifier, hex('0400 00'), 'ERR_DER_TRAILING_DATA', 2],
    [
      'AKI: an issuer without serial number',
      readAuthorityKeyIdentifier,
      sequence(explicit(1, dns)),
      'ERR_DER_INVALID_VALUE',
      0,
    ],
    [
      'AKI: a serial number without issuer',
      readAuthorityKeyIdentifier,
      sequence(implicit(2, hex('01'))),
      'ERR_DER_INVALID_VALUE',
      0,
    ],
    [
      'AKI: a serial number in a long form',
      readAuthorityKeyIdentifier,
      sequence(explicit(1, dns), implicit(2, hex('0001'))),
      'ERR_DER_INVALID_VALUE',
    ],
    ['AKI: a field too many', readAuthorityKeyIdentifier, sequence(implicit(3, hex(''))), 'ERR_DER_TRAILING_DATA', 2],
    ['AIA: no location', readAuthorityInfoAccess, access(oid(AccessMethod.OCSP)), 'ERR_DER_TRUNCATED'],
    [
      'AIA: a location that is no name',
      readAuthorityInfoAccess,
      access(oid(AccessMethod.OCSP), nullElement()),
      'ERR_DER_UNEXPECTED_TAG',
    ],
    [
      'AIA: a field too many',
      readAuthorityInfoAccess,
      access(oid(AccessMethod.OCSP), uri, uri),
      'ERR_DER_TRAILING_DATA',
    ],
    [
      'AIA: a URI beyond ASCII',
      (value) => readAccessUris(value, AccessMethod.OCSP),
      access(oid(AccessMethod.OCSP), latin),
      'ERR_DER_INVALID_VALUE',
    ],
    [
      'CDP: a name that is neither choice',
      readDistributionPoints,
      point(explicit(0, explicit(2, uri))),
      'ERR_DER_UNEXPECTED_TAG',
      6,
    ],
    [
      'CDP: two names',
      readDistributionPoints,
      point(explicit(0, explicit(0, uri), explicit(0, uri))),
      'ERR_DER_TRAILING_DATA',
    ],
    ['CDP: an empty name', readDistributionPoints, point(explicit(0)), 'ERR_DER_TRUNCATED'],
    ['CDP: an empty relative name', readDistributionPoints, point(explicit(0, explicit(1))), 'ERR_DER_TRUNCATED'],
    ['CDP: reasons that are no bits', readDistributionPoints, point(implicit(1, hex(''))), 'ERR_DER_INVALID_VALUE'],
    ['CDP: a field too many', readDistributionPoints, point(implicit(3, hex(''))), 'ERR_DER_TRAILING_DATA'],
    [
      'CDP: a URI beyond ASCII',
      readDistributionPointUris,
      point(explicit(0, explicit(0, latin))),
      'ERR_DER_INVALID_VALUE',
    ],
    ['IDP: a BER boolean', readIssuingDistributionPoint, sequence(implicit(1, hex('01'))), 'ERR_DER_INVALID_VALUE'],
    [
      'IDP: fields in disorder',
      readIssuingDistributionPoint,
      sequence(implicit(4, hex('ff')), implicit(1, hex('ff'))),
      'ERR_DER_TRAILING_DATA',
    ],
    [
      'name constraints: a minimum',
      readNameConstraints,
      sequence(explicit(0, sequence(dns, implicit(0, hex('01'))))),
      'ERR_DER_INVALID_VALUE',
    ],
    [
      'name constraints: a maximum',
      readNameConstraints,
      sequence(explicit(1, sequence(dns, implicit(1, hex('00'))))),
      'ERR_DER_INVALID_VALUE',
    ],
    [
      'name constraints: a field too many',
      readNameConstraints,
      sequence(explicit(0, sequence(dns, nullElement()))),
      'ERR_DER_TRAILING_DATA',
    ],
    [
      'name constraints: excluded before permitted',
      readNameConstraints,
      sequence(explicit(1), explicit(0)),
      'ERR_DER_TRAILING_DATA',
    ],
    ['name constraints: a list of another kind', readNameConstraints, octetString(hex('')), 'ERR_DER_UNEXPECTED_TAG'],
  ]
  it.each(cases)('%s', (_, read, value, code, offset) => {
    expectRefused(() => read(value), code, offset)
  })
})
