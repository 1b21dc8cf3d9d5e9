import { execFileSync } from 'node:child_process'
import nodeFs, { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { oid, sequence, setOf, utf8String } from '@x/der'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type FileSystem, loadCaStore } from '../src/index.ts'
import { MAX_DIRECTORY_NAMES, MAX_FILE_BYTES } from '../src/file-system.ts'
import { MAX_DIRECTORY_BYTES } from '../src/hashed-directory.ts'
import { MAX_CERTIFICATES } from '../src/pem.ts'
import { codes, detect, folder, hashed, pem, root, subjects, thrown } from './support.ts'

const a = root('A')
/** Work that grows faster than its input would run into the test's own time limit. */
const bounded = (act: () => void): void => act()

describe('files', () => {
  it('beyond the limit are refused unread', () => {
    const file = join(folder({ 'ca.pem': a.cert }), 'ca.pem')
    truncateSync(file, 1e12)
    bounded(() => {
      expect(thrown(() => loadCaStore({ file }))).toMatchObject({ code: 'ERR_CA_TOO_LARGE', file })
    })
  })

  it('that grow while they are read are refused at the limit', () => {
    let read = 0
    const fs: FileSystem = {
      ...nodeFs,
      readSync: (_fd: number, buffer: NodeJS.ArrayBufferView) => {
        read += buffer.byteLength
        return Math.min(buffer.byteLength, 65_536)
      },
    }
    const file = join(folder({ 'ca.pem': a.cert }), 'ca.pem')
    expect(thrown(() => loadCaStore({ file, fs }))).toMatchObject({ code: 'ERR_CA_TOO_LARGE' })
    expect(read).toBeGreaterThan(MAX_FILE_BYTES)
  })

  it('of which more is there than their size said are read to the end', () => {
    const fs: FileSystem = {
      ...nodeFs,
      fstatSync: ((fd: number) => Object.assign(nodeFs.fstatSync(fd), { size: 0 })) as typeof nodeFs.fstatSync,
    }
    const file = join(folder({ 'ca.pem': a.cert + root('B').cert }), 'ca.pem')
    expect(subjects(loadCaStore({ file, fs }))).toEqual(['CN=A', 'CN=B'])
  })

  it.skipIf(process.platform === 'win32')('that are no regular files are refused without waiting', () => {
    const path = folder(hashed(a.cert))
    execFileSync('mkfifo', [join(path, 'fifo'), join(path, '01234567.0')])
    expect(thrown(() => loadCaStore({ file: join(path, 'fifo') }))).toMatchObject({
      code: 'ERR_CA_FILE_UNREADABLE',
      message: expect.stringContaining('not a regular file'),
    })
    expect(codes(loadCaStore({ path }))).toEqual(['ERR_CA_FILE_UNREADABLE'])
    expect(thrown(() => loadCaStore({ file: '/dev/zero' }))).toMatchObject({ code: 'ERR_CA_FILE_UNREADABLE' })
  })

  it.skipIf(process.platform === 'win32')('links are followed, in circles they are an error', () => {
    const path = folder({ 'real.pem': a.cert })
    symlinkSync('real.pem', join(path, 'link.pem'))
    symlinkSync('loop.pem', join(path, 'loop.pem'))
    expect(subjects(loadCaStore({ file: join(path, 'link.pem') }))).toEqual(['CN=A'])
    expect(thrown(() => loadCaStore({ file: join(path, 'loop.pem') }))).toMatchObject({ cause: { code: 'ELOOP' } })
  })
})

