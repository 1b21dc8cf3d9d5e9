import { X509Certificate } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join, relative } from 'node:path'
import { createSecureContext } from 'node:tls'
import { bitString, integer, oid, printableString, sequence, utf8String } from '@x/der'
import { CertificateView } from '@x/der/x509'
import { describe, expect, it } from 'vitest'
import { type LoadCaStoreOptions, loadCaStore } from '../src/index.ts'
import { codes, der, expired, folder, hashed, name, pem, root, subjects, thrown, trusted, version1 } from './support.ts'

const a = root('A')
const b = root('B')
const leaf = a.issue('leaf.example')

describe('certificates', () => {
  const { raw } = new X509Certificate(a.cert)
  it.each<[string, LoadCaStoreOptions['certificates']]>([
    ['PEM', a.cert],
    ['PEM as bytes', Buffer.from(a.cert)],
    ['DER', Uint8Array.from(raw)],
    ['an X509Certificate', new X509Certificate(a.cert)],
    ['a peer certificate', { raw }],
    ['a list', [a.cert]],
  ])('%s', (_, certificates) => {
    const store = loadCaStore({ certificates })
    expect(subjects(store)).toEqual(['CN=A'])
    expect(store.size).toBe(1)
    expect(store.raw.map((bytes) => Buffer.from(bytes))).toEqual([raw])
    expect(store.errors).toEqual([])
    expect(store.file).toBeUndefined()
    expect(store.path).toBeUndefined()
    expect(store.origin(a.cert)).toEqual({ source: 'program', by: 'certificates', file: undefined, index: 0 })
  })

  it('a bundle counts in full, whatever stands between its blocks', () => {
    const text = `junk\n${a.cert}# a comment -----BEGIN nothing\n${a.key}\r\n${b.cert.replaceAll('\n', '\r\n')}-----BEGIN`
    expect(subjects(loadCaStore({ certificates: text }))).toEqual(['CN=A', 'CN=B'])
  })

  it('the old and the trusted label are read', () => {
    const old = pem(der(a.cert), 'X509 CERTIFICATE')
    expect(subjects(loadCaStore({ certificates: [old, trusted(b.cert, {})] }))).toEqual(['CN=A', 'CN=B'])
  })

  it('what the program does to its bytes later does not reach the store', () => {
    const bytes = Uint8Array.from(raw)
    const store = loadCaStore({ certificates: [bytes] })
    bytes.fill(0)
    expect(subjects(store)).toEqual(['CN=A'])
  })

  it('a leaf, an intermediate and an expired one may be trusted on purpose', () => {
    const store = loadCaStore({
      certificates: [leaf.certificate, expired.certificate, version1(name(utf8String('V1')))],
    })
    expect(subjects(store)).toEqual(['CN=leaf.example', 'CN=Expired', 'CN=V1'])
    expect(store.errors).toEqual([])
  })

  it('broken and repeated ones are left out and reported with their place', () => {
    const broken = pem(Buffer.from('not a certificate'))
    const store = loadCaStore({ certificates: [a.cert + broken + a.cert, 'junk', b.cert] })
    expect(subjects(store)).toEqual(['CN=A', 'CN=B'])
    expect(store.errors).toMatchObject([
      { code: 'ERR_CA_NOT_PEM', file: 'certificates' },
      { code: 'ERR_CA_BROKEN_CERTIFICATE', file: 'certificates', index: 1 },
      {
        code: 'ERR_CA_DUPLICATE',
        file: 'certificates',
        index: 2,
        message: 'certificates #2: the same as certificates #0',
      },
    ])
    expect(store.origin(b.cert)?.index).toBe(3)
  })

  it.each([
    ['cut off', a.cert.slice(0, 300), 'the END line is missing'],
    ['another END line', a.cert.replace('-----END C', '-----END X509 C'), 'the END line is missing'],
    ['a character that is not base64', a.cert.replace('\nM', '\n!M'), 'not base64'],
    ['base64url', pem(Uint8Array.of(0x30, 0x03, 0xff, 0xff, 0xff)).replace('//', '__'), 'not base64'],
    ['padding in the middle', a.cert.replace('\nMI', '\n=MI'), 'not base64'],
    ['an empty block', pem(new Uint8Array()), 'not a certificate'],
    ['trailing bytes', pem(Buffer.concat([der(a.cert), Uint8Array.of(0)])), 'not a certificate'],
    ['cut off inside', pem(der(a.cert).subarray(0, 200)), 'not a certificate'],
    [
      'a name that is none',
      pem(version1(name(printableString('A')), name(Uint8Array.of(0x0c, 1, 0xff)))),
      'not a certificate',
    ],
    ['trusted, cut off', pem(der(a.cert).subarray(0, 200), 'TRUSTED CERTIFICATE'), 'not a certificate'],
    ['trusted, empty', pem(new Uint8Array(), 'TRUSTED CERTIFICATE'), 'not a certificate'],
  ])('%s is broken', (_, text, message) => {
    const error = thrown(() => loadCaStore({ certificates: text }))
    expect(error).toMatchObject({
      name: 'CaStoreError',
      code: 'ERR_CA_EMPTY',
      cause: { code: 'ERR_CA_BROKEN_CERTIFICATE' },
    })
    expect(error).toHaveProperty('message', expect.stringContaining(message))
    expect(subjects(loadCaStore({ certificates: [b.cert, text, leaf.cert] }))).toEqual(['CN=B', 'CN=leaf.example'])
  })

  it.each([
    ['a key that is none', version1(name(utf8String('V1')), undefined, sequence())],
    ['a key without bits', version1(name(utf8String('V1')), undefined, sequence(sequence(oid('1.2.840.10045.2.1'))))],
    [
      'a key with an algorithm that is none',
      version1(name(utf8String('V1')), undefined, sequence(sequence(integer(1)), bitString(new Uint8Array(3)))),
    ],
  ])('%s is broken', (_, bytes) => {
    expect(thrown(() => loadCaStore({ certificates: bytes }))).toMatchObject({
      cause: { code: 'ERR_CA_BROKEN_CERTIFICATE' },
    })
  })

  it('what OpenSSL alone cannot read does not spoil the rest, and is reported once it is asked for', () => {
    const spki = sequence(sequence(oid('1.2.840.10045.2.1'), Uint8Array.of(0x05)), bitString(new Uint8Array(3))) // cut off
    const store = loadCaStore({ certificates: [version1(name(utf8String('V1')), undefined, spki), a.cert] })
    expect(codes(store)).toEqual([])
    expect(subjects(store)).toEqual(['CN=A'])
    expect(codes(store)).toEqual(['ERR_CA_BROKEN_CERTIFICATE'])
    expect(store.findIssuer(version1(name(utf8String('V1'))))).toBeUndefined()
    expect(() => createSecureContext(store.secureContextOptions())).not.toThrow()
  })

  it('a key of an unknown kind is not', () => {
    const spki = sequence(sequence(oid('1.2.3.4')), bitString(new Uint8Array(3)))
    const store = loadCaStore({ certificates: version1(name(utf8String('V1')), undefined, spki) })
    expect(store.certificates).toHaveLength(1)
    expect(store.findIssuer(a.cert)).toBeUndefined()
    expect(store.findIssuer(version1(name(utf8String('V1'))))).toBeUndefined()
  })

  it('a block that is cut off does not swallow the next one', () => {
    expect(subjects(loadCaStore({ certificates: `${a.cert.slice(0, 300)}\n${b.cert}` }))).toEqual(['CN=B'])
  })

  it('a block that does not start a line is no block', () => {
    expect(thrown(() => loadCaStore({ certificates: ` ${a.cert}` }))).toMatchObject({ code: 'ERR_CA_EMPTY' })
  })
})

