import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import {
  certificateToPem,
  createAuthority,
  generateKeySync,
  privateKeyToPem,
  readCertificate,
  readCertificates,
  readIdentity,
  readPrivateKey,
  type WritableFileSystem,
  writeCertificates,
  writePrivateKey,
} from '@x/utils'
import { nodeFileSystem } from '../src/atomic-write.ts'
import { codeOfAsync } from './support.ts'

const folder = mkdtempSync(join(tmpdir(), 'x-utils-'))
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string): string => join(folder, name)

const ca = createAuthority()
const intermediate = ca.issue({ ca: true })
const leaf = intermediate.issue('example.org')

describe('writing and reading', () => {
  it('certificates', async () => {
    await writeCertificates(at('chain.pem'), [leaf, intermediate, ca])
    expect(readFileSync(at('chain.pem'), 'utf8')).toBe(certificateToPem([leaf, intermediate, ca]))
    expect(statSync(at('chain.pem')).mode & 0o777).toBe(0o644)
    expect((await readCertificate(at('chain.pem'))).raw).toEqual(Buffer.from(leaf.raw))
    expect(await readCertificates(pathToFileURL(at('chain.pem')))).toHaveLength(3)
  })

  it('keys, readable by their owner only, whatever the file was before', async () => {
    writeFileSync(at('key.pem'), 'old')
    chmodSync(at('key.pem'), 0o644)
    await writePrivateKey(at('key.pem'), leaf.privateKey)
    expect(statSync(at('key.pem')).mode & 0o777).toBe(0o600)
    expect((await readPrivateKey(at('key.pem'))).equals(leaf.privateKey)).toBe(true)
  })

  it('encrypted keys', async () => {
    await writePrivateKey(at('encrypted.pem'), leaf.privateKey, { passphrase: 'secret' })
    expect(readFileSync(at('encrypted.pem'), 'utf8')).toContain('BEGIN ENCRYPTED PRIVATE KEY')
    expect(
      (await readPrivateKey(at('encrypted.pem'), { passphrase: async () => 'secret' })).equals(leaf.privateKey),
    ).toBe(true)
    await expect(readPrivateKey(at('encrypted.pem'), { passphrase: 'wrong' })).rejects.toMatchObject({
      code: 'ERR_CERT_PASSPHRASE_WRONG',
      path: at('encrypted.pem'),
    })
    await expect(readPrivateKey(at('encrypted.pem'))).rejects.toMatchObject({ code: 'ERR_CERT_PASSPHRASE_REQUIRED' })
  })

  it('identities out of one file or two', async () => {
    writeFileSync(at('both.pem'), ca.cert + leaf.key + certificateToPem([intermediate, leaf]))
    for (const identity of [
      await readIdentity(at('both.pem')),
      await readIdentity(at('chain.pem'), { keyFile: at('key.pem') }),
      await readIdentity(at('chain.pem'), { keyFile: at('encrypted.pem'), passphrase: 'secret' }),
    ]) {
      expect(identity.certificate.raw).toEqual(Buffer.from(leaf.raw))
      expect(identity.chain.map(({ raw }) => raw)).toEqual([Buffer.from(intermediate.raw), Buffer.from(ca.raw)])
      expect(identity.privateKey.equals(leaf.privateKey)).toBe(true)
    }
    writeFileSync(at('leaf.der'), leaf.raw)
    expect((await readIdentity(at('leaf.der'), { keyFile: at('key.pem') })).chain).toEqual([])
  })

  it('refuses a key that is another’s', async () => {
    await writePrivateKey(at('other.pem'), generateKeySync())
    await expect(readIdentity(at('chain.pem'), { keyFile: at('other.pem') })).rejects.toMatchObject({
      code: 'ERR_CERT_KEY_MISMATCH',
      path: at('chain.pem'),
    })
  })

  it('passes errors of the file system through', async () => {
    expect(await codeOfAsync(() => readCertificate(at('missing.pem')))).toBe('ENOENT')
    expect(await codeOfAsync(() => readPrivateKey(folder))).toBe('EISDIR')
    expect(await codeOfAsync(() => writePrivateKey(at('missing/key.pem'), leaf.privateKey))).toBe('ENOENT')
  })

  it('names the file in its own', async () => {
    writeFileSync(at('junk.pem'), 'junk')
    await expect(readCertificates(at('junk.pem'))).rejects.toMatchObject({
      code: 'ERR_CERT_NOT_FOUND',
      path: at('junk.pem'),
    })
    await expect(readIdentity(at('chain.pem'))).rejects.toMatchObject({ code: 'ERR_CERT_KEY_NOT_FOUND' })
  })

  it.runIf(existsSync('/dev/zero'))('does not read for ever', async () => {
    expect(await codeOfAsync(() => readCertificate('/dev/zero'))).toBe('ERR_CERT_TOO_LARGE')
  })

  it('refuses misuse', async () => {
    expect(await codeOfAsync(() => readCertificate(''))).toBe('ERR_INVALID_ARG_VALUE path')
    expect(await codeOfAsync(() => readPrivateKey(at('key.pem'), { password: 'x' } as never))).toBe(
      'ERR_INVALID_ARG_VALUE password',
    )
    expect(await codeOfAsync(() => readIdentity(at('key.pem'), { key: 'x' } as never))).toBe(
      'ERR_INVALID_ARG_VALUE key',
    )
    expect(await codeOfAsync(() => writePrivateKey(at('key.pem'), leaf.privateKey, { mode: 0o644 } as never))).toBe(
      'ERR_INVALID_ARG_VALUE mode',
    )
    expect(await codeOfAsync(() => writeCertificates(at('x'), leaf, { mode: 0o644 } as never))).toBe(
      'ERR_INVALID_ARG_VALUE mode',
    )
    expect(await codeOfAsync(() => writePrivateKey(at('key.pem'), leaf.privateKey, { passphrase: '' }))).toBe(
      'ERR_INVALID_ARG_VALUE passphrase',
    )
  })
})

