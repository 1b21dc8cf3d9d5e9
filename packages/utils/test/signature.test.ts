import { constants, createPublicKey, sign } from 'node:crypto'
import { element, integer, nullElement, oid, sequence } from '@x/der'
import { describe, expect, it } from 'vitest'
import { generateKeySync, type KeyKindInput, signatureAlgorithm, signDer, verifySignature } from '@x/utils'
import { codeOf } from './support.ts'

const data = Buffer.from('what is signed')
const keys = {
  rsa: generateKeySync('rsa'),
  'rsa-pss': generateKeySync('rsa-pss'),
  'rsa-pss sha512': generateKeySync({ type: 'rsa-pss', digest: 'sha512' }),
  'P-256': generateKeySync('ec'),
  'P-384': generateKeySync({ type: 'ec', curve: 'P-384' }),
  'P-521': generateKeySync({ type: 'ec', curve: 'P-521' }),
  ed25519: generateKeySync('ed25519'),
  ed448: generateKeySync('ed448'),
} as const
type Name = keyof typeof keys

const rows: [Name, string | undefined, 'pkcs1' | 'pss', { family: string; digest: string | undefined }][] = [
  ['rsa', undefined, 'pkcs1', { family: 'rsa', digest: 'sha256' }],
  ['rsa', 'sha384', 'pkcs1', { family: 'rsa', digest: 'sha384' }],
  ['rsa', 'SHA-512', 'pkcs1', { family: 'rsa', digest: 'sha512' }],
  ['rsa', 'sha224', 'pkcs1', { family: 'rsa', digest: 'sha224' }],
  ['rsa', undefined, 'pss', { family: 'rsa-pss', digest: 'sha256' }],
  ['rsa', 'sha512', 'pss', { family: 'rsa-pss', digest: 'sha512' }],
  ['rsa-pss', undefined, 'pkcs1', { family: 'rsa-pss', digest: 'sha256' }],
  ['rsa-pss sha512', undefined, 'pkcs1', { family: 'rsa-pss', digest: 'sha512' }],
  ['P-256', undefined, 'pkcs1', { family: 'ecdsa', digest: 'sha256' }],
  ['P-256', 'sha512', 'pkcs1', { family: 'ecdsa', digest: 'sha512' }],
  ['P-384', undefined, 'pkcs1', { family: 'ecdsa', digest: 'sha384' }],
  ['P-521', undefined, 'pkcs1', { family: 'ecdsa', digest: 'sha512' }],
  ['ed25519', undefined, 'pkcs1', { family: 'eddsa', digest: undefined }],
  ['ed25519', 'sha512', 'pkcs1', { family: 'eddsa', digest: undefined }],
  ['ed448', undefined, 'pkcs1', { family: 'eddsa', digest: undefined }],
]