describe('certificates', () => {
  it('too many in one file are refused', () => {
    const empty = pem(new Uint8Array())
    const certificates = empty.repeat(MAX_CERTIFICATES + 1)
    bounded(() => {
      expect(thrown(() => loadCaStore({ certificates }))).toMatchObject({
        code: 'ERR_CA_EMPTY',
        cause: { code: 'ERR_CA_TOO_LARGE' },
      })
    })
  })

  it.each([
    ['BEGIN lines', '-----BEGIN CERTIFICATE-----\n'],
    ['half BEGIN lines', '-----BEGIN '],
    ['dashes', '-'],
    ['white space in a block', ' '],
    ['padding in a block', '='],
    ['base64 in a block', 'M'],
    ['END lines', '-----END CERTIFICATE-----\n'],
    ['sequences', 'MIAwgDCA'],
  ])('10 MB of %s end soon and with a code', (_, unit) => {
    const text = `-----BEGIN CERTIFICATE-----\n${unit.repeat(10_000_000 / unit.length)}!\n-----END CERTIFICATE-----\n`
    bounded(() => {
      expect(thrown(() => loadCaStore({ certificates: text }))).toMatchObject({ name: 'CaStoreError' })
      expect(loadCaStore({ certificates: [text, a.cert] }).findIssuer(a.cert)).toBeDefined()
    })
  })

  it('10 MB that start as DER do too', () => {
    const bytes = new Uint8Array(10_000_000).fill(0x30)
    bytes.set([0x30, 0x83, 0x98, 0x96, 0x7b])
    bounded(() => {
      expect(thrown(() => loadCaStore({ certificates: bytes }))).toMatchObject({ code: 'ERR_CA_EMPTY' })
    })
  })
})

describe('directories', () => {
  it('without end are refused', () => {
    let seen = 0
    const endless = {
      readSync: () => ({ name: `${(seen++).toString(16).padStart(8, '0')}.0`, isDirectory: () => false }),
      closeSync: () => undefined,
    }
    const fs = { ...nodeFs, opendirSync: () => endless as unknown as nodeFs.Dir }
    expect(thrown(() => loadCaStore({ path: '/endless', fs }))).toMatchObject({
      code: 'ERR_CA_TOO_LARGE',
      file: '/endless',
    })
    expect(seen).toBe(MAX_DIRECTORY_NAMES + 1)
  })

  it('with more in them than one store may hold give what fits', () => {
    const path = folder(hashed(a.cert))
    const hash = Object.keys(hashed(a.cert))[0]?.slice(0, 8)
    const filler = Buffer.alloc(15 * 1024 * 1024, 'x\n')
    for (let i = 1; i <= 5; i++) writeFileSync(join(path, `${hash}.${i}`), filler)
    const store = loadCaStore({ path })
    expect(subjects(store)).toEqual(['CN=A'])
    expect(codes(store)).toEqual([...Array.from({ length: 4 }, () => 'ERR_CA_NOT_PEM'), 'ERR_CA_TOO_LARGE'])
    expect(5 * filler.length).toBeGreaterThan(MAX_DIRECTORY_BYTES)
  })

  it('remember nothing of the names that strangers ask for', () => {
    const store = loadCaStore({ path: folder(hashed(a.cert)) })
    const name = (text: string): Uint8Array => sequence(setOf(sequence(oid('2.5.4.3'), utf8String(text))))
    store.findBySubject(name('A'))
    const set = vi.spyOn(Map.prototype, 'set')
    onTestFinished(() => set.mockRestore())
    for (let i = 0; i < 100; i++) expect(store.findBySubject(name(`stranger ${i}`))).toEqual([])
    expect(set).not.toHaveBeenCalled()
  })

  it('that vanish after they were listed leave an empty store, not a crash', () => {
    const path = folder(hashed(a.cert, root('B').cert))
    const store = loadCaStore({ path })
    nodeFs.rmSync(path, { recursive: true })
    mkdirSync(path)
    expect(store.size).toBe(1) // the one that was read when it was loaded
    expect(codes(store)).toEqual(['ERR_CA_FILE_UNREADABLE'])
  })
})

it('a detected file beyond the limit is passed over and reported', () => {
  const store = detect({
    files: { '/etc/ssl/cert.pem': Buffer.alloc(MAX_FILE_BYTES + 1), '/usr/lib/ssl/cert.pem': a.cert },
  })
  expect(subjects(store)).toEqual(['CN=A'])
  expect(codes(store)).toEqual(['ERR_CA_TOO_LARGE'])
})
