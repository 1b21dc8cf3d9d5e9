import { createHash, X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { certificateToPem, createAuthority, fingerprint, matchesFingerprint, parseFingerprint } from '@x/utils'
import { codeOf } from './support.ts'

const leaf = createAuthority().issue('example.org')
const other = createAuthority().issue('example.org')
const x509 = new X509Certificate(leaf.raw)
const sha256 = x509.fingerprint256.replaceAll(':', '').toLowerCase()
const spki = x509.publicKey.export({ type: 'spki', format: 'der' })
const digest = (bytes: Uint8Array, algorithm = 'sha256'): string => createHash(algorithm).update(bytes).digest('hex')

describe('fingerprint', () => {
  it.each([
    [{}, `sha256$${sha256}`],
    [{ algorithm: 'sha1' }, `sha1$${digest(leaf.raw, 'sha1')}`],
    [{ algorithm: 'sha512', of: 'certificate' }, `sha512$${digest(leaf.raw, 'sha512')}`],
    [{ of: 'spki' }, `sha256$spki$${digest(spki)}`],
    [{ of: 'public-key' }, `sha256$pub$${digest(spki.subarray(-65))}`], // P-256: the uncompressed point
  ] as const)('with %j', (options, expected) => {
    expect(fingerprint(leaf, options)).toBe(expected)
    expect(fingerprint(certificateToPem(leaf), options)).toBe(expected)
    expect(matchesFingerprint(leaf, expected)).toBe(expected)
    expect(matchesFingerprint(other, expected)).toBeUndefined()
  })

  it('gives bytes', () => {
    expect(fingerprint(leaf, { encoding: 'bytes' })).toEqual(Buffer.from(sha256, 'hex'))
  })

  it.each([
    [{ algorithm: 'md5' }, 'algorithm'],
    [{ of: 'key' }, 'of'],
    [{ encoding: 'hex' }, 'encoding'],
    [{ algo: 'sha256' }, 'algo'],
  ])('refuses %j', (options, name) => {
    expect(codeOf(() => fingerprint(leaf, options as never))).toBe(`ERR_INVALID_ARG_VALUE ${name}`)
  })
})

describe('parseFingerprint', () => {
  const hex = 'ab'.repeat(32)
  it.each([
    [`sha256$${hex}`, 'sha256', 'certificate'],
    [`SHA-256$${hex.toUpperCase()}`, 'sha256', 'certificate'],
    [hex, 'sha256', 'certificate'],
    [`${'AB:'.repeat(31)}AB`, 'sha256', 'certificate'],
    [`pub$${hex}`, 'sha256', 'public-key'],
    [`sha256$pub$${hex}`, 'sha256', 'public-key'],
    [`sha256$spki$${hex}`, 'sha256', 'spki'],
    [`spki$${hex}`, 'sha256', 'spki'],
    ['ab'.repeat(20), 'sha1', 'certificate'],
    ['ab'.repeat(48), 'sha384', 'certificate'],
    [`pub$${'ab'.repeat(64)}`, 'sha512', 'public-key'],
    [` ${hex}\n`, 'sha256', 'certificate'],
  ])('reads %j', (text, algorithm, of) => {
    expect(parseFingerprint(text)).toMatchObject({ algorithm, of })
    expect(Buffer.from(parseFingerprint(text).digest).toString('hex')).toMatch(/^(ab)+$/)
  })

  it.each([
    '',
    'sha256$',
    'ab'.repeat(16), // md5
    `md5$${'ab'.repeat(16)}`,
    `sha256$${'ab'.repeat(20)}`,
    `sha1$${hex}`,
    `sha3$${hex}`,
    `${hex}a`,
    `x${hex}`,
    `sha256$public$${hex}`,
    `sha256$pub$${hex}$`,
  ])('refuses %j', (text) => {
    expect(codeOf(() => parseFingerprint(text))).toBe('ERR_CERT_FINGERPRINT_INVALID')
  })

  it('calls other types a misuse', () => {
    expect(codeOf(() => parseFingerprint(1 as never))).toBe('ERR_INVALID_ARG_TYPE fingerprint')
  })
})

describe('matchesFingerprint', () => {
  it('finds the one that matches, as it was given', () => {
    expect(matchesFingerprint(leaf, ['00'.repeat(32), x509.fingerprint256])).toBe(x509.fingerprint256)
  })

  it('matches nothing with an empty list', () => {
    expect(matchesFingerprint(leaf, [])).toBeUndefined()
  })

  it('refuses a broken fingerprint even behind one that matches', () => {
    expect(codeOf(() => matchesFingerprint(leaf, [sha256, 'nonsense']))).toBe('ERR_CERT_FINGERPRINT_INVALID')
    expect(codeOf(() => matchesFingerprint(leaf, [] as never[] & 1))).toBe('accepted')
    expect(codeOf(() => matchesFingerprint(leaf, { length: 0 } as never))).toBe('ERR_INVALID_ARG_TYPE fingerprints')
  })

  it('does not take the digest of one thing for that of another', () => {
    expect(
      matchesFingerprint(leaf, [`pub$${sha256}`, `spki$${sha256}`, digest(spki), `pub$${digest(spki)}`]),
    ).toBeUndefined()
  })
})