describe('signDer and verifySignature', () => {
  it.each(rows)('%s with %s and %s', (name, digest, padding, expected) => {
    const key = keys[name]
    const publicKey = createPublicKey(key)
    const { algorithm, signature } = signDer(data, key, digest, padding)
    expect(signatureAlgorithm(key, digest, padding)).toEqual(algorithm)
    expect(verifySignature({ algorithm, data, signature, publicKey })).toEqual({ ...expected, weak: false })
    const spki = publicKey.export({ type: 'spki', format: 'der' })
    expect(verifySignature({ algorithm, data, signature, publicKey: spki }).family).toBe(expected.family)
    const refused = (change: object): string =>
      codeOf(() => verifySignature({ algorithm, data, signature, publicKey, ...change }))
    expect(refused({ data: Buffer.from('what was not') })).toBe('ERR_CERT_SIGNATURE_INVALID')
    expect(refused({ signature: signature.subarray(1) })).toBe('ERR_CERT_SIGNATURE_INVALID')
    expect(refused({ signature: new Uint8Array(0) })).toBe('ERR_CERT_SIGNATURE_INVALID')
    const flipped = Buffer.from(signature)
    flipped[flipped.length - 1] = (flipped.at(-1) as number) ^ 1
    expect(refused({ signature: flipped })).toBe('ERR_CERT_SIGNATURE_INVALID')
    for (const other of Object.values(keys))
      if (other !== key) expect(refused({ publicKey: createPublicKey(other) })).toBe('ERR_CERT_SIGNATURE_INVALID')
  })

  it('refuses weak digests, or tells', () => {
    for (const [key, id, digest] of [
      [keys.rsa, '1.2.840.113549.1.1.5', 'sha1'],
      [keys.rsa, '1.2.840.113549.1.1.4', 'md5'],
      [keys['P-256'], '1.2.840.10045.4.1', 'sha1'],
    ] as const) {
      const algorithm = key === keys.rsa ? sequence(oid(id), nullElement()) : sequence(oid(id))
      const claim = { algorithm, data, signature: sign(digest, data, key), publicKey: createPublicKey(key) }
      expect(codeOf(() => verifySignature(claim))).toBe('ERR_CERT_DIGEST_WEAK')
      expect(verifySignature({ ...claim, weakDigests: 'tell' })).toMatchObject({ digest, weak: true })
      expect(codeOf(() => verifySignature({ ...claim, data: Buffer.of(1), weakDigests: 'tell' }))).toBe(
        'ERR_CERT_SIGNATURE_INVALID',
      )
    }
    expect(
      codeOf(() =>
        verifySignature({ algorithm: data, data, signature: data, publicKey: data, weakDigests: 'allow' as never }),
      ),
    ).toBe('ERR_INVALID_ARG_VALUE weakDigests')
  })

  it('does not take sha1’s PSS defaults for strength', () => {
    const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 20 }
    const signature = sign('sha1', data, { key: keys.rsa, ...pss })
    const claim = {
      algorithm: sequence(oid('1.2.840.113549.1.1.10'), sequence()),
      data,
      signature,
      publicKey: createPublicKey(keys.rsa),
    }
    expect(codeOf(() => verifySignature(claim))).toBe('ERR_CERT_DIGEST_WEAK')
    expect(verifySignature({ ...claim, weakDigests: 'tell' })).toEqual({
      family: 'rsa-pss',
      digest: 'sha1',
      weak: true,
    })
  })

  it('refuses a key that makes other signatures than the algorithm names', () => {
    const key = keys['rsa-pss sha512'] // OpenSSL would verify this: such a key knows its own padding
    const signature = sign('sha512', data, key)
    const algorithm = sequence(oid('1.2.840.113549.1.1.13'), nullElement())
    expect(codeOf(() => verifySignature({ algorithm, data, signature, publicKey: createPublicKey(key) }))).toBe(
      'ERR_CERT_SIGNATURE_INVALID',
    )
  })

  it('refuses PSS signatures with another salt length than named', () => {
    const key = keys.rsa
    const { algorithm } = signDer(data, key, 'sha256', 'pss')
    const signature = sign('sha256', data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 20 })
    expect(codeOf(() => verifySignature({ algorithm, data, signature, publicKey: createPublicKey(key) }))).toBe(
      'ERR_CERT_SIGNATURE_INVALID',
    )
  })

  const sha256 = sequence(oid('2.16.840.1.101.3.4.2.1'), nullElement())
  const sha512 = sequence(oid('2.16.840.1.101.3.4.2.3'), nullElement())
  const pss = (...fields: Uint8Array[]): Uint8Array => sequence(oid('1.2.840.113549.1.1.10'), sequence(...fields))
  it.each([
    ['an algorithm nobody knows', sequence(oid('1.2.3.4'))],
    ['no algorithm at all', Buffer.from('hello')],
    ['parameters where none belong', sequence(oid('1.2.840.10045.4.3.2'), nullElement())],
    ['parameters that are not NULL', sequence(oid('1.2.840.113549.1.1.11'), integer(1))],
    ['parameters behind NULL', sequence(oid('1.2.840.113549.1.1.11'), nullElement(), nullElement())],
    ['PSS without parameters', sequence(oid('1.2.840.113549.1.1.10'))],
    [
      'PSS whose mask has another digest',
      pss(
        element(0xa0, sha256),
        element(0xa1, sequence(oid('1.2.840.113549.1.1.8'), sha512)),
        element(0xa2, integer(32)),
      ),
    ],
    [
      'PSS with another mask function',
      pss(element(0xa0, sha256), element(0xa1, sequence(oid('1.2.3'), sha256)), element(0xa2, integer(32))),
    ],
    [
      'PSS with a negative salt',
      pss(
        element(0xa0, sha256),
        element(0xa1, sequence(oid('1.2.840.113549.1.1.8'), sha256)),
        element(0xa2, integer(-2)),
      ),
    ],
    [
      'PSS with another trailer',
      pss(
        element(0xa0, sha256),
        element(0xa1, sequence(oid('1.2.840.113549.1.1.8'), sha256)),
        element(0xa3, integer(2)),
      ),
    ],
  ])('refuses %s', (_, algorithm) => {
    const { signature } = signDer(data, keys.rsa)
    expect(codeOf(() => verifySignature({ algorithm, data, signature, publicKey: createPublicKey(keys.rsa) }))).toBe(
      'ERR_CERT_ALGORITHM_UNSUPPORTED',
    )
  })

  it('takes RSA without its NULL, as RFC 4055 demands', () => {
    const { signature } = signDer(data, keys.rsa)
    const algorithm = sequence(oid('1.2.840.113549.1.1.11'))
    expect(verifySignature({ algorithm, data, signature, publicKey: createPublicKey(keys.rsa) }).digest).toBe('sha256')
  })

  it('refuses keys that are none', () => {
    const { algorithm, signature } = signDer(data, keys.rsa)
    expect(codeOf(() => verifySignature({ algorithm, data, signature, publicKey: data }))).toBe('ERR_CERT_KEY_INVALID')
    expect(codeOf(() => verifySignature({ algorithm, data, signature, publicKey: 'x' as never }))).toBe(
      'ERR_INVALID_ARG_TYPE publicKey',
    )
  })

  it.each([
    [keys.rsa, 'md5', 'pkcs1', 'ERR_INVALID_ARG_VALUE digest'],
    [keys.rsa, 'whirlpool', 'pkcs1', 'ERR_INVALID_ARG_VALUE digest'],
    [keys.rsa, 'sha1', 'pss', 'ERR_INVALID_ARG_VALUE digest'],
    [keys.rsa, 'sha256', 'oaep', 'ERR_INVALID_ARG_VALUE padding'],
    [
      generateKeySync('ec').export({ format: 'pem', type: 'pkcs8' }),
      undefined,
      'pkcs1',
      'ERR_INVALID_ARG_TYPE privateKey',
    ],
    [createPublicKey(keys.rsa), undefined, 'pkcs1', 'ERR_INVALID_ARG_TYPE privateKey'],
  ])('signDer refuses %#', (key, digest, padding, code) => {
    expect(codeOf(() => signDer(data, key as never, digest, padding as never))).toBe(code)
  })

  it('signs anew each time, by what each call asks', () => {
    const kinds: KeyKindInput[] = ['rsa']
    for (const kind of kinds) {
      const key = generateKeySync(kind)
      expect(signDer(data, key, 'sha256').algorithm).not.toEqual(signDer(data, key, 'sha512').algorithm)
      expect(signDer(data, key, 'sha256').algorithm).not.toEqual(signDer(data, key, 'sha256', 'pss').algorithm)
    }
  })
})
