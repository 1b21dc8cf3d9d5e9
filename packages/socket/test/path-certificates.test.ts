import { generateKeyPairSync } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { integer, nullElement, oid, sequence } from '@x/der'
import { writePem } from '@x/utils'
import { describe, expect, it } from 'vitest'
import { DEFAULT_SECURITY_LEVEL } from '../src/verify/path/check-strength.ts'
import {
  altNames,
  authorityKeyId,
  basicConstraints,
  caExtensions,
  type Changes,
  clientAuth,
  codes,
  dns,
  extendedKeyUsage,
  keys,
  keyUsage,
  makeCertificate,
  leafExtensions,
  makeIntermediate,
  makeLeaf,
  makeRoot,
  NOW,
  serverAuth,
  subjectKeyId,
  walk,
} from './path-support.ts'

const rsa1024 = generateKeyPairSync('rsa', { modulusLength: 1024 })
const rsa2048 = generateKeyPairSync('rsa', { modulusLength: 2048 })
const p192 = generateKeyPairSync('ec', { namedCurve: 'P-192' })
const explicit = generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' })
const unknownCritical = { oid: '1.2.3.4', critical: true, value: nullElement() }
const broken = (id: string) => ({ oid: id, value: integer(7) })

interface Case {
  readonly leaf?: Changes
  readonly intermediate?: Changes
  readonly root?: Changes
  readonly options?: Parameters<typeof walk>[2]
  readonly expected: readonly string[]
}

