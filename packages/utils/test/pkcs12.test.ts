import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
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