describe('a failed write', () => {
  const failing = (step: 'writeFile' | 'sync' | 'close' | 'rename'): WritableFileSystem => ({
    ...nodeFileSystem,
    async open(path, flags, mode) {
      const file = await nodeFileSystem.open(path, flags, mode)
      const fail = async (): Promise<never> => {
        throw Object.assign(new Error(`no ${step}`), { code: 'ENOSPC' })
      }
      return {
        writeFile: step === 'writeFile' ? fail : (data) => file.writeFile(data),
        sync: step === 'sync' ? fail : () => file.sync(),
        close: async () => {
          await file.close()
          if (step === 'close') await fail()
        },
      }
    },
    rename:
      step === 'rename'
        ? async () => Promise.reject(Object.assign(new Error('no rename'), { code: 'ENOSPC' }))
        : nodeFileSystem.rename,
  })

  it.each(['writeFile', 'sync', 'close', 'rename'] as const)(
    'at %s leaves the old file, and no other',
    async (step) => {
      const path = at(`atomic-${step}.pem`)
      await writePrivateKey(path, leaf.privateKey)
      const before = readdirSync(folder)
      expect(await codeOfAsync(() => writePrivateKey(path, generateKeySync(), { fs: failing(step) }))).toBe('ENOSPC')
      expect(readFileSync(path, 'utf8')).toBe(privateKeyToPem(leaf.privateKey))
      expect(readdirSync(folder)).toEqual(before)
    },
  )

  it('of something that is no key leaves the old file', async () => {
    await writePrivateKey(at('kept.pem'), leaf.privateKey)
    expect(await codeOfAsync(() => writePrivateKey(at('kept.pem'), 'nonsense'))).toBe('ERR_CERT_KEY_NOT_FOUND')
    expect(await codeOfAsync(() => writeCertificates(at('kept.pem'), 'nonsense'))).toBe('ERR_CERT_NOT_FOUND')
    expect(readFileSync(at('kept.pem'), 'utf8')).toBe(leaf.key)
  })
})

describe('a write', () => {
  it('never has the key in a file that others can read', async () => {
    const modes: (number | undefined)[] = []
    const watching: WritableFileSystem = {
      ...nodeFileSystem,
      open: (path, flags, mode) => {
        modes.push(mode)
        expect(flags).toBe('wx')
        return nodeFileSystem.open(path, flags, mode)
      },
    }
    await writePrivateKey(at('watched.pem'), leaf.privateKey, { fs: watching })
    expect(modes).toEqual([0o600])
  })

  it('replaces a link, not what it leads to', async () => {
    writeFileSync(at('target'), 'public')
    symlinkSync(at('target'), at('link.pem'))
    await writePrivateKey(at('link.pem'), leaf.privateKey)
    expect(readFileSync(at('target'), 'utf8')).toBe('public')
    expect(readFileSync(at('link.pem'), 'utf8')).toBe(leaf.key)
  })
})