const cases: Readonly<Record<string, Case>> = {
  'nothing wrong': { expected: [] },
  'an expired leaf': { leaf: { notAfter: NOW - 1000 }, expected: ['0 CERT_HAS_EXPIRED'] },
  'the last second of a leaf': { leaf: { notAfter: NOW }, expected: [] },
  'a leaf of tomorrow': { leaf: { notBefore: NOW + 1000 }, expected: ['0 CERT_NOT_YET_VALID'] },
  'an expired root': { root: { notAfter: NOW - 1000 }, expected: ['2 CERT_HAS_EXPIRED'] },
  'an expired intermediate and an expired leaf': {
    leaf: { notAfter: NOW - 1000 },
    intermediate: { notAfter: NOW - 1000 },
    expected: ['1 CERT_HAS_EXPIRED', '0 CERT_HAS_EXPIRED'],
  },
  'no clock': {
    options: { now: Number.NaN },
    expected: [2, 1, 0].flatMap((depth) => [`${depth} CERT_NOT_YET_VALID`, `${depth} CERT_HAS_EXPIRED`]),
  },
  'everything at once': {
    leaf: { notAfter: NOW - 1000, extensions: [...leafExtensions, extendedKeyUsage(clientAuth), unknownCritical] },
    expected: ['0 UNHANDLED_CRITICAL_EXTENSION', '0 INVALID_PURPOSE', '0 CERT_HAS_EXPIRED'],
  },

  'an intermediate without basicConstraints': {
    intermediate: { extensions: [keyUsage(5)] },
    expected: ['1 INVALID_CA', '1 INVALID_PURPOSE'],
  },
  'an intermediate that is no CA': {
    intermediate: { extensions: [basicConstraints(false)] },
    expected: ['1 INVALID_CA', '1 INVALID_PURPOSE'],
  },
  'an intermediate that may not sign certificates': {
    intermediate: { extensions: [basicConstraints(true), keyUsage(6)] },
    expected: ['1 INVALID_CA', '1 KEYUSAGE_NO_CERTSIGN', '1 INVALID_PURPOSE'],
  },
  'a root that may not sign certificates': {
    root: { extensions: [basicConstraints(true), keyUsage(6)] },
    expected: ['2 INVALID_CA', '2 KEYUSAGE_NO_CERTSIGN', '2 INVALID_PURPOSE'],
  },
  'an intermediate of version 1': {
    intermediate: { version: 1, extensions: [] },
    expected: ['1 INVALID_CA', '1 INVALID_PURPOSE'],
  },
  'a root of version 1': { root: { version: 1, extensions: [] }, expected: [] },
  'a root without basicConstraints, for certificates': { root: { extensions: [keyUsage(5)] }, expected: [] },
  'a root without extensions': { root: { extensions: [] }, expected: ['2 INVALID_CA', '2 INVALID_PURPOSE'] },
  'a root that is no CA': {
    root: { extensions: [basicConstraints(false)] },
    expected: ['2 INVALID_CA', '2 INVALID_PURPOSE'],
  },
  'a CA as leaf': { leaf: { extensions: [basicConstraints(true)] }, expected: [] },
  'extensions in version 1': {
    leaf: { version: 1 },
    expected: ['0 EXTENSIONS_REQUIRE_VERSION_3'],
  },

  'a leaf for clients': {
    leaf: { extensions: [extendedKeyUsage(clientAuth)] },
    expected: ['0 INVALID_PURPOSE'],
  },
  'a leaf for clients, asked for as one': {
    leaf: { extensions: [extendedKeyUsage(clientAuth)] },
    options: { purpose: 'client' },
    expected: [],
  },
  'a leaf for clients, asked for anything': {
    leaf: { extensions: [extendedKeyUsage(clientAuth)] },
    options: { purpose: 'any' },
    expected: [],
  },
  'anyExtendedKeyUsage alone': {
    leaf: { extensions: [extendedKeyUsage('2.5.29.37.0')] },
    expected: ['0 INVALID_PURPOSE'],
  },
  'anyExtendedKeyUsage beside serverAuth': {
    leaf: { extensions: [extendedKeyUsage('2.5.29.37.0', serverAuth)] },
    expected: [],
  },
  'an intermediate for clients': {
    intermediate: { extensions: [...caExtensions, extendedKeyUsage(clientAuth)] },
    expected: ['1 INVALID_PURPOSE'],
  },
  'a root for clients': {
    root: { extensions: [...caExtensions, extendedKeyUsage(clientAuth)] },
    expected: ['2 INVALID_PURPOSE'],
  },
  'a leaf whose key may only sign CRLs': { leaf: { extensions: [keyUsage(6)] }, expected: ['0 INVALID_PURPOSE'] },
  'keyEncipherment for a server': { leaf: { extensions: [keyUsage(2)] }, expected: [] },
  'keyEncipherment for a client': {
    leaf: { extensions: [keyUsage(2)] },
    options: { purpose: 'client' },
    expected: ['0 INVALID_PURPOSE'],
  },
  'a Netscape type for clients': {
    leaf: { extensions: [{ oid: '2.16.840.1.113730.1.1', value: keyUsage(0).value }] },
    expected: ['0 INVALID_PURPOSE'],
  },

  'an unknown critical extension in the leaf': {
    leaf: { extensions: [unknownCritical] },
    expected: ['0 UNHANDLED_CRITICAL_EXTENSION'],
  },
  'an unknown critical extension in the root': {
    root: { extensions: [...caExtensions, unknownCritical] },
    expected: ['2 UNHANDLED_CRITICAL_EXTENSION'],
  },
  'an unknown extension': { leaf: { extensions: [{ ...unknownCritical, critical: false }] }, expected: [] },
  'a proxy certificate': {
    leaf: { extensions: [{ oid: '1.3.6.1.5.5.7.1.14', critical: true, value: sequence() }] },
    expected: ['0 PROXY_CERTIFICATES_NOT_ALLOWED'],
  },
  'the same extension twice': {
    leaf: { extensions: [altNames(dns('www.example.org')), altNames(dns('evil.example'))] },
    expected: ['0 INVALID_EXTENSION'],
  },
  'a malformed name list': { leaf: { extensions: [broken('2.5.29.17')] }, expected: ['0 INVALID_EXTENSION'] },
  'a malformed key usage': { leaf: { extensions: [broken('2.5.29.15')] }, expected: ['0 INVALID_EXTENSION'] },
  'a malformed extended key usage': { leaf: { extensions: [broken('2.5.29.37')] }, expected: ['0 INVALID_EXTENSION'] },
  'malformed name constraints of an intermediate': {
    intermediate: { extensions: [...caExtensions, broken('2.5.29.30')] },
    expected: ['1 INVALID_EXTENSION'],
  },

  'a signature of another key': { leaf: { signer: keys.other }, expected: ['0 CERT_SIGNATURE_FAILURE'] },
  'an intermediate that another key has signed': {
    intermediate: { signer: keys.other },
    expected: ['1 CERT_SIGNATURE_FAILURE'],
  },
  'two signature algorithms': {
    leaf: { innerAlgorithm: sequence(oid('1.2.840.10045.4.3.3')) },
    expected: ['0 CERT_SIGNATURE_FAILURE'],
  },

  'RSA of 1024 bits at level 1': { leaf: { key: rsa1024 }, options: { securityLevel: 1 }, expected: [] },
  'RSA of 1024 bits at level 2': {
    leaf: { key: rsa1024 },
    options: { securityLevel: 2 },
    expected: ['0 EE_KEY_TOO_SMALL'],
  },
  'P-192 at level 2': { leaf: { key: p192 }, options: { securityLevel: 2 }, expected: ['0 EE_KEY_TOO_SMALL'] },
  'RSA of 2048 bits at level 3': {
    leaf: { key: rsa2048 },
    options: { securityLevel: 3 },
    expected: ['0 EE_KEY_TOO_SMALL'],
  },
  'an RSA root of 2048 bits at level 3': {
    root: { key: rsa2048 },
    intermediate: { signer: rsa2048 },
    options: { securityLevel: 3 },
    expected: ['2 CA_KEY_TOO_SMALL'],
  },
  'a level that does not exist': {
    options: { securityLevel: 9 },
    expected: [
      '2 CA_KEY_TOO_SMALL',
      '1 CA_KEY_TOO_SMALL',
      '1 CA_MD_TOO_WEAK',
      '0 EE_KEY_TOO_SMALL',
      '0 CA_MD_TOO_WEAK',
    ],
  },
  'an explicit curve': {
    leaf: { key: explicit },
    options: { securityLevel: 0 },
    expected: ['0 EC_KEY_EXPLICIT_PARAMS'],
  },
  'SHA-1 at level 1': { leaf: { digest: 'sha1' }, options: { securityLevel: 1 }, expected: ['0 CA_MD_TOO_WEAK'] },
  'SHA-1 at level 0': { leaf: { digest: 'sha1' }, options: { securityLevel: 0 }, expected: [] },
  'a root over SHA-1': { root: { digest: 'sha1' }, expected: [] },
  'MD5 at level 1': {
    intermediate: { key: rsa2048 },
    leaf: { signer: rsa2048, digest: 'md5' },
    options: { securityLevel: 1 },
    expected: ['0 CA_MD_TOO_WEAK'],
  },
  'the default level refuses SHA-1': { leaf: { digest: 'sha1' }, expected: ['0 CA_MD_TOO_WEAK'] },
}

