import { createCipheriv, createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { element, integer, octetString, oid, sequence } from '@x/der'
import { describe, expect, it } from 'vitest'
import {
  createAuthority,
  generateKeySync,
  parseCertificate,
  parseIdentity,
  parsePkcs12,
  parsePrivateKey,
} from '@x/utils'
import { codeOfAsync, fixture } from './support.ts'

const passphrase = 'secret'
const text = (name: string): string => fixture(name).toString('latin1')
const leaf = parseCertificate(fixture('leaf.pem'))
const root = parseCertificate(fixture('root.pem'))
const key = parsePrivateKey(fixture('leaf.key'))

describe('parsePkcs12', () => {
  it.each([
    ['modern.p12', passphrase, 1],
    ['legacy-rc2-3des.p12', passphrase, 1],
    ['empty-passphrase.p12', undefined, 0],
    ['empty-passphrase.p12', '', 0],
    ['no-mac.p12', passphrase, 0],
    ['utf8-passphrase.p12', 'päß wörd', 1],
  ])('reads %s with %j', async (file, secret, others) => {
    const content = await parsePkcs12(fixture(file), { passphrase: secret })
    expect(content.certificate?.raw).toEqual(leaf.raw)
    expect(content.chain.map(({ raw }) => raw)).toEqual(others === 1 ? [root.raw] : [])
    expect(content.privateKey?.equals(key)).toBe(true)
  })

  it('has no certificate of its own where there is no key', async () => {
    const content = await parsePkcs12(fixture('no-key.p12'), { passphrase })
    expect(content).toMatchObject({ certificate: undefined, privateKey: undefined })
    expect(content.chain.map(({ raw }) => raw)).toEqual([root.raw])
  })

  it.each(['modern.p12', 'legacy-rc2-3des.p12', 'no-key.p12', 'utf8-passphrase.p12'])(
    'wants the passphrase of %s',
    async (file) => {
      expect(await codeOfAsync(() => parsePkcs12(fixture(file)))).toBe('ERR_CERT_PASSPHRASE_REQUIRED')
      expect(await codeOfAsync(() => parsePkcs12(fixture(file), { passphrase: 'wrong' }))).toBe(
        'ERR_CERT_PASSPHRASE_WRONG',
      )
      expect(await codeOfAsync(() => parsePkcs12(fixture(file), { passphrase: '' }))).toBe('ERR_CERT_PASSPHRASE_WRONG')
      expect(await codeOfAsync(() => parsePkcs12(fixture(file), { passphrase: async () => 'wrong' }))).toBe(
        'ERR_CERT_PASSPHRASE_WRONG',
      )
      expect(await codeOfAsync(() => parsePkcs12(fixture(file), { passphrase: (() => undefined) as never }))).toBe(
        'ERR_INVALID_ARG_TYPE passphrase',
      )
    },
  )

  it('asks for a passphrase only where it is needed', async () => {
    let asked = 0
    const ask = async (): Promise<string> => {
      asked++
      return passphrase
    }
    await parsePkcs12(fixture('empty-passphrase.p12'), { passphrase: ask })
    expect(asked).toBe(0)
    await parsePkcs12(fixture('modern.p12'), { passphrase: ask })
    expect(asked).toBe(1)
  })

  it('refuses what was changed', async () => {
    const bytes = fixture('modern.p12')
    for (let at = 80; at < bytes.length - 60; at += 97) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] as number) ^ 1
      expect(await codeOfAsync(() => parsePkcs12(changed, { passphrase }))).toMatch(/^ERR_CERT_(PASSPHRASE|PKCS12)_/)
    }
  })

  const deep = Buffer.concat([Buffer.from('3080'.repeat(5000), 'hex'), Buffer.alloc(10_000)])
  it.each([
    ['nothing', Buffer.alloc(0), 'ERR_CERT_PKCS12_INVALID'],
    ['text', Buffer.from('hello'), 'ERR_CERT_PKCS12_INVALID'],
    ['a certificate', leaf.raw, 'ERR_CERT_PKCS12_INVALID'],
    ['a file cut off', fixture('modern.p12').subarray(0, -1), 'ERR_CERT_PKCS12_INVALID'],
    ['a file with bytes behind it', Buffer.concat([fixture('modern.p12'), Buffer.of(0)]), 'ERR_CERT_PKCS12_INVALID'],
    ['deep nesting', deep, 'ERR_CERT_PKCS12_UNSUPPORTED'],
    [
      'a great many parts',
      Buffer.concat([Buffer.from('30830f4240', 'hex'), Buffer.from('0500'.repeat(500_000), 'hex')]),
      'ERR_CERT_PKCS12_UNSUPPORTED',
    ],
    ['a lying length', Buffer.from('3084ffffffff020103', 'hex'), 'ERR_CERT_PKCS12_INVALID'],
    ['10 MB of zeros', Buffer.alloc(1e7), 'ERR_CERT_PKCS12_INVALID'],
    ['too much', Buffer.alloc(17 * 1024 * 1024), 'ERR_CERT_TOO_LARGE'],
  ])('refuses %s', async (_, input, code) => {
    expect(await codeOfAsync(() => parsePkcs12(input, { passphrase }))).toBe(code)
  })

  it('calls other types a misuse', async () => {
    expect(await codeOfAsync(() => parsePkcs12('x' as never))).toBe('ERR_INVALID_ARG_TYPE pkcs12')
  })
})

