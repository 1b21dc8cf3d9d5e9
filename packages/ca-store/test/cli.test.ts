import nodeFs from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bundleFile } from '../src/bundle-file.ts'
import type { CaStore } from '../src/ca-store.ts'
import { run } from '../src/cli.ts'
import { CaStoreError, loadCaStore } from '../src/index.ts'
import { detect, expired, folder, hashed, pem, root, SERVER_AUTH, thrown, trusted } from './support.ts'

const a = root('A')
const b = root('B')

function runWith(
  store: CaStore | (() => CaStore),
  ...args: readonly string[]
): { status: number; out: string; err: string } {
  let [out, err] = ['', '']
  const status = run(args, {
    store: typeof store === 'function' ? store : () => store,
    out: (text) => void (out += text),
    err: (text) => void (err += text),
  })
  return { status, out, err }
}

const file = '/etc/ssl/cert.pem'
const platform = (content: string, env: Record<string, string> = {}, more: Record<string, string> = {}): CaStore =>
  detect({ files: { [file]: content, ...more }, env })

describe('ca-store', () => {
  it('prints how many, from where, and what was skipped', () => {
    const store = platform(
      a.cert + expired.cert + a.cert,
      { NODE_EXTRA_CA_CERTS: '/x.pem' },
      { '/x.pem': b.cert + a.cert },
    )
    const { status, out, err } = runWith(store)
    expect(status).toBe(0)
    expect(err).toBe('')
    expect(out.split('\n')).toEqual([
      '2 certificates',
      '     1  /etc/ssl/cert.pem (Alpine; OPENSSLDIR of Node)',
      '     1  /x.pem (NODE_EXTRA_CA_CERTS)',
      '3 skipped',
      '     2  that were there already',
      expect.stringMatching(/^ {2}\/etc\/ssl\/cert\.pem #1: expired on .* \(ERR_CA_EXPIRED\)$/),
      '',
    ])
  })

  it('counts a directory as one place, and lists by their name', () => {
    const path = folder(hashed(a.cert, b.cert))
    expect(runWith(loadCaStore({ path })).out).toBe(`2 certificates\n     2  ${path} (path)\n`)
    expect(runWith(loadCaStore({ certificates: a.cert })).out).toBe('1 certificate\n     1  certificates\n')
  })

  it('--pem prints the bundle', () => {
    expect(runWith(platform(a.cert + expired.cert), '--pem')).toEqual({ status: 0, out: a.cert, err: '' })
  })

  it('--json prints all of it for programs', () => {
    const { status, out } = runWith(platform(a.cert + expired.cert), '--json')
    expect(status).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      count: 1,
      file,
      path: null,
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      places: [{ file, count: 1 }],
      certificates: [
        {
          subject: 'CN=A',
          fingerprint256: a.certificate.fingerprint256,
          origin: { source: 'platform', file, index: 0 },
        },
      ],
      errors: [{ code: 'ERR_CA_EXPIRED', file, index: 1 }],
    })
  })

  it('--find prints who issued a certificate', () => {
    const leaf = join(folder({ 'leaf.pem': a.issue('x').cert + b.cert }), 'leaf.pem')
    const found = runWith(platform(b.cert + a.cert), '--find', leaf)
    expect(found.status).toBe(0)
    expect(found.out).toMatch(
      /^CN=A\nsha256 {2}[0-9A-F:]{95}\nuntil .*\nfrom {4}\/etc\/ssl\/cert\.pem \(Alpine; OPENSSLDIR of Node\) #1\n$/,
    )
    expect(JSON.parse(runWith(platform(b.cert + a.cert), '--find', leaf, '--json').out)).toMatchObject({
      subject: 'CN=A',
      origin: { index: 1 },
    })
  })

  it('--find that finds none is status 1', () => {
    const leaf = join(folder({ 'leaf.pem': a.issue('x').cert }), 'leaf.pem')
    expect(runWith(platform(b.cert), '--find', leaf)).toEqual({
      status: 1,
      out: '',
      err: `ca-store: none of the 1 certificates issued ${leaf}\n`,
    })
    expect(runWith(platform(b.cert), '--find', leaf, '--json')).toEqual({ status: 1, out: 'null\n', err: '' })
  })

  it.each([
    ['an unknown option', ['--ca']],
    ['an argument too many', ['x']],
    ['--find without a file', ['--find']],
    ['two questions', ['--pem', '--path']],
    ['--json with --pem', ['--json', '--pem']],
    ['--json with --path', ['--path', '--json']],
  ])('%s is status 2, with the usage', (_, args) => {
    const { status, out, err } = runWith(platform(a.cert), ...args)
    expect([status, out]).toEqual([2, ''])
    expect(err).toContain('Usage: ca-store')
  })

  it('--help prints the usage', () => {
    expect(runWith(platform(a.cert), '--help')).toMatchObject({
      status: 0,
      out: expect.stringContaining('Usage: ca-store'),
      err: '',
    })
  })

  it.each([
    [
      'a store that cannot be had',
      [],
      (): CaStore => detect({ env: { SSL_CERT_FILE: '/nowhere' } }),
      'ERR_CA_ENVIRONMENT',
    ],
    ['a file that cannot be read', ['--find', '/nowhere'], (): CaStore => platform(a.cert), 'ERR_CA_FILE_UNREADABLE'],
    [
      'a file that is no certificate',
      ['--find', join(import.meta.dirname, 'cli.test.ts')],
      (): CaStore => platform(a.cert),
      'ERR_CA_BROKEN_CERTIFICATE',
    ],
  ])('%s is status 2, with the code', (_, args, store, code) => {
    const { status, out, err } = runWith(store, ...args)
    expect([status, out]).toEqual([2, ''])
    expect(err).toMatch(new RegExp(`^ca-store: .*\\(${code}\\)\n$`, 's'))
  })

  it('does not hide what it does not expect', () => {
    const bug = (): never => {
      throw new RangeError('a bug')
    }
    expect(thrown(() => runWith(bug))).toBeInstanceOf(RangeError)
  })
})

