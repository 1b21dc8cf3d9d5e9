import nodeFs from 'node:fs'
import { isAbsolute, win32 as windowsPath } from 'node:path'
import { utf8String } from '@x/der'
import { describe, expect, it } from 'vitest'
import { detectCaStore } from '../src/detect.ts'
import type { TlsRoots } from '../src/node-roots.ts'
import { platformSources } from '../src/platforms.ts'
import {
  codes,
  detect,
  expired,
  folder,
  hashed,
  machine,
  name,
  pem,
  root,
  subjects,
  thrown,
  version1,
} from './support.ts'

const a = root('A')
const b = root('B')
const c = root('C')
const bundled = root('Bundled')
const names = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'sunos', 'win32']

/** Hashed names below a directory of any platform. */
function directory(path: string, ...pems: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(hashed(...pems)).map(([file, content]) => [`${path}/${file}`, content]))
}

/** node:tls of a Node that has `getCACertificates`. */
function newTls(lists: { default?: string[]; system?: string[]; extra?: string[] } = {}): TlsRoots {
  const { default: all = [bundled.cert], system = [], extra = [] } = lists
  return { rootCertificates: [bundled.cert], getCACertificates: (type) => ({ default: all, system, extra })[type] }
}

describe('the table of platforms', () => {
  const rows = names.flatMap((platform) => {
    const { rows: before, afterSystemStore } = platformSources(platform)
    return [...before, ...afterSystemStore].map((row) => ({ platform, ...row }))
  })

  it.each(rows)('$platform: $path', ({ platform, kind, path, systems }) => {
    const files = kind === 'file' ? { [path]: a.cert + b.cert } : directory(path, a.cert, b.cert)
    const store = detect({ platform, files })
    expect(subjects(store).sort()).toEqual(['CN=A', 'CN=B'])
    expect(store.errors).toEqual([])
    expect([store.file, store.path]).toEqual(kind === 'file' ? [path, undefined] : [undefined, path])
    const origin = store.origin(a.cert)
    expect(origin).toMatchObject({ source: 'platform', by: systems, index: 0 })
    expect(origin?.file?.startsWith(path)).toBe(true)
  })

  it.each(rows)('$platform: $path cites who says so, and is absolute', ({ platform, path, citation, systems }) => {
    expect(platform === 'win32' ? windowsPath.isAbsolute(path) : isAbsolute(path)).toBe(true)
    expect(citation).toMatch(/\S{4}/)
    expect(systems).toMatch(/\S{4}/)
  })

  it.each(names)('%s: an earlier row wins, and nothing is mixed', (platform) => {
    const { rows: before } = platformSources(platform)
    const files = Object.assign(
      {},
      ...before.map(({ kind, path }) => (kind === 'file' ? { [path]: b.cert } : directory(path, c.cert))),
    )
    const [first] = before
    const store = detect({ platform, files: { ...files, [first?.path ?? '']: a.cert } })
    expect(subjects(store)).toEqual(['CN=A'])
    expect(store.file).toBe(first?.path)
  })

  it.each(names)('%s: without any of them, what Node bundles', (platform) => {
    const store = detect({ platform })
    expect(subjects(store)).toEqual(['CN=Bundled'])
    expect(store.origin(bundled.cert)).toEqual({
      source: 'node',
      by: 'tls.rootCertificates',
      file: undefined,
      index: 0,
    })
    expect([store.file, store.path]).toEqual([undefined, undefined])
    expect(store.errors).toEqual([])
  })
})