describe('file', () => {
  it('is a bundle, named absolutely', () => {
    const path = folder({ 'ca.pem': a.cert + b.cert })
    const store = loadCaStore({ file: relative(process.cwd(), join(path, 'ca.pem')) })
    expect(subjects(store)).toEqual(['CN=A', 'CN=B'])
    expect(store.file).toBe(join(path, 'ca.pem'))
    expect(store.origin(b.certificate)).toEqual({ source: 'program', by: 'file', file: join(path, 'ca.pem'), index: 1 })
  })

  it('may hold one certificate in DER', () => {
    const path = folder({ 'ca.der': der(a.cert) })
    expect(subjects(loadCaStore({ file: join(path, 'ca.der') }))).toEqual(['CN=A'])
  })

  it.each([
    ['missing', 'nothing', 'ERR_CA_FILE_UNREADABLE'],
    ['a directory', '.', 'ERR_CA_FILE_UNREADABLE'],
    ['without a certificate', 'key.pem', 'ERR_CA_NOT_PEM'],
    ['empty', 'empty.pem', 'ERR_CA_NOT_PEM'],
    ['with broken ones alone', 'broken.pem', 'ERR_CA_EMPTY'],
  ])('%s is an error', (_, file, code) => {
    const path = folder({ 'key.pem': a.key, 'empty.pem': '', 'broken.pem': pem(Uint8Array.of(1, 2, 3)) })
    const error = thrown(() => loadCaStore({ file: join(path, file) }))
    expect(error).toMatchObject({ name: 'CaStoreError', code, file: join(path, file) })
  })

  it('an unusable file is an error beside good certificates too', () => {
    expect(thrown(() => loadCaStore({ certificates: a.cert, file: join(folder(), 'nothing') }))).toMatchObject({
      code: 'ERR_CA_FILE_UNREADABLE',
      cause: { code: 'ENOENT' },
    })
  })
})

