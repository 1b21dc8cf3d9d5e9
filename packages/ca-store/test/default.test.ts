import { utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { defaultCaStore, loadCaStore, setDefaultCaStore } from '../src/index.ts'
import { folder, hashed, pem, root, subjects, thrown } from './support.ts'

const a = root('A')
const b = root('B')

beforeEach(() => {
  setDefaultCaStore(undefined)
  for (const name of ['SSL_CERT_FILE', 'SSL_CERT_DIR', 'NODE_EXTRA_CA_CERTS']) vi.stubEnv(name, undefined)
})
afterEach(() => {
  vi.unstubAllEnvs()
  setDefaultCaStore(undefined)
})

function environment(...pems: readonly string[]): string {
  const file = join(folder({ 'ca.pem': pems.join('') }), 'ca.pem')
  vi.stubEnv('SSL_CERT_FILE', file)
  return file
}

/** Only what the file holds: Node's own extra certificates may come on top. */
function names(): string[] {
  const store = defaultCaStore()
  return subjects(store).filter((subject) => /^CN=(A|B)$/.test(subject))
}

describe('the default store', () => {
  it('is detected once, and can be forgotten', () => {
    environment(a.cert)
    const first = defaultCaStore()
    expect(names()).toEqual(['CN=A'])
    environment(b.cert)
    expect(defaultCaStore()).toBe(first)
    setDefaultCaStore(undefined)
    expect(names()).toEqual(['CN=B'])
  })

  it('is what the program sets, before the environment', () => {
    environment(a.cert)
    const file = join(folder({ 'b.pem': b.cert }), 'b.pem')
    setDefaultCaStore({ file })
    expect(subjects(defaultCaStore())).toEqual(['CN=B'])
    expect(defaultCaStore().file).toBe(file)
    const path = folder(hashed(a.cert))
    setDefaultCaStore({ path })
    expect(subjects(defaultCaStore())).toEqual(['CN=A'])
    expect(defaultCaStore().path).toBe(path)
  })

  it('set to something unusable, stays what it was', () => {
    setDefaultCaStore({ certificates: a.cert })
    const before = defaultCaStore()
    expect(thrown(() => setDefaultCaStore({ file: '/nowhere' }))).toMatchObject({ code: 'ERR_CA_FILE_UNREADABLE' })
    expect(thrown(() => setDefaultCaStore({ certificates: [] }))).toMatchObject({ code: 'ERR_CA_EMPTY' })
    expect(thrown(() => setDefaultCaStore(null as never))).toBeInstanceOf(TypeError)
    expect(defaultCaStore()).toBe(before)
  })

  it('is not remembered where detection failed', () => {
    vi.stubEnv('SSL_CERT_FILE', '/nowhere')
    expect(thrown(() => defaultCaStore())).toMatchObject({ code: 'ERR_CA_ENVIRONMENT' })
    expect(thrown(() => defaultCaStore())).toMatchObject({ code: 'ERR_CA_ENVIRONMENT' })
    environment(a.cert)
    expect(names()).toEqual(['CN=A'])
  })

  it('is one for all copies of the package', async () => {
    vi.resetModules()
    const second = await import('../src/index.ts')
    expect(second.defaultCaStore).not.toBe(defaultCaStore)
    setDefaultCaStore({ certificates: a.cert })
    const store = second.defaultCaStore()
    expect(store).toBe(defaultCaStore())
    second.setDefaultCaStore({ certificates: b.cert })
    expect(subjects(defaultCaStore())).toEqual(['CN=B'])
    expect(defaultCaStore().findIssuer(b.issue('x').cert)?.subject).toBe('CN=B')
    second.setDefaultCaStore(undefined)
    environment(a.cert)
    expect(names()).toEqual(['CN=A'])
  })
})

describe('reload', () => {
  it('picks up a changed bundle; the store before stays what it is', () => {
    const file = join(folder({ 'ca.pem': a.cert }), 'ca.pem')
    const store = loadCaStore({ file })
    expect(store.reload()).toBe(store)
    writeFileSync(file, a.cert + b.cert)
    const next = store.reload()
    expect(subjects(next)).toEqual(['CN=A', 'CN=B'])
    expect(subjects(store)).toEqual(['CN=A'])
    expect(next.reload()).toBe(next)
  })

  it('even where size and time of the file are the same', () => {
    const file = join(folder({ 'ca.pem': `${a.cert}${' '.repeat(200)}` }), 'ca.pem')
    const store = loadCaStore({ file })
    const at = new Date(0)
    utimesSync(file, at, at)
    writeFileSync(file, b.cert.padEnd(a.cert.length + 200))
    utimesSync(file, at, at)
    expect(subjects(store)).toEqual(['CN=A'])
    expect(subjects(store.reload())).toEqual(['CN=B'])
  })

  it('tells what was left out, even where the anchors are the same', () => {
    const file = join(folder({ 'ca.pem': a.cert }), 'ca.pem')
    const store = loadCaStore({ file })
    writeFileSync(file, a.cert + pem(Uint8Array.of(1)))
    expect(store.reload().errors).toHaveLength(1)
  })

  it('of the default store becomes the default', () => {
    const file = environment(a.cert)
    const store = defaultCaStore()
    expect(names()).toEqual(['CN=A'])
    writeFileSync(file, b.cert)
    const next = store.reload()
    expect(defaultCaStore()).toBe(next)
    expect(names()).toEqual(['CN=B'])
    expect(store.reload()).not.toBe(store)
    expect(defaultCaStore()).toBe(next) // an older store does not push itself back
  })

  it('that fails throws, and leaves the default alone', () => {
    const file = environment(a.cert)
    const store = defaultCaStore()
    expect(names()).toEqual(['CN=A'])
    writeFileSync(file, '')
    expect(thrown(() => store.reload())).toMatchObject({ code: 'ERR_CA_ENVIRONMENT' })
    expect(defaultCaStore()).toBe(store)
  })

  it('keeps the relative path as it was resolved, and the purpose', () => {
    const path = folder({ 'ca.pem': a.cert })
    const before = process.cwd()
    process.chdir(path)
    const store = loadCaStore({ file: 'ca.pem' })
    process.chdir(before)
    writeFileSync(join(path, 'ca.pem'), b.cert)
    expect(subjects(store.reload())).toEqual(['CN=B'])
  })
})

it('two stores with the same anchors have the same digest, others another', () => {
  const digest = (certificates: readonly string[]): string => loadCaStore({ certificates }).digest
  expect(digest([a.cert, b.cert])).toBe(digest([a.cert + b.cert + a.cert]))
  expect(digest([a.cert])).not.toBe(digest([b.cert]))
  expect(digest([a.cert])).toMatch(/^[0-9a-f]{64}$/)
})
