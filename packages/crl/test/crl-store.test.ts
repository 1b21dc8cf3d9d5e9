import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { canonicalName, nameHash } from '../src/canonical-name.ts'
import { CrlError, type CrlStatus, CrlStore, type CrlStoreOptions } from '../src/index.ts'
import { authority, DAY, distributionPoints, HOUR, leaf, list, NOW, subjectOf } from './authorities.ts'

const folder = mkdtempSync(join(tmpdir(), 'x-crl-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

const ca = authority('Stored CA')
const URL_1 = 'http://crl.example/1.crl'
const URL_2 = 'http://crl.example/2.crl'
const certificate = leaf(ca, { crlUris: [URL_1] })
const revoked = [{ certificate: certificate.raw, reason: 'keyCompromise' as const }]

function word(status: CrlStatus): string {
  return status.status === 'good' ? 'good' : status.status === 'revoked' ? status.reason : status.code
}
const offline = (options: CrlStoreOptions): CrlStore => new CrlStore({ online: false, now: () => NOW, ...options })
const ask = async (store: CrlStore, options = {}): Promise<string> =>
  word(await store.isRevoked(certificate.raw, ca.raw, options))

describe('files', () => {
  it('every list of a bundle counts, and DER', async () => {
    const bundle = file('bundle.pem', list(authority('First')).toPem() + list(ca, { revoked }).toPem())
    expect(await ask(offline({ file: bundle }))).toBe('keyCompromise')
    expect(await ask(offline({ file: [file('list.der', list(ca).der)] }))).toBe('good')
    expect(await ask(offline({ crls: list(ca, { revoked }) }))).toBe('keyCompromise')
  })

  it('a file that is missing or broken is said so, at the question and by load', async () => {
    const missing = offline({ file: join(folder, 'missing') })
    expect(await ask(missing)).toBe('ERR_CRL_FILE_READ')
    await expect(missing.load()).rejects.toMatchObject({ code: 'ERR_CRL_FILE_READ', source: join(folder, 'missing') })
    const broken = offline({ file: file('broken', '<html>') })
    expect(await ask(broken)).toBe('ERR_CRL_NOT_FOUND')
    await expect(broken.load()).rejects.toBeInstanceOf(CrlError)
    await expect(offline({ file: folder }).load()).rejects.toMatchObject({ code: 'ERR_CRL_FILE_READ' })
    expect(await offline({ file: file('fine', list(ca).toPem()), crls: list(ca) }).load()).toHaveLength(2)
  })

  it('is read again when it changes, and the last good lists stay where it breaks', async () => {
    const path = file('changing', list(ca).toPem())
    const store = offline({ file: path })
    expect(await ask(store)).toBe('good')
    renameSync(file('next', list(ca, { revoked }).toPem()), path)
    expect(await ask(store)).toBe('keyCompromise')
    renameSync(file('next', 'half a list'), path)
    expect(await ask(store)).toBe('keyCompromise')
    rmSync(path)
    expect(await ask(store)).toBe('keyCompromise')
    await expect(store.load()).rejects.toMatchObject({ code: 'ERR_CRL_FILE_READ' })
  })

  it('is read once for questions at the same time, and not again while it stays', async () => {
    let reads = 0
    const stat = async () => ({ size: 1n, ino: 1n, mtimeNs: 1n })
    const readFile = async () => {
      reads++
      return list(ca).der
    }
    const store = offline({ file: 'anywhere', fs: { stat, readFile } })
    expect(await Promise.all([ask(store), ask(store), ask(store)])).toEqual(['good', 'good', 'good'])
    expect(await ask(store)).toBe('good')
    expect(reads).toBe(1)
    const huge = offline({
      file: 'anywhere',
      fs: { stat: async () => ({ size: 2n ** 40n, ino: 1n, mtimeNs: 1n }), readFile },
    })
    expect(await ask(huge)).toBe('ERR_CRL_TOO_LARGE')
  })

  it('hashed directories: hash.rN of the issuer, up to the first gap', async () => {
    const hash = nameHash(canonicalName(subjectOf(ca)))
    const path = mkdtempSync(join(folder, 'hashed-'))
    const put = (name: string, content: string): void => writeFileSync(join(path, name), content)
    expect(await ask(offline({ path }))).toBe('ERR_CRL_MISSING')
    put('deadbeef.r0', list(ca, { revoked }).toPem())
    put(`${hash}.r2`, list(ca, { revoked }).toPem())
    put(`${hash}.0`, list(ca, { revoked }).toPem())
    put(`${hash}.r0`, list(authority('Stored CA')).toPem())
    expect(await ask(offline({ path }))).toBe('ERR_CRL_KEY_MISMATCH')
    symlinkSync(file('target.pem', list(ca).toPem()), join(path, `${hash}.r1`))
    rmSync(join(path, `${hash}.r2`))
    const store = offline({ path })
    expect(await ask(store)).toBe('good')
    put(`${hash}.r2`, list(ca, { revoked, thisUpdate: NOW - 1000 }).toPem())
    expect(await ask(store)).toBe('keyCompromise')
    put(`${hash}.r2`, 'broken')
    expect(await ask(offline({ path }))).toBe('good')
  })

  it('lists can be added', async () => {
    const store = offline({})
    expect(await ask(store)).toBe('ERR_CRL_MISSING')
    store.add(list(ca, { revoked }).toPem())
    expect(await ask(store)).toBe('keyCompromise')
  })
})

/** A server in memory: what each URL answers, and what it was asked. */
function server(
  answers: Record<
    string,
    (request: { headers: Record<string, string>; signal: AbortSignal }) => Response | Promise<Response>
  >,
) {
  const asked: { url: string; headers: Record<string, string> }[] = []
  const get = (async (url: string, init: { headers: Record<string, string>; signal: AbortSignal }) => {
    asked.push({ url, headers: init.headers })
    const found = answers[url]
    if (found === undefined) throw new TypeError('fetch failed')
    return found(init)
  }) as unknown as typeof fetch
  return { asked, fetch: get }
}
const body = (bytes: Uint8Array | string): Response => new Response(bytes as Uint8Array<ArrayBuffer>)

describe('distribution points', () => {
  it('the list is fetched once, DER or PEM, and serves as long as it holds', async () => {
    for (const content of [list(ca, { revoked }).der, list(ca, { revoked }).toPem()]) {
      const { asked, fetch } = server({ [URL_1]: () => body(content) })
      const store = new CrlStore({ fetch, now: () => NOW })
      expect(await Promise.all([ask(store), ask(store), ask(store)])).toEqual(Array(3).fill('keyCompromise'))
      expect(await ask(store)).toBe('keyCompromise')
      expect(await ask(store, { online: false })).toBe('keyCompromise')
      expect(asked).toHaveLength(1)
    }
  })

  it('is not asked where lists at hand decide, or the question forbids it', async () => {
    const { asked, fetch } = server({ [URL_1]: () => body(list(ca).der) })
    expect(await ask(new CrlStore({ fetch, now: () => NOW, crls: list(ca) }))).toBe('good')
    expect(await ask(new CrlStore({ fetch, now: () => NOW }), { online: false })).toBe('ERR_CRL_MISSING')
    expect(asked).toEqual([])
    expect(await ask(new CrlStore({ fetch, now: () => NOW, crls: list(ca, { nextUpdate: NOW - 1 }) }))).toBe('good')
    expect(asked).toHaveLength(1)
  })

  it('a certificate without one is said so', async () => {
    const bare = leaf(ca)
    const store = new CrlStore({ fetch: server({}).fetch, now: () => NOW })
    expect(word(await store.isRevoked(bare.raw, ca.raw))).toBe('ERR_CRL_NO_DISTRIBUTION_POINT')
    const ldap = leaf(ca, { crlUris: ['ldap://crl.example/cn=x'] })
    expect(word(await store.isRevoked(ldap.raw, ca.raw))).toBe('ERR_CRL_URL_UNSUPPORTED')
    const file = leaf(ca, { crlUris: ['file:///etc/passwd'] })
    expect(word(await store.isRevoked(file.raw, ca.raw))).toBe('ERR_CRL_URL_UNSUPPORTED')
  })

  it('the next URL of a point is asked where one fails, and the next point where one does not decide', async () => {
    const two = leaf(ca, { extensions: [distributionPoints({ uris: [URL_1, URL_2] })] })
    const { asked, fetch } = server({ [URL_2]: () => body(list(ca, { scope: { uris: [URL_2] } }).der) })
    expect(word(await new CrlStore({ fetch, now: () => NOW }).isRevoked(two.raw, ca.raw))).toBe('good')
    expect(asked.map(({ url }) => url)).toEqual([URL_1, URL_2])
    const reasons = leaf(ca, { crlUris: [URL_1, URL_2] })
    const half = server({
      [URL_1]: () => body(list(ca, { scope: { reasons: ['keyCompromise'] } }).der),
      [URL_2]: () => body(list(ca, { revoked: [{ certificate: reasons.raw }] }).der),
    })
    expect(word(await new CrlStore({ fetch: half.fetch, now: () => NOW }).isRevoked(reasons.raw, ca.raw))).toBe(
      'unspecified',
    )
    expect(half.asked).toHaveLength(2)
  })

  it.each<[string, () => Response | Promise<Response>, string]>([
    ['404', () => new Response('no', { status: 404 }), 'ERR_CRL_FETCH_FAILED'],
    ['304 that nobody asked for', () => new Response(null, { status: 304 }), 'ERR_CRL_REDIRECT_REFUSED'],
    ['HTML', () => body('<!doctype html>'), 'ERR_CRL_NOT_FOUND'],
    ['nothing', () => new Response(null), 'ERR_CRL_NOT_FOUND'],
    ['a list by another CA of the same name', () => body(list(authority('Stored CA')).der), 'ERR_CRL_KEY_MISMATCH'],
    ['an expired list', () => body(list(ca, { nextUpdate: NOW - 1 }).der), 'ERR_CRL_EXPIRED'],
    ['an expired list that has it', () => body(list(ca, { nextUpdate: NOW - 1, revoked }).der), 'keyCompromise'],
    ['the partition of others', () => body(list(ca, { scope: { uris: [URL_2] } }).der), 'ERR_CRL_OUT_OF_SCOPE'],
    [
      'too many bytes said',
      () => new Response('x', { headers: { 'content-length': '20971521' } }),
      'ERR_CRL_TOO_LARGE',
    ],
    ['too many bytes sent', () => new Response(endless()), 'ERR_CRL_TOO_LARGE'],
    ['a body that never ends', () => new Response(new ReadableStream()), 'ERR_CRL_FETCH_TIMEOUT'],
    ['no answer', () => new Promise<Response>(() => undefined), 'ERR_CRL_FETCH_TIMEOUT'],
    ['a fetch that throws', () => Promise.reject(new Error('boom')), 'ERR_CRL_FETCH_FAILED'],
    ['a redirect to another host', () => moved('http://elsewhere.example/'), 'ERR_CRL_REDIRECT_REFUSED'],
    ['a redirect to another port', () => moved('http://crl.example:8080/'), 'ERR_CRL_REDIRECT_REFUSED'],
    ['a redirect to another scheme', () => moved('file:///etc/passwd'), 'ERR_CRL_REDIRECT_REFUSED'],
    ['a redirect to nowhere', () => new Response(null, { status: 302 }), 'ERR_CRL_REDIRECT_REFUSED'],
    ['a circle', () => moved(URL_1), 'ERR_CRL_REDIRECT_REFUSED'],
  ])('%s: never good', async (_, reply, code) => {
    const { fetch } = server({ [URL_1]: reply })
    expect(await ask(new CrlStore({ fetch, now: () => NOW, timeout: 20 }))).toBe(code)
  })

  it('a redirect on the same host is followed, also to https', async () => {
    const secure = 'https://crl.example/1.crl'
    const { fetch, asked } = server({
      [URL_1]: () => moved('/moved'),
      'http://crl.example/moved': () => moved(secure),
      [secure]: () => body(list(ca).der),
    })
    expect(await ask(new CrlStore({ fetch, now: () => NOW }))).toBe('good')
    expect(asked).toHaveLength(3)
    const downgrade = leaf(ca, { crlUris: [secure] })
    const back = server({ [secure]: () => moved(URL_1), [URL_1]: () => body(list(ca).der) })
    expect(word(await new CrlStore({ fetch: back.fetch, now: () => NOW }).isRevoked(downgrade.raw, ca.raw))).toBe(
      'ERR_CRL_REDIRECT_REFUSED',
    )
  })

  it('a failure is not asked for again at once', async () => {
    let now = NOW
    const { asked, fetch } = server({
      [URL_1]: () => (asked.length === 1 ? new Response('', { status: 500 }) : body(list(ca).der)),
    })
    const store = new CrlStore({ fetch, now: () => now, retryAfter: 60_000 })
    expect(await ask(store)).toBe('ERR_CRL_FETCH_FAILED')
    now += 59_999
    expect(await ask(store)).toBe('ERR_CRL_FETCH_FAILED')
    expect(asked).toHaveLength(1)
    now += 1
    expect(await ask(store)).toBe('good')
  })

  it('aborting ends the wait of one and the download of all', async () => {
    let aborted = 0
    const { fetch } = server({
      [URL_1]: ({ signal }) => {
        signal.addEventListener('abort', () => aborted++)
        return new Promise(() => undefined)
      },
    })
    const store = new CrlStore({ fetch, now: () => NOW, timeout: 5000 })
    const [first, second] = [new AbortController(), new AbortController()]
    const waits = [first, second].map(({ signal }) => ask(store, { signal }))
    const settled = Promise.allSettled(waits)
    await new Promise(setImmediate)
    first.abort(new Error('enough'))
    await expect(waits[0]).rejects.toThrow('enough')
    expect(aborted).toBe(0)
    second.abort()
    await expect(waits[1]).rejects.toMatchObject({ name: 'AbortError' })
    await settled
    await new Promise(setImmediate)
    expect(aborted).toBe(1)
    await expect(ask(store, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' })
  })
})

describe('refreshing', () => {
  /** A clock and a server whose answer can be changed. */
  function setting(options: CrlStoreOptions = {}) {
    const state = { now: NOW, reply: () => body(list(ca).der) as Response | Promise<Response> }
    const { asked, fetch } = server({ [URL_1]: () => state.reply() })
    return { state, asked, store: new CrlStore({ fetch, now: () => state.now, ...options }) }
  }
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) await new Promise(setImmediate)
  }

  it('ahead: in the last tenth of its life a list is fetched anew, in the background', async () => {
    const { state, asked, store } = setting({ refreshAfter: 365 * DAY })
    expect(await ask(store)).toBe('good')
    state.now = NOW + 5 * DAY
    expect(await ask(store)).toBe('good')
    expect(asked).toHaveLength(1)
    state.now = NOW + 6 * DAY - 16 * HOUR
    state.reply = () => body(list(ca, { thisUpdate: state.now, nextUpdate: state.now + 7 * DAY, revoked }).der)
    expect(await ask(store)).toBe('good')
    await settle()
    expect(asked).toHaveLength(2)
    expect(await ask(store)).toBe('keyCompromise')
  })

  it('asks whether it has changed, and believes that it has not', async () => {
    const { state, asked, store } = setting()
    const headers = { 'last-modified': 'Sat, 31 Oct 2026 00:00:00 GMT', etag: '"1"' }
    state.reply = () => new Response(list(ca).der as Uint8Array<ArrayBuffer>, { headers })
    expect(await ask(store)).toBe('good')
    state.now += 7 * HOUR
    state.reply = () => new Response(null, { status: 304 })
    expect(await ask(store)).toBe('good')
    await settle()
    expect(asked[1]?.headers).toEqual({ 'if-modified-since': headers['last-modified'], 'if-none-match': '"1"' })
    expect(await ask(store)).toBe('good')
    await settle()
    expect(asked).toHaveLength(2)
  })

  it('the last good list serves while the server is down, until its nextUpdate', async () => {
    const { state, asked, store } = setting()
    expect(await ask(store)).toBe('good')
    state.reply = () => Promise.reject(new TypeError('fetch failed'))
    for (const later of [7 * HOUR, 3 * DAY, 6 * DAY - 1]) {
      state.now = NOW + later
      expect(await ask(store)).toBe('good')
      await settle()
    }
    expect(asked).toHaveLength(4)
    state.now = NOW + 6 * DAY
    expect(await ask(store)).toBe('ERR_CRL_FETCH_FAILED')
  })

  it.each<[string, () => Uint8Array | string]>([
    ['garbage', () => '<html>'],
    ["another CA's list of the same name", () => list(authority('Stored CA'), { thisUpdate: NOW + DAY, revoked }).der],
    ['an older list, replayed', () => list(ca, { thisUpdate: NOW - 2 * DAY, revoked }).der],
    ['an expired list', () => list(ca, { thisUpdate: NOW + HOUR, nextUpdate: NOW + 2 * HOUR, revoked }).der],
  ])('%s does not displace a good one', async (_, reply) => {
    const { state, asked, store } = setting()
    expect(await ask(store)).toBe('good')
    state.now += DAY
    state.reply = () => body(reply())
    expect(await ask(store)).toBe('good')
    await settle()
    expect(asked).toHaveLength(2)
    expect(await ask(store)).toBe('good')
  })

  it('a hold is looked at again, a revocation is not', async () => {
    const { state, asked, store } = setting()
    state.reply = () => body(list(ca, { revoked: [{ certificate: certificate.raw, reason: 'certificateHold' }] }).der)
    expect(await ask(store)).toBe('certificateHold')
    state.now += DAY
    state.reply = () => body(list(ca, { thisUpdate: NOW, revoked }).der)
    expect(await ask(store)).toBe('certificateHold')
    await settle()
    expect(await ask(store)).toBe('keyCompromise')
    state.now += 30 * DAY
    expect(await ask(store)).toBe('keyCompromise')
    await settle()
    expect(asked).toHaveLength(2)
  })

  it('the least recently used list goes where they are too many', async () => {
    const content = list(ca).der
    const { asked, fetch } = server({ [URL_1]: () => body(content), [URL_2]: () => body(content) })
    const store = new CrlStore({ fetch, now: () => NOW, maxCacheSize: content.length + 1024 })
    const second = leaf(ca, { crlUris: [URL_2] })
    expect(await ask(store)).toBe('good')
    expect(word(await store.isRevoked(second.raw, ca.raw))).toBe('good')
    expect(await ask(store)).toBe('good')
    expect(asked.map(({ url }) => url)).toEqual([URL_1, URL_2, URL_1])
  })
})

describe('options', () => {
  it.each<[string, object]>([
    ['unknown', { files: 'x' }],
    ['file', { file: '' }],
    ['file', { file: 5 }],
    ['path', { path: [''] }],
    ['path', { path: [5] }],
    ['online', { online: 'yes' }],
    ['fetch', { fetch: 'x' }],
    ['now', { now: 5 }],
    ['timeout', { timeout: 0 }],
    ['timeout', { timeout: Number.NaN }],
    ['maxSize', { maxSize: 2 ** 40 }],
    ['clockSkew', { clockSkew: '5' }],
  ])('%s %j is a TypeError', (_, options) => {
    expect(() => new CrlStore(options as CrlStoreOptions)).toThrow(TypeError)
  })

  it('a clock that is none refuses', async () => {
    await expect(ask(new CrlStore({ now: () => Number.NaN, online: false }))).rejects.toThrow(/"now"/)
    await expect(ask(offline({}), { now: Number.NaN })).rejects.toThrow(/"now"/)
    await expect(ask(offline({}), { when: 1 })).rejects.toThrow(/"when" option is not known/)
  })
})

/** 64 MiB: far more than is taken, and an end for the case that it were. */
function endless(): ReadableStream<Uint8Array> {
  let left = 64
  return new ReadableStream({
    pull: (controller) => (left-- > 0 ? controller.enqueue(new Uint8Array(1 << 20)) : controller.close()),
  })
}

function moved(location: string): Response {
  return new Response(null, { status: 301, headers: { location } })
}
