import { createPrivateKey, createPublicKey, createSecretKey } from 'node:crypto'
import { integer, octetString, oid, sequence } from '@x/der'
import { describe, expect, it } from 'vitest'
import { generateKeySync, parsePrivateKey, privateKeyToPem, writePem } from '@x/utils'
import { codeOf, codeOfAsync, fixture } from './support.ts'

const ec = generateKeySync('ec')
const rsa = generateKeySync({ type: 'rsa', bits: 1024 })
const passphrase = 'secret'
const cipher = 'aes-128-cbc'
const leaf = createPrivateKey(fixture('leaf.key'))

describe('parsePrivateKey', () => {
  it.each([
    ['PKCS#8 PEM', ec.export({ type: 'pkcs8', format: 'pem' })],
    ['PKCS#8 DER', ec.export({ type: 'pkcs8', format: 'der' })],
    ['SEC1 PEM', ec.export({ type: 'sec1', format: 'pem' })],
    [
      'SEC1 PEM as bytes, behind its parameters',
      Buffer.from(
        `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${String(ec.export({ type: 'sec1', format: 'pem' }))}`,
      ),
    ],
    ['SEC1 DER', ec.export({ type: 'sec1', format: 'der' })],
    ['encrypted PKCS#8 PEM', ec.export({ type: 'pkcs8', format: 'pem', cipher, passphrase })],
    ['encrypted PKCS#8 DER', ec.export({ type: 'pkcs8', format: 'der', cipher, passphrase })],
    ['traditionally encrypted PEM', ec.export({ type: 'sec1', format: 'pem', cipher, passphrase })],
    ['a KeyObject', ec],
  ])('takes %s', (_, input) => {
    expect(parsePrivateKey(input, { passphrase }).equals(ec)).toBe(true)
  })

  it.each([
    ['PKCS#1 PEM', rsa.export({ type: 'pkcs1', format: 'pem' })],
    ['PKCS#1 DER', rsa.export({ type: 'pkcs1', format: 'der' })],
    ['encrypted PKCS#1 PEM', rsa.export({ type: 'pkcs1', format: 'pem', cipher: 'aes-256-cbc', passphrase })],
  ])('takes %s of RSA', (_, input) => {
    expect(parsePrivateKey(input, { passphrase }).equals(rsa)).toBe(true)
  })

  it.each([
    'PBE-MD5-DES',
    'PBE-SHA1-DES',
    'PBE-MD5-RC2-64',
    'PBE-SHA1-RC2-64',
    'PBE-SHA1-3DES',
    'PBE-SHA1-2DES',
    'PBE-SHA1-RC2-128',
    'PBE-SHA1-RC2-40',
    'scrypt',
    'traditional',
  ])('opens OpenSSL’s %s, and only by its passphrase', (scheme) => {
    const input = fixture(`${scheme}.key`)
    expect(parsePrivateKey(input, { passphrase }).equals(leaf)).toBe(true)
    expect(codeOf(() => parsePrivateKey(input))).toBe('ERR_CERT_PASSPHRASE_REQUIRED')
    for (let i = 0; i < 5; i++)
      expect(codeOf(() => parsePrivateKey(input, { passphrase: `wrong${i}` }))).toBe('ERR_CERT_PASSPHRASE_WRONG')
  })

  it('asks for the passphrase only where it is needed', async () => {
    let asked = 0
    const ask = (): string => {
      asked++
      return passphrase
    }
    const encrypted = ec.export({ type: 'pkcs8', format: 'pem', cipher, passphrase })
    parsePrivateKey(ec.export({ type: 'pkcs8', format: 'pem' }), { passphrase: ask })
    expect(asked).toBe(0)
    expect(parsePrivateKey(encrypted, { passphrase: ask }).equals(ec)).toBe(true)
    expect(asked).toBe(1)
    const later = parsePrivateKey(encrypted, { passphrase: async () => passphrase })
    expect((await later).equals(ec)).toBe(true)
    expect(await codeOfAsync(async () => parsePrivateKey(encrypted, { passphrase: async () => 'x' }))).toBe(
      'ERR_CERT_PASSPHRASE_WRONG',
    )
    expect(
      await codeOfAsync(async () => parsePrivateKey(encrypted, { passphrase: (async () => undefined) as never })),
    ).toBe('ERR_INVALID_ARG_TYPE passphrase')
    expect(codeOf(() => parsePrivateKey(encrypted, { passphrase: (() => undefined) as never }))).toBe(
      'ERR_INVALID_ARG_TYPE passphrase',
    )
  })

  it.each([
    ['text without a key', 'hello', 'ERR_CERT_KEY_NOT_FOUND'],
    ['a public key', createPublicKey(ec).export({ type: 'spki', format: 'pem' }), 'ERR_CERT_KEY_NOT_FOUND'],
    ['a public key in DER', createPublicKey(ec).export({ type: 'spki', format: 'der' }), 'ERR_CERT_KEY_NOT_FOUND'],
    ['an empty SEQUENCE', Buffer.from('3000', 'hex'), 'ERR_CERT_KEY_INVALID'],
    ['DER cut off', ec.export({ type: 'pkcs8', format: 'der' }).subarray(0, -1), 'ERR_CERT_KEY_INVALID'],
    ['PEM of nonsense', writePem('PRIVATE KEY', Buffer.from('hello')), 'ERR_CERT_KEY_'],
    ['encrypted nonsense', writePem('ENCRYPTED PRIVATE KEY', Buffer.from('hello')), 'ERR_CERT_KEY_INVALID'],
    [
      'a key of a kind OpenSSL does not know',
      writePem('PRIVATE KEY', Buffer.from('300c020100300506032b650a0400', 'hex')),
      'ERR_CERT_KEY_',
    ],
    ['a cipher nobody has', fixture('PBE-SHA1-RC4-128.key'), 'ERR_CERT_KEY_UNSUPPORTED'],
    ['more rounds than anybody writes', fixture('too-many-rounds.key'), 'ERR_CERT_KEY_UNSUPPORTED'],
    ['OpenSSH’s own form', writePem('OPENSSH PRIVATE KEY', Buffer.from('openssh-key-v1\0')), 'ERR_CERT_KEY_'],
    ['too much', Buffer.alloc(64 * 1024 * 1024 + 1), 'ERR_CERT_TOO_LARGE'],
  ])('refuses %s', (_, input, code) => {
    expect(codeOf(() => parsePrivateKey(input, { passphrase }))).toContain(code)
  })

  it.each([createPublicKey(ec), createSecretKey(Buffer.alloc(16))])(
    'refuses KeyObjects that are not private',
    (key) => {
      expect(codeOf(() => parsePrivateKey(key))).toBe('ERR_INVALID_ARG_VALUE privateKey')
    },
  )

  it('calls other types a misuse', () => {
    expect(codeOf(() => parsePrivateKey(1 as never))).toBe('ERR_INVALID_ARG_TYPE privateKey')
  })
})