describe('a row that is there but unusable is reported and passed over', () => {
  const first = '/etc/ssl/certs/ca-certificates.crt'
  const second = '/etc/pki/tls/certs/ca-bundle.crt'
  it.each([
    ['not PEM', 'a directory listing', ['ERR_CA_NOT_PEM']],
    ['empty', '', ['ERR_CA_NOT_PEM']],
    ['broken', pem(Uint8Array.of(0x30, 0)), ['ERR_CA_EMPTY']],
    ['a leaf', a.issue('leaf.example').cert, ['ERR_CA_EMPTY']],
    ['expired', expired.cert, ['ERR_CA_EMPTY']],
    ['DER, which OpenSSL does not read there', a.raw, ['ERR_CA_NOT_PEM']],
  ])('%s', (_, content, expected) => {
    const store = detect({ files: { [first]: content, [second]: b.cert } })
    expect(subjects(store)).toEqual(['CN=B'])
    expect(store.file).toBe(second)
    expect(codes(store)).toEqual(expected)
    expect(store.errors[0]?.file).toBe(first)
  })

  it('not readable', () => {
    const fs = machine({ [first]: a.cert, [second]: b.cert })
    const denied: typeof fs = {
      ...fs,
      openSync: (path, ...rest) => {
        if (path === first) throw Object.assign(new TypeError('denied'), { code: 'EACCES' })
        return fs.openSync(path, ...rest)
      },
    }
    const store = detectCaStore({ fs: denied, env: {}, platform: 'linux', execArgv: [], tls: newTls() })
    expect(subjects(store)).toEqual(['CN=B'])
    expect(store.errors).toMatchObject([{ code: 'ERR_CA_FILE_UNREADABLE', file: first, cause: { code: 'EACCES' } }])
  })

  it('a directory without hashed names, or with the names of OpenSSL 0.9.8', () => {
    const files = {
      '/etc/ssl/certs/a.pem': a.cert,
      '/etc/pki/tls/certs/01234567.0': a.cert,
      ...directory('/var/lib/ca-certificates/openssl', b.cert),
    }
    const store = detect({ files })
    expect(store.path).toBe('/var/lib/ca-certificates/openssl')
    expect(codes(store)).toEqual(['ERR_CA_PATH_NOT_HASHED', 'ERR_CA_PATH_NOT_HASHED'])
  })
})

describe('detected entries must be current CAs', () => {
  const file = '/etc/ssl/cert.pem'
  const keyCertSign = root('KeyUsage')
  const withoutSign = root('X').issue({ subject: { commonName: 'NoSign' }, ca: true, keyUsage: ['cRLSign'] })
  const v1 = pem(version1(name(utf8String('V1'))))
  const v1Issued = pem(version1(name(utf8String('V1 issued')), name(utf8String('V1'))))
  it.each([
    ['a CA with keyCertSign', keyCertSign.cert, undefined],
    ['a self-issued certificate of version 1', v1, undefined],
    ['an issued certificate of version 1', v1Issued, 'ERR_CA_NOT_A_CA'],
    ['a leaf', a.issue('leaf.example').cert, 'ERR_CA_NOT_A_CA'],
    ['a CA whose key may not sign certificates', withoutSign.cert, 'ERR_CA_NOT_A_CA'],
    ['an expired root', expired.cert, 'ERR_CA_EXPIRED'],
    ['a root again', b.cert, 'ERR_CA_DUPLICATE'],
    ['a broken one', pem(Uint8Array.of(0x30, 0)), 'ERR_CA_BROKEN_CERTIFICATE'],
  ])('%s', (_, certificate, code) => {
    const store = detect({ files: { [file]: b.cert + certificate + a.cert } })
    expect(codes(store)).toEqual(code === undefined ? [] : [code])
    expect(store.size).toBe(code === undefined ? 3 : 2)
    if (code !== undefined) expect(store.errors[0]).toMatchObject({ file, index: 1 })
  })

  it('by the clock that is injected, and never by one that is broken', () => {
    const files = { [file]: expired.cert }
    expect(subjects(detect({ files, now: () => Date.now() - 548 * 86_400_000 }))).toEqual(['CN=Expired'])
    expect(thrown(() => detect({ files, now: () => Number.NaN, tls: newTls({ default: [] }) }))).toMatchObject({
      code: 'ERR_CA_EMPTY',
    })
  })
})

