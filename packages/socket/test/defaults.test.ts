import { once } from 'node:events'
import { SessionCache } from '@x/session-cache'
import { createAuthority, fingerprint } from '@x/utils'
import { afterEach, describe, expect, it, vi } from 'vitest'
import * as socket from '../src/index.ts'
import { effectiveOptions } from '../src/options/defaults.ts'
import { authority, identity, rejection, tlsServer } from './support.ts'

const { connect, createSecureContext, listen, setClientDefaults, setDefaultContext, setDefaults } = socket
const { setDefaultSessionCache, setOptionsFilter, setServerDefaults, tlsOptions } = socket
const ca = authority.ca
const pin = fingerprint(identity.certificate)
const stranger = createAuthority('stranger')

/** A second copy of the package in the same process, with modules of its own. */
async function anotherCopy(): Promise<typeof socket> {
  vi.resetModules()
  return await import('../src/index.ts')
}

const slot = Symbol.for('@x/socket:defaults')
afterEach(() => {
  Reflect.deleteProperty(globalThis, slot)
})

describe('defaults', () => {
  it('count where a connection says nothing, and give way where it does', async () => {
    await using server = await tlsServer()
    setDefaults({ ca })
    const one = await connect({ host: 'localhost', port: server.port })
    one.destroy()
    const error = await rejection(connect({ host: 'localhost', port: server.port, ca: stranger.ca }))
    expect(error).toMatchObject({ code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' })
  })

  it('merge by key: a name for one connection does not drop the pins for all (rule 15)', async () => {
    await using server = await tlsServer()
    setDefaults({ ca, verify: { fingerprints: [`sha256$${'00'.repeat(32)}`], forceFingerprints: true } })
    const error = await rejection(
      connect({ host: '127.0.0.1', port: server.port, verify: { name: 'www.example.org' } }),
    )
    expect(error).toMatchObject({ code: 'ERR_SECURE_SOCKET_FINGERPRINT_MISMATCH' })
    setDefaults({ verify: { fingerprints: [pin] } }) // forceFingerprints stays
    const other = await connect({ host: '127.0.0.1', port: server.port, verify: { name: 'www.example.org' } })
    expect(other.verification?.outcomes.fingerprint).toMatchObject({ result: 'passed' })
    other.destroy()
    const forced = await rejection(
      connect({ host: 'localhost', port: server.port, verify: { fingerprints: [`sha256$${'00'.repeat(32)}`] } }),
    )
    expect(forced).toMatchObject({ code: 'ERR_SECURE_SOCKET_FINGERPRINT_MISMATCH' })
  })

  it.each([
    ['CAs', { caFile: 'wide.pem', caPath: 'wide' }, { ca }, { ca }],
    ['credentials', { certFile: 'a', keyFile: 'b', passphrase: 'c' }, { cert: 'x' }, { cert: 'x' }],
    ['no group', { ciphers: 'HIGH' }, { ca }, { ciphers: 'HIGH', ca }],
    ['undefined counts as nothing given', { ciphers: 'HIGH' }, { ciphers: undefined }, { ciphers: 'HIGH' }],
  ])('%s count all together', (_what, defaults, given, expected) => {
    setDefaults(defaults)
    expect({ ...effectiveOptions('connect', given) }).toEqual(expected)
  })

  it('of clients and of servers win over those for both, and each option goes only where it applies', () => {
    setDefaults({ ciphers: 'both', minDHSize: 1024 })
    setClientDefaults({ ciphers: 'client' })
    setServerDefaults({ ciphers: 'server', requestCert: 'required' })
    expect({ ...effectiveOptions('connect', {}) }).toEqual({ ciphers: 'client', minDHSize: 1024 })
    expect({ ...effectiveOptions('listen', {}) }).toEqual({ ciphers: 'server', requestCert: 'required' })
    expect({ ...effectiveOptions('startTls', { isServer: true }) }).toMatchObject({ ciphers: 'server', isServer: true })
    setClientDefaults({ ciphers: undefined })
    expect({ ...effectiveOptions('connect', {}) }).toMatchObject({ ciphers: 'both' })
  })

  it('a default policy contradicts the off switch of a connection', async () => {
    setDefaults({ verify: { fingerprints: [pin] } })
    const error = await rejection(connect({ host: 'localhost', port: 1, rejectUnauthorized: false }))
    expect(error).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE', message: expect.stringContaining("'verify'") })
  })

  it('the off switch as a default warns each time', async () => {
    await using server = await tlsServer()
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    try {
      setDefaults({ rejectUnauthorized: false })
      for (let i = 0; i < 2; i++) (await connect({ host: 'localhost', port: server.port })).destroy()
      const codes = warn.mock.calls.map(([, options]) => (options as unknown as { code: string }).code)
      expect(codes.filter((code) => code === 'X_SOCKET_UNVERIFIED_BY_DEFAULT')).toHaveLength(2)
    } finally {
      warn.mockRestore()
    }
  })

  it.each([
    ['an unknown option', { verifyMode: 1 }],
    ['a wrong value', { minVersion: 'SSLv3' }],
    ['a malformed pin', { verify: { fingerprints: ['nonsense'] } }],
    ['what each connection says', { host: 'localhost' }],
    ['a context', { secureContext: {} }],
    ['a session cache', { sessionCache: {} }],
    ['a raw session', { session: Buffer.alloc(1) }],
    ['inherited options', Object.create({ ciphers: 'HIGH' })],
    ['no object', 'x'],
  ])('%s is misuse at once, and nothing is kept', (_what, options) => {
    expect(() => setDefaults(options as never)).toThrow(TypeError)
    const given = {}
    expect(effectiveOptions('connect', given)).toBe(given)
  })

  it('a key __proto__ is unknown, not a prototype', async () => {
    setDefaults({ ciphers: 'HIGH' })
    const options = JSON.parse('{"host":"localhost","port":1,"__proto__":{"rejectUnauthorized":false}}') as object
    const error = await rejection(connect(options as never))
    expect(error).toMatchObject({ message: expect.stringContaining("'__proto__' is not known") })
  })

  it('plain options for drivers keep them, or refuse those that they cannot keep', () => {
    setDefaults({ ca, minVersion: 'TLSv1.3' })
    setDefaultSessionCache(new SessionCache({ maxSize: 2 }))
    expect(tlsOptions()).toMatchObject({ minVersion: 'TLSv1.3', rejectUnauthorized: true })
    setDefaults({ revocation: { staple: 'must' } })
    expect(() => tlsOptions()).toThrow("option 'revocation'")
  })
})

describe('two copies of the package', () => {
  it('share one state, and each reads it by itself', async () => {
    await using server = await tlsServer()
    const other = await anotherCopy()
    expect(other.connect).not.toBe(connect)
    other.setDefaults({ ca: stranger.ca })
    const error = await rejection(connect({ host: 'localhost', port: server.port }))
    expect(error).toMatchObject({ code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' })
    setDefaults({ ca })
    ;(await other.connect({ host: 'localhost', port: server.port })).destroy()
    setOptionsFilter(() => {
      throw new Error('not today')
    })
    await expect(other.connect({ host: 'localhost', port: server.port })).rejects.toThrow('not today')
  })
})

describe('setOptionsFilter', () => {
  it('has the last word, and its word is read like any other', async () => {
    await using server = await tlsServer()
    const seen: unknown[] = []
    setDefaults({ ca: stranger.ca, verify: { scheme: 'http' } })
    setOptionsFilter((role, options) => {
      seen.push(role, options['verify'])
      return { ...options, ca }
    })
    const given = { host: 'localhost', port: server.port, verify: { name: 'www.example.org' } }
    const one = await connect(given)
    expect(one.authorized).toBe(true)
    one.destroy()
    expect(seen).toEqual(['client', { scheme: 'http', name: 'www.example.org' }])
    setOptionsFilter((_role, options) => ({ ...options, verifyMode: 1 }))
    expect(await rejection(connect(given))).toMatchObject({ message: expect.stringContaining("'verifyMode'") })
  })

  it('can enforce verification against a library that switches it off', async () => {
    await using server = await tlsServer()
    setOptionsFilter((_role, { rejectUnauthorized: _off, ...options }) => options)
    const error = await rejection(connect({ host: 'localhost', port: server.port, ca: [], rejectUnauthorized: false }))
    expect(error).toMatchObject({ code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' })
  })

  it.each([
    ['a throw', () => raise(), 'broken'],
    ['a Promise', () => Promise.resolve({}), "option 'filter'"],
    ['nothing', () => undefined, "option 'filter'"],
    ['inherited options', (_role: string, options: object) => Object.create(options), 'is inherited'],
    ['a list', () => [], "option 'filter'"],
  ])('%s refuses', async (_what, filter, message) => {
    await using server = await tlsServer()
    setOptionsFilter(filter as never)
    const error = await rejection(connect({ host: 'localhost', port: server.port, ca }))
    expect(error.message).toContain(message)
    expect(server.received()).toBe('')
    await expect(listen({ port: 0, cert: identity.cert, key: identity.key })).rejects.toThrow(message)
  })

  it('what it says cannot be changed in the program’s own objects', async () => {
    const verify = { name: 'www.example.org' }
    setOptionsFilter((_role, options) => {
      ;(options['verify'] as { name: string }).name = 'changed.example'
      return options
    })
    await rejection(connect({ host: 'localhost', port: 1, ca, verify }))
    expect(verify.name).toBe('www.example.org')
  })

  it("'useDefaults' ignores what a program says about trust, but not whom it wants", async () => {
    await using server = await tlsServer()
    setDefaults({ ca })
    setOptionsFilter('useDefaults')
    const sloppy = { host: '127.0.0.1', port: server.port, rejectUnauthorized: false, ca: [] as never[] }
    const one = await connect({ ...sloppy, verify: { name: 'localhost', fingerprints: [] } } as never)
    expect(one.authorized).toBe(true)
    expect(one.verification?.outcomes.name).toMatchObject({ evidence: { host: 'localhost' } })
    one.destroy()
    const error = await rejection(connect({ ...sloppy, verify: { name: 'other.example.org' } } as never))
    expect(error).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  })

  it('anything else is misuse', () => {
    expect(() => setOptionsFilter('use_defaults' as never)).toThrow("option 'filter'")
  })
})

describe('setDefaultContext', () => {
  it('serves those that say nothing about contexts; any such option disables it', async () => {
    await using server = await tlsServer()
    setDefaults({ ca: stranger.ca })
    setDefaultContext(await createSecureContext({ ca }))
    ;(await connect({ host: 'localhost', port: server.port })).destroy()
    for (const given of [{ ciphers: 'HIGH' }, { minVersion: 'TLSv1.3' as const }, { ca: stranger.ca }]) {
      const error = await rejection(connect({ host: 'localhost', port: server.port, ...given }))
      expect(error).toMatchObject({ code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' })
    }
    setDefaultContext(undefined)
    const error = await rejection(connect({ host: 'localhost', port: server.port }))
    expect(error).toMatchObject({ code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' })
  })

  it('serves servers too', async () => {
    setDefaultContext(await createSecureContext({ ca, cert: identity.cert, key: identity.key }))
    await using server = await listen({ host: '127.0.0.1', port: 0 })
    const { port } = server.address() as { port: number }
    ;(await connect({ host: 'localhost', port })).destroy()
  })

  it('anything but a context is misuse', () => {
    expect(() => setDefaultContext({} as never)).toThrow(TypeError)
  })
})

describe('setDefaultSessionCache', () => {
  it('serves clients that give none', async () => {
    await using server = await tlsServer({ maxVersion: 'TLSv1.2' })
    const cache = new SessionCache({ maxSize: 4 })
    setDefaultSessionCache(cache)
    const own = new SessionCache({ maxSize: 4 })
    for (const [sessionCache, reused] of [
      [undefined, false],
      [undefined, true],
      [own, false],
    ] as const) {
      const one = await connect({
        host: 'localhost',
        port: server.port,
        ca,
        ...(sessionCache === undefined ? {} : { sessionCache }),
      })
      one.write('x')
      await once(one, 'data')
      expect(one.sessionReused).toBe(reused)
      one.destroy()
    }
    expect([cache.size > 0, own.size > 0]).toEqual([true, true])
    setDefaultSessionCache(undefined)
    const last = await connect({ host: 'localhost', port: server.port, ca })
    expect(last.sessionReused).toBe(false)
    last.destroy()
  })

  it('anything but a store is misuse', () => {
    expect(() => setDefaultSessionCache({} as never)).toThrow(TypeError)
  })
})

function raise(): never {
  throw new Error('broken')
}