describe('what speaks against a certificate, at its depth', () => {
  it.each(Object.entries(cases))('%s', (_name, { leaf, intermediate, root, options, expected }) => {
    const chain = [makeLeaf(leaf), makeIntermediate(intermediate)]
    const result = walk(chain, [makeRoot(root)], options)
    expect(codes(result)).toEqual(expected)
    expect(result.path).toHaveLength(3)
  })

  it('a purpose that is none is misuse', () => {
    for (const purpose of ['any2', undefined, '__proto__'])
      expect(() => walk([makeLeaf()], [], { purpose: purpose as 'any' })).toThrow(
        expect.objectContaining({ name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' }),
      )
  })

  it('says what it found', () => {
    const result = walk([makeLeaf({ notAfter: NOW - 1000 }), makeIntermediate()], [makeRoot()])
    expect(result.failures[0]?.message).toBe('certificate has expired: valid until 2026-01-14T23:59:59.000Z')
  })
})

it('the default level is the one at which this Node takes certificates', () => {
  const certificate = makeCertificate({ subject: 'weak', key: rsa1024, extensions: [] })
  const create = (): unknown =>
    createSecureContext({
      cert: writePem('CERTIFICATE', certificate),
      key: rsa1024.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    })
  if (DEFAULT_SECURITY_LEVEL === 1) expect(create).not.toThrow()
  else expect(create).toThrow(/key too small/)
})

describe('key identifiers and keys of issuers', () => {
  it.each([
    [
      'another key identifier',
      { extensions: [...caExtensions, subjectKeyId(1)] },
      { extensions: [...leafExtensions, authorityKeyId(2)] },
      'AKID_SKID_MISMATCH',
    ],
    ['a key of another kind', { key: rsa2048 }, { signer: keys.other }, 'SIGNATURE_ALGORITHM_MISMATCH'],
  ] as const)('%s is no issuer', (_name, intermediate, leaf, code) => {
    const result = walk([makeLeaf(leaf), makeIntermediate(intermediate)], [makeRoot()])
    expect(codes(result)).toEqual([
      '0 UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      '0 UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      `0 ${code}`,
    ])
    expect(result.anchor).toBeUndefined()
  })

  it('accepts the identifier that fits, and none', () => {
    const intermediate = makeIntermediate({ extensions: [...caExtensions, subjectKeyId(1)] })
    for (const extensions of [leafExtensions, [...leafExtensions, authorityKeyId(1)]])
      expect(codes(walk([makeLeaf({ extensions }), intermediate], [makeRoot()]))).toEqual([])
  })
})

describe('path length', () => {
  const second = { subject: 'Second', issuer: 'Intermediate', key: keys.other, signer: keys.intermediate }
  const rollover = { subject: 'Intermediate', issuer: 'Intermediate', key: keys.other, signer: keys.intermediate }
  const limited = makeIntermediate({ extensions: [basicConstraints(true, 0), keyUsage(5)] })

  it('counts the CAs below', () => {
    const leaf = makeLeaf({ issuer: 'Second', signer: keys.other })
    const result = walk([leaf, makeIntermediate(second), limited], [makeRoot()])
    expect(codes(result)).toEqual(['2 PATH_LENGTH_EXCEEDED'])
  })

  it('counts the limit of the root', () => {
    const root = makeRoot({ extensions: [basicConstraints(true, 0), keyUsage(5)] })
    expect(codes(walk([makeLeaf(), makeIntermediate()], [root]))).toEqual(['2 PATH_LENGTH_EXCEEDED'])
    expect(codes(walk([makeLeaf({ issuer: 'Root', signer: keys.root })], [root]))).toEqual([])
  })

  it('does not count the leaf, nor what is self-issued', () => {
    expect(codes(walk([makeLeaf(), limited], [makeRoot()]))).toEqual([])
    const leaf = makeLeaf({ signer: keys.other })
    expect(codes(walk([leaf, makeIntermediate(rollover), limited], [makeRoot()]))).toEqual([])
  })
})

describe('strict', () => {
  const strict = { strict: true }
  const ca = [...caExtensions, subjectKeyId(1), authorityKeyId(9)]
  const end = [...leafExtensions, authorityKeyId(1)]
  const root = makeRoot({ extensions: [...caExtensions, subjectKeyId(9)] })

  it.each([
    ['nothing wrong', ca, end, []],
    ['no authority key identifier', ca, leafExtensions, ['0 MISSING_AUTHORITY_KEY_IDENTIFIER']],
    ['no subject key identifier', [...caExtensions, authorityKeyId(9)], end, ['1 MISSING_SUBJECT_KEY_IDENTIFIER']],
    ['a CA without key usage', [basicConstraints(true), ...ca.slice(2)], end, ['1 CA_CERT_MISSING_KEY_USAGE']],
    [
      'basicConstraints not critical',
      [basicConstraints(true, undefined, false), ...ca.slice(1)],
      end,
      ['1 CA_BCONS_NOT_CRITICAL'],
    ],
    [
      'a path length of no CA',
      ca,
      [...end, basicConstraints(false, 0)],
      ['0 PATHLEN_INVALID_FOR_NON_CA', '0 PATHLEN_WITHOUT_KU_KEY_CERT_SIGN'],
    ],
    [
      'keyCertSign of no CA',
      ca,
      [keyUsage(0, 5), authorityKeyId(1)],
      ['0 KU_KEY_CERT_SIGN_INVALID_FOR_NON_CA', '0 INVALID_CA'],
    ],
    ['no names at all', ca, [altNames(), authorityKeyId(1)], ['0 EMPTY_SUBJECT_ALT_NAME']],
  ] as const)('%s', (_name, intermediate, leaf, expected) => {
    const chain = [makeLeaf({ extensions: leaf }), makeIntermediate({ extensions: intermediate })]
    expect(codes(walk(chain, [root], strict))).toEqual(expected)
    expect(codes(walk(chain, [root]))).toEqual([])
  })
})