describe('SSL_CERT_FILE and SSL_CERT_DIR', () => {
  const files = {
    '/etc/ssl/cert.pem': c.cert,
    '/my/ca.pem': a.cert,
    ...directory('/my/certs', b.cert),
    '/my/leaf.pem': a.issue('x').cert,
  }

  it('replace the search', () => {
    const store = detect({ files, env: { SSL_CERT_FILE: '/my/ca.pem' } })
    expect(subjects(store)).toEqual(['CN=A'])
    expect([store.file, store.path]).toEqual(['/my/ca.pem', undefined])
    expect(store.origin(a.cert)).toEqual({ source: 'environment', by: 'SSL_CERT_FILE', file: '/my/ca.pem', index: 0 })
    const other = detect({ files, env: { SSL_CERT_DIR: '/nowhere:/my/certs' } })
    expect(subjects(other)).toEqual(['CN=B'])
    expect([other.file, other.path]).toEqual([undefined, '/nowhere:/my/certs'])
    expect(codes(other)).toEqual(['ERR_CA_PATH_UNREADABLE'])
    expect(subjects(detect({ files, env: { SSL_CERT_FILE: '/my/ca.pem', SSL_CERT_DIR: '/my/certs' } }))).toEqual([
      'CN=A',
      'CN=B',
    ])
  })

  it('are separated as the platform does', () => {
    expect(subjects(detect({ files, platform: 'win32', env: { SSL_CERT_DIR: '/nowhere;/my/certs' } }))).toEqual([
      'CN=B',
    ])
    expect(thrown(() => detect({ files, env: { SSL_CERT_DIR: '/nowhere;/my/certs' } }))).toMatchObject({
      code: 'ERR_CA_ENVIRONMENT',
    })
  })

  it.each<[string, Record<string, string>, string]>([
    ['a file that is missing', { SSL_CERT_FILE: '/my/nothing.pem' }, 'ERR_CA_FILE_UNREADABLE'],
    ['a file that is a directory', { SSL_CERT_FILE: '/my' }, 'ERR_CA_FILE_UNREADABLE'],
    ['an empty file name', { SSL_CERT_FILE: '' }, 'ERR_CA_FILE_UNREADABLE'],
    ['a file without a CA', { SSL_CERT_FILE: '/my/leaf.pem' }, 'ERR_CA_EMPTY'],
    ['a directory that is missing', { SSL_CERT_DIR: '/my/nothing' }, 'ERR_CA_PATH_UNREADABLE'],
    ['a directory that is a file', { SSL_CERT_DIR: '/my/ca.pem' }, 'ERR_CA_PATH_UNREADABLE'],
    ['a directory without hashed names', { SSL_CERT_DIR: '/my' }, 'ERR_CA_PATH_NOT_HASHED'],
    ['an empty directory name', { SSL_CERT_DIR: '' }, 'ERR_CA_PATH_UNREADABLE'],
    ['separators alone', { SSL_CERT_DIR: '::' }, 'ERR_CA_PATH_UNREADABLE'],
    [
      'a good file beside a directory that is not',
      { SSL_CERT_FILE: '/my/ca.pem', SSL_CERT_DIR: '/my' },
      'ERR_CA_PATH_NOT_HASHED',
    ],
    [
      'a good directory beside a file that is not',
      { SSL_CERT_FILE: '/x', SSL_CERT_DIR: '/my/certs' },
      'ERR_CA_FILE_UNREADABLE',
    ],
  ])('%s is an error, not a step to the next source', (_, env, code) => {
    const error = thrown(() => detect({ files, env }))
    expect(error).toMatchObject({ name: 'CaStoreError', code: 'ERR_CA_ENVIRONMENT', cause: { code } })
    expect(error).toHaveProperty('message', expect.stringMatching(/SSL_CERT_(FILE|DIR) is set but unusable/))
  })
})

describe('the system’s own store', () => {
  it.each(['darwin', 'win32'])('%s: where Node reads it', (platform) => {
    const store = detect({
      platform,
      tls: newTls({ system: [a.cert, b.cert] }),
      files: { '/etc/ssl/cert.pem': c.cert },
    })
    expect(subjects(store)).toEqual(['CN=A', 'CN=B'])
    expect(store.origin(b.cert)).toEqual({
      source: 'system',
      by: "tls.getCACertificates('system')",
      file: undefined,
      index: 1,
    })
    expect(store.secureContextOptions().ca).toHaveLength(2)
  })

  it('is not asked where it is files', () => {
    expect(subjects(detect({ tls: newTls({ system: [a.cert] }) }))).toEqual(['CN=Bundled'])
  })

  it.each([
    ['empty', []],
    ['without a CA', [a.issue('x').cert]],
  ])('%s, it is passed over', (_, system) => {
    expect(subjects(detect({ platform: 'win32', tls: newTls({ system }) }))).toEqual(['CN=Bundled'])
  })

  it('where Node cannot read it, macOS has a file', () => {
    expect(subjects(detect({ platform: 'darwin', files: { '/etc/ssl/cert.pem': c.cert } }))).toEqual(['CN=C'])
    expect(subjects(detect({ platform: 'win32', files: { '/etc/ssl/cert.pem': c.cert } }))).toEqual(['CN=Bundled'])
  })
})