describe('privateKeyToPem', () => {
  it('writes PKCS#8, encrypted where there is a passphrase', () => {
    expect(parsePrivateKey(privateKeyToPem(ec)).equals(ec)).toBe(true)
    const pem = privateKeyToPem(ec, { passphrase })
    expect(pem).toContain('BEGIN ENCRYPTED PRIVATE KEY')
    expect(parsePrivateKey(pem, { passphrase }).equals(ec)).toBe(true)
  })

  it('does not take an empty passphrase for encryption', () => {
    expect(codeOf(() => privateKeyToPem(ec, { passphrase: '' }))).toBe('ERR_INVALID_ARG_VALUE passphrase')
  })

  it('does not write in clear what a misspelled option would have encrypted', () => {
    expect(codeOf(() => privateKeyToPem(ec, { password: 'secret' } as never))).toBe('ERR_INVALID_ARG_VALUE password')
    expect(codeOf(() => privateKeyToPem(ec, 'secret' as never))).toBe('ERR_INVALID_ARG_TYPE options')
  })
})

describe('encryptions that only OpenSSL knows', () => {
  const salt = octetString(new Uint8Array(8))
  const aes = sequence(oid('2.16.840.1.101.3.4.1.42'), octetString(new Uint8Array(16)))
  const encrypted = (id: string, parameters: Uint8Array): Uint8Array =>
    sequence(sequence(oid(id), parameters), octetString(new Uint8Array(64)))
  const scrypt = (n: number, r: number, p: number): Uint8Array =>
    encrypted(
      '1.2.840.113549.1.5.13',
      sequence(sequence(oid('1.3.6.1.4.1.11591.4.11'), sequence(salt, integer(n), integer(r), integer(p))), aes),
    )

  const pbkdf2 = (rounds: number, cipher: string): Uint8Array =>
    encrypted(
      '1.2.840.113549.1.5.13',
      sequence(
        sequence(oid('1.2.840.113549.1.5.12'), sequence(salt, integer(rounds))),
        sequence(oid(cipher), octetString(new Uint8Array(16))),
      ),
    )

  it.each([
    ['scrypt in parallel', scrypt(16_384, 1, 4096)],
    ['PBKDF2 with a cipher of OpenSSL’s alone', pbkdf2(12_000_000, '1.2.392.200011.61.1.1.1.4')], // Camellia
    ['PKCS#12 with RC4', encrypted('1.2.840.113549.1.12.1.1', sequence(salt, integer(100_000_000)))],
    ['PKCS#12 with RC4 at 40 bits', encrypted('1.2.840.113549.1.12.1.2', sequence(salt, integer(100_000_000)))],
  ])('are not left to it with more rounds than anybody writes: %s', (_, der) => {
    expect(codeOf(() => parsePrivateKey(der, { passphrase }))).toBe('ERR_CERT_KEY_UNSUPPORTED')
    expect(codeOf(() => parsePrivateKey(writePem('ENCRYPTED PRIVATE KEY', der), { passphrase }))).toBe(
      'ERR_CERT_KEY_UNSUPPORTED',
    )
  })

  it('are left to it otherwise', () => {
    expect(codeOf(() => parsePrivateKey(scrypt(16_384, 8, 1), { passphrase }))).toBe('ERR_CERT_PASSPHRASE_WRONG')
  })
})