describe('parseIdentity', () => {
  it.each([
    ['PKCS#12', fixture('modern.p12'), {}],
    ['PEM bytes', Buffer.concat([fixture('root.pem'), fixture('leaf.pem'), fixture('leaf.key')]), {}],
    ['PEM text with an encrypted key', `${text('PBE-SHA1-RC2-40.key')}${text('leaf.pem')}${text('root.pem')}`, {}],
    ['certificates beside a key', `${text('leaf.pem')}${text('root.pem')}`, { privateKey: key }],
    ['PKCS#12 beside a key', fixture('modern.p12'), { privateKey: fixture('traditional.key') }],
  ])('reads %s', async (_, input, options) => {
    const identity = await parseIdentity(input, { passphrase, ...options })
    expect(identity.certificate.raw).toEqual(leaf.raw)
    expect(identity.chain.map(({ raw }) => raw)).toEqual([root.raw])
    expect(identity.privateKey.equals(key)).toBe(true)
  })

  it.each([
    ['PKCS#12 without a key', fixture('no-key.p12'), {}, 'ERR_CERT_KEY_NOT_FOUND'],
    [
      'PKCS#12 with the key of another',
      fixture('modern.p12'),
      { privateKey: generateKeySync() },
      'ERR_CERT_KEY_MISMATCH',
    ],
    ['certificates without a key', fixture('leaf.pem'), {}, 'ERR_CERT_KEY_NOT_FOUND'],
    ['a key without certificates', fixture('leaf.key'), {}, 'ERR_CERT_NOT_FOUND'],
    ['the certificate of another', `${text('root.pem')}${text('leaf.key')}`, {}, 'ERR_CERT_KEY_MISMATCH'],
    ['nonsense', 'hello', {}, 'ERR_CERT_NOT_FOUND'],
    ['other types', 1, {}, 'ERR_INVALID_ARG_TYPE identity'],
    ['unknown options', 'hello', { key }, 'ERR_INVALID_ARG_VALUE key'],
  ])('refuses %s', async (_, input, options, code) => {
    expect(await codeOfAsync(() => parseIdentity(input as never, { passphrase, ...options }))).toBe(code)
  })

  it('puts the chain in order, and what belongs nowhere last', async () => {
    const ca = createAuthority('root')
    const first = ca.issue({ ca: true, subject: { commonName: 'first' } })
    const second = first.issue({ ca: true, subject: { commonName: 'second' } })
    const end = second.issue('example.org')
    const stranger = createAuthority('stranger')
    const input = [stranger, ca, first, end, second].map(({ certificate }) => certificate.toString()).join('') + end.key
    const { chain } = await parseIdentity(input)
    expect(chain.map(({ subject }) => subject)).toEqual(['CN=second', 'CN=first', 'CN=root', 'CN=stranger'])
  })
})

