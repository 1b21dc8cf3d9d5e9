import { describe, expect, it } from 'vitest'
import { generateKey, generateKeySync, type KeyKindInput } from '@x/utils'
import { codeOf, codeOfAsync } from './support.ts'

const kinds: [KeyKindInput | undefined, string, object][] = [
  [undefined, 'ec', { namedCurve: 'prime256v1' }],
  ['ec', 'ec', { namedCurve: 'prime256v1' }],
  [{ type: 'ec', curve: 'P-384' }, 'ec', { namedCurve: 'secp384r1' }],
  [{ type: 'ec', curve: 'P-521' }, 'ec', { namedCurve: 'secp521r1' }],
  [{ type: 'ec', curve: 'secp256k1' }, 'ec', { namedCurve: 'secp256k1' }],
  ['ed25519', 'ed25519', {}],
  ['ed448', 'ed448', {}],
  ['rsa', 'rsa', { modulusLength: 2048, publicExponent: 65537n }],
  [{ type: 'rsa', bits: 1024, publicExponent: 3 }, 'rsa', { modulusLength: 1024, publicExponent: 3n }],
  [{ type: 'rsa-pss', bits: 1024 }, 'rsa-pss', { modulusLength: 1024 }],
  [
    { type: 'rsa-pss', bits: 2048, digest: 'sha384' },
    'rsa-pss',
    { hashAlgorithm: 'sha384', mgf1HashAlgorithm: 'sha384', saltLength: 48 },
  ],
]

describe('generateKey', () => {
  it.each(kinds)('makes %j', async (kind, type, details) => {
    for (const key of [generateKeySync(kind), await generateKey(kind)]) {
      expect(key.type).toBe('private')
      expect(key.asymmetricKeyType).toBe(type)
      expect(key.asymmetricKeyDetails).toMatchObject(details)
    }
  })

  it.each([
    ['dsa', 'ERR_INVALID_ARG_VALUE type'],
    [{}, 'ERR_INVALID_ARG_VALUE type'],
    [null, 'ERR_INVALID_ARG_VALUE type'],
    [{ type: 'rsa', size: 4096 }, 'ERR_INVALID_ARG_VALUE size'],
    [{ type: 'ec', bits: 256 }, 'ERR_INVALID_ARG_VALUE bits'],
    [{ type: 'ec', curve: 'P-257' }, 'ERR_CRYPTO_INVALID_CURVE'],
    [{ type: 'rsa', bits: 512 }, 'ERR_INVALID_ARG_VALUE bits'],
    [{ type: 'rsa', bits: 2048.5 }, 'ERR_INVALID_ARG_VALUE bits'],
    [{ type: 'rsa', bits: 1e6 }, 'ERR_INVALID_ARG_VALUE bits'],
    [{ type: 'rsa-pss', digest: 'md5' }, 'ERR_INVALID_ARG_VALUE digest'],
  ])('refuses %j', async (kind, code) => {
    expect(codeOf(() => generateKeySync(kind as never))).toBe(code)
    expect(await codeOfAsync(() => generateKey(kind as never))).toBe(code)
  })
})