describe('path', () => {
  it('is read lazily, by subject', () => {
    const path = folder(hashed(a.cert, b.cert))
    const store = loadCaStore({ path })
    expect(store.path).toBe(path)
    expect(store.findIssuer(leaf.cert)?.subject).toBe('CN=A')
    expect(subjects(store).sort()).toEqual(['CN=A', 'CN=B'])
    expect(store.origin(a.cert)).toMatchObject({
      source: 'program',
      by: 'path',
      file: expect.stringMatching(/[0-9a-f]{8}\.0$/),
      index: 0,
    })
  })

  it('several directories, of which one must be usable', () => {
    const [one, two] = [folder(hashed(a.cert)), folder(hashed(b.cert))]
    const store = loadCaStore({ path: [one, '/nowhere', two].join(delimiter) })
    expect(subjects(store)).toEqual(['CN=A', 'CN=B'])
    expect(codes(store)).toEqual(['ERR_CA_PATH_UNREADABLE'])
    expect(store.path).toBe([one, '/nowhere', two].join(delimiter))
    expect(subjects(loadCaStore({ path: [two, one] }))).toEqual(['CN=B', 'CN=A'])
    expect(thrown(() => loadCaStore({ path: ['/nowhere', '/nor/here'] }))).toMatchObject({
      code: 'ERR_CA_PATH_UNREADABLE',
      file: '/nowhere',
      cause: { code: 'ENOENT' },
    })
  })

  it('an empty part of the list is not the working directory', () => {
    const path = folder(hashed(a.cert))
    expect(loadCaStore({ path: `${delimiter}${path}${delimiter}` }).path).toBe(path)
    expect(thrown(() => loadCaStore({ path: delimiter }))).toBeInstanceOf(TypeError)
  })

  it('is refused without hashed names', () => {
    const path = folder({ 'a.pem': a.cert, 'ca-bundle.crt': b.cert })
    expect(thrown(() => loadCaStore({ path }))).toMatchObject({ code: 'ERR_CA_PATH_NOT_HASHED', file: path })
  })

  it('is refused where the names are hashes, but not of what they hold', () => {
    const path = folder({ '01234567.0': a.cert, '89abcdef.0': b.cert })
    expect(thrown(() => loadCaStore({ path }))).toMatchObject({ code: 'ERR_CA_PATH_NOT_HASHED' })
  })

  it('a misnamed file among good ones is left out, as it is for OpenSSL', () => {
    const path = folder({ ...hashed(a.cert), '01234567.0': b.cert })
    const store = loadCaStore({ path })
    expect(store.findIssuer(b.cert)).toBeUndefined()
    expect(subjects(store)).toEqual(['CN=A'])
    expect(store.errors).toMatchObject([{ code: 'ERR_CA_HASH_MISMATCH', file: join(path, '01234567.0'), index: 0 }])
  })

  it('CRLs, subdirectories and other names are passed over; a file that is no certificate is reported', () => {
    const good = hashed(a.cert)
    const hash = Object.keys(good)[0]?.slice(0, 8)
    const path = folder({
      ...good,
      [`${hash}.r0`]: 'crl',
      [`${hash}.00`]: b.cert,
      [`${hash}.1`]: 'junk',
      README: 'x',
      'ABCDEF01.0': b.cert,
    })
    mkdirSync(join(path, `${hash}.2`))
    const store = loadCaStore({ path })
    expect(subjects(store)).toEqual(['CN=A'])
    expect(store.errors).toMatchObject([{ code: 'ERR_CA_NOT_PEM', file: join(path, `${hash}.1`) }])
  })

  it('one subject in several files, in the order of their numbers', () => {
    const twins = Array.from({ length: 12 }, () => version1(name(utf8String(`Twin`)))).map((bytes, i) => {
      const changed = Uint8Array.from(bytes)
      changed[changed.length - 1] = i // another signature makes another certificate
      return pem(changed)
    })
    const store = loadCaStore({ path: folder(hashed(...twins)) })
    const { subject } = new CertificateView(der(twins[0] as string))
    expect(store.findBySubject(subject).map((bytes) => bytes.at(-1))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
  })

  it('the names are fixed when it is loaded, the files read once', () => {
    const path = folder(hashed(a.cert))
    const store = loadCaStore({ path })
    expect(store.findIssuer(leaf.cert)).toBeDefined()
    for (const [file, content] of Object.entries(hashed(b.cert))) writeFileSync(join(path, file), content)
    expect(subjects(store)).toEqual(['CN=A'])
    expect(subjects(store.reload()).sort()).toEqual(['CN=A', 'CN=B'])
  })
})

it('everything given is added together', () => {
  const path = folder({
    'b.pem': b.cert,
    ...Object.fromEntries(Object.entries(hashed(root('C').cert)).map(([k, v]) => [`d/${k}`, v])),
  })
  const store = loadCaStore({ certificates: a.cert, file: join(path, 'b.pem'), path: join(path, 'd') })
  expect(subjects(store)).toEqual(['CN=A', 'CN=B', 'CN=C'])
})

describe('a store with nothing in it', () => {
  it.each<[string, LoadCaStoreOptions]>([
    ['an empty list', { certificates: [] }],
    ['junk', { certificates: 'junk' }],
    ['two kinds of junk', { certificates: ['junk', pem(Uint8Array.of(1))] }],
  ])('%s is an error', (_, options) => {
    expect(thrown(() => loadCaStore(options))).toMatchObject({ name: 'CaStoreError', code: 'ERR_CA_EMPTY' })
  })
})

describe('misuse is a TypeError that names the option', () => {
  const options = (value: unknown): LoadCaStoreOptions => value as LoadCaStoreOptions
  it.each([
    ['no options', undefined, 'ERR_INVALID_ARG_TYPE', 'options'],
    ['null', null, 'ERR_INVALID_ARG_TYPE', 'options'],
    ['a string', 'ca.pem', 'ERR_INVALID_ARG_TYPE', 'options'],
    ['no source', {}, 'ERR_INVALID_ARG_VALUE', 'certificates'],
    ['an unknown option', { caFile: 'x' }, 'ERR_INVALID_ARG_VALUE', 'caFile'],
    ['an empty file', { file: '' }, 'ERR_INVALID_ARG_VALUE', 'file'],
    ['a file with NUL', { file: 'a\0b' }, 'ERR_INVALID_ARG_VALUE', 'file'],
    ['a file that is a number', { file: 7 }, 'ERR_INVALID_ARG_TYPE', 'file'],
    ['a file that is null', { file: null }, 'ERR_INVALID_ARG_TYPE', 'file'],
    ['an empty path', { path: '' }, 'ERR_INVALID_ARG_VALUE', 'path'],
    ['an empty list of paths', { path: [] }, 'ERR_INVALID_ARG_VALUE', 'path'],
    ['an empty path in a list', { path: ['/x', ''] }, 'ERR_INVALID_ARG_VALUE', 'path'],
    ['a path that is a number', { path: 7 }, 'ERR_INVALID_ARG_TYPE', 'path'],
    ['certificates that are a number', { certificates: 7 }, 'ERR_INVALID_ARG_TYPE', 'certificates'],
    ['certificates with null', { certificates: [a.cert, null] }, 'ERR_INVALID_ARG_TYPE', 'certificates'],
    ['an object without raw', { certificates: [{}] }, 'ERR_INVALID_ARG_TYPE', 'certificates'],
    ['an unknown purpose', { certificates: a.cert, purpose: 'email' }, 'ERR_INVALID_ARG_VALUE', 'purpose'],
    ['a file system that is none', { file: '/x', fs: {} }, 'ERR_INVALID_ARG_TYPE', 'fs'],
  ])('%s', (_, value, code, option) => {
    const error = thrown(() => loadCaStore(options(value)))
    expect(error).toBeInstanceOf(TypeError)
    expect(error).toMatchObject({ code, message: expect.stringContaining(option) })
  })
})