describe('pkijs', () => {
  it('is imported nowhere but on demand', () => {
    const folder = join(import.meta.dirname, '..', 'src')
    for (const file of readdirSync(folder)) {
      const source = readFileSync(join(folder, file), 'utf8')
      const imports = source.split('\n').filter((line) => /from '(pkijs|asn1js)'/.test(line))
      expect(imports.filter((line) => !line.startsWith('import type '))).toEqual([])
      if (file !== 'pkcs12-structure.ts') expect(imports).toEqual([])
    }
  })
})

describe('what a file may cost', () => {
  const DATA = '1.2.840.113549.1.7.1'
  const salt = new Uint8Array(8)

  const certificate = sequence(oid('1.2.840.113549.1.9.22.1'), element(0xa0, octetString(leaf.raw)))
  const bags = sequence(sequence(oid('1.2.840.113549.1.12.10.1.3'), element(0xa0, certificate)))

  /** An encrypted part (RFC 7292 section 5.1), under the empty passphrase; `claimed` are the rounds that it says. */
  function part(claimed?: number): Uint8Array {
    const rounds = 1000
    const [key, iv] = [1, 2].map((id) => {
      // the passphrase is its terminating zero alone
      const input = Buffer.concat([new Uint8Array(64).fill(id), new Uint8Array(128)])
      let a = createHash('sha1').update(input).digest()
      for (let i = 1; i < rounds; i++) a = createHash('sha1').update(a).digest()
      return a
    }) as [Buffer, Buffer]
    const cipher = createCipheriv(
      'des-ede3-cbc',
      Buffer.concat([key.subarray(0, 16), key.subarray(0, 8)]),
      iv.subarray(0, 8),
    )
    const data = Buffer.concat([cipher.update(bags), cipher.final()])
    const parameters = sequence(octetString(salt), integer(claimed ?? rounds))
    const content = sequence(oid(DATA), sequence(oid('1.2.840.113549.1.12.1.4'), parameters), element(0x80, data))
    return sequence(oid('1.2.840.113549.1.7.6'), element(0xa0, sequence(integer(0), content)))
  }

  const file = (...parts: readonly Uint8Array[]): Uint8Array =>
    sequence(integer(3), sequence(oid(DATA), element(0xa0, octetString(sequence(...parts)))))

  it('reads several encrypted parts', async () => {
    expect(await codeOfAsync(() => parsePkcs12(file(part(), part(), part()), { passphrase: () => '' }))).toBe(
      'accepted',
    )
  })

  it('refuses parts that together take more rounds than one may', async () => {
    const input = file(part(), part(2_000_000))
    expect(await codeOfAsync(() => parsePkcs12(input, { passphrase: () => '' }))).toBe('ERR_CERT_PKCS12_UNSUPPORTED')
  }, 60_000)

  it('refuses a MAC that takes more rounds than one may', async () => {
    const kdf = sequence(
      oid('1.2.840.113549.1.5.12'),
      sequence(octetString(salt), integer(12_000_000), integer(32), sequence(oid('1.2.840.113549.2.9'))),
    )
    const algorithm = sequence(oid('1.2.840.113549.1.5.14'), sequence(kdf, sequence(oid('1.2.840.113549.2.9'))))
    const mac = sequence(sequence(algorithm, octetString(new Uint8Array(32))), octetString(salt), integer(1))
    const input = sequence(integer(3), sequence(oid(DATA), element(0xa0, octetString(sequence(part())))), mac)
    expect(await codeOfAsync(() => parsePkcs12(input, { passphrase: 'secret' }))).toBe('ERR_CERT_PKCS12_UNSUPPORTED')
  })
})