describe('what Node trusts by itself', () => {
  it('is listed by Node, with where each comes from', () => {
    const tls = newTls({ default: [bundled.cert, a.cert, b.cert], extra: [b.cert] })
    const store = detect({ tls, env: { NODE_EXTRA_CA_CERTS: '/my/extra.pem' } })
    expect(subjects(store)).toEqual(['CN=Bundled', 'CN=A', 'CN=B'])
    expect(store.origin(a.cert)).toMatchObject({ source: 'node', by: "tls.getCACertificates('default')" })
    expect(store.origin(b.cert)).toEqual({
      source: 'extra',
      by: 'NODE_EXTRA_CA_CERTS',
      file: '/my/extra.pem',
      index: 0,
    })
  })

  it('may be nothing, where the program told Node so', () => {
    expect(thrown(() => detect({ tls: newTls({ default: [] }) }))).toMatchObject({ code: 'ERR_CA_EMPTY' })
  })
})

describe('NODE_EXTRA_CA_CERTS', () => {
  const files = { '/etc/ssl/cert.pem': a.cert, '/my/extra.pem': b.cert + a.issue('x').cert }
  const env = { NODE_EXTRA_CA_CERTS: '/my/extra.pem' }

  it.each([
    ['the platform’s', env, ['CN=A', 'CN=B']],
    ['the environment’s', { ...env, SSL_CERT_FILE: '/etc/ssl/cert.pem' }, ['CN=A', 'CN=B']],
  ])('is added to %s', (_, environment, expected) => {
    const store = detect({ files, env: environment })
    expect(subjects(store)).toEqual(expected)
    expect(store.origin(b.cert)).toEqual({
      source: 'extra',
      by: 'NODE_EXTRA_CA_CERTS',
      file: '/my/extra.pem',
      index: 0,
    })
    expect(codes(store)).toEqual(['ERR_CA_NOT_A_CA'])
    expect(store.file).toBe('/etc/ssl/cert.pem')
  })

  it('is what Node took when it started, where Node tells', () => {
    const store = detect({ files, env, tls: newTls({ extra: [c.cert] }) })
    expect(subjects(store)).toEqual(['CN=A', 'CN=C'])
    expect(subjects(detect({ files, env, tls: newTls() }))).toEqual(['CN=A'])
  })

  it('unreadable, it is reported and passed over, as Node does', () => {
    const store = detect({ files, env: { NODE_EXTRA_CA_CERTS: '/my/nothing.pem' } })
    expect(subjects(store)).toEqual(['CN=A'])
    expect(codes(store)).toEqual(['ERR_CA_FILE_UNREADABLE'])
    expect(codes(detect({ files, env: { NODE_EXTRA_CA_CERTS: '' } }))).toEqual([])
  })
})

it('the working directory grants no trust', () => {
  const files = {
    'ca/a.pem': a.cert,
    'certs/my-ca.pem': a.cert,
    'certs/server-cert.pem': a.cert,
    'cert.pem': a.cert,
    ...directory('ca', a.cert),
  }
  const here = folder(files)
  const before = process.cwd()
  const opened: string[] = []
  const spy = {
    ...nodeFs,
    openSync: (path: nodeFs.PathLike, flags: nodeFs.OpenMode) => {
      opened.push(String(path))
      throw Object.assign(new TypeError('absent'), { code: 'ENOENT', flags })
    },
  }
  process.chdir(here)
  try {
    const store = detectCaStore({ fs: spy, env: {}, platform: 'linux', execArgv: [], tls: newTls() })
    expect(subjects(store)).toEqual(['CN=Bundled'])
    expect(opened.length).toBeGreaterThan(5)
    expect(opened.filter((path) => !isAbsolute(path) || path.startsWith(here))).toEqual([])
  } finally {
    process.chdir(before)
  }
})