describe('--path', () => {
  const home = (): string => folder()

  it('is the bundle itself where that says the same', () => {
    const store = platform(a.cert + expired.cert + a.cert, { NODE_EXTRA_CA_CERTS: '/x.pem' }, { '/x.pem': a.cert })
    expect(runWith(store, '--path').out).toBe(`${file}\n`)
  })

  const leaf = a.issue('x').cert
  it.each([
    [
      'the extra certificates add to it',
      (): CaStore => platform(a.cert, { NODE_EXTRA_CA_CERTS: '/x.pem' }, { '/x.pem': b.cert }),
    ],
    ['it holds one that is no CA', (): CaStore => platform(a.cert + leaf)],
    ['it holds a distrusted one', (): CaStore => platform(a.cert + trusted(b.cert, { reject: [SERVER_AUTH] }))],
    ['it holds a broken one', (): CaStore => platform(a.cert + pem(Uint8Array.of(1)))],
    ['there is none', (): CaStore => loadCaStore({ certificates: a.cert })],
    ['there is a directory', (): CaStore => loadCaStore({ path: folder(hashed(a.cert)) })],
  ])('is a file in the user’s cache where %s', (_, make) => {
    const store = make()
    const where = home()
    const path = bundleFile(store, { env: {}, home: () => where })
    expect(path).toBe(join(where, '.cache', 'x-ca-store', `${store.digest}.pem`))
    expect(nodeFs.readFileSync(path, 'utf8')).toBe(store.toPem())
    if (process.platform !== 'win32') {
      expect(nodeFs.statSync(path).mode & 0o777).toBe(0o600)
      expect(nodeFs.statSync(join(path, '..')).mode & 0o777).toBe(0o700)
    }
    nodeFs.writeFileSync(path, 'tampered')
    expect(bundleFile(store, { env: {}, home: () => where })).toBe(path)
    expect(nodeFs.readFileSync(path, 'utf8')).toBe(store.toPem())
    expect(nodeFs.readdirSync(join(path, '..'))).toHaveLength(1)
  })

  it('follows XDG_CACHE_HOME', () => {
    const where = home()
    expect(bundleFile(loadCaStore({ certificates: a.cert }), { env: { XDG_CACHE_HOME: where } })).toMatch(
      join(where, 'x-ca-store'),
    )
  })

  it.skipIf(process.platform === 'win32').each([
    ['others can write to', (path: string): void => nodeFs.mkdirSync(path, { mode: 0o777 }), undefined],
    [
      'is someone else’s',
      (path: string): void => nodeFs.mkdirSync(path, { mode: 0o700 }),
      (process.getuid?.() ?? 0) + 1,
    ],
    ['is a link', (path: string): void => nodeFs.symlinkSync(folder(), path), undefined],
    ['is a file', (path: string): void => nodeFs.writeFileSync(path, ''), undefined],
  ])('refuses a cache directory that %s', (_, make, uid) => {
    const where = home()
    const path = join(where, 'x-ca-store')
    make(path)
    if (!nodeFs.lstatSync(path).isSymbolicLink() && uid === undefined) nodeFs.chmodSync(path, 0o777)
    const error = thrown(() =>
      bundleFile(loadCaStore({ certificates: a.cert }), {
        env: { XDG_CACHE_HOME: where },
        ...(uid !== undefined && { uid }),
      }),
    )
    expect(error).toMatchObject({ name: 'CaStoreError', code: 'ERR_CA_CACHE_UNWRITABLE' })
  })
})

it('errors name their place', () => {
  expect(new CaStoreError('ERR_CA_EXPIRED', 'expired', { file: '/x', index: 3 }).message).toBe('/x #3: expired')
  expect(new CaStoreError('ERR_CA_EMPTY', 'none').message).toBe('none')
})
