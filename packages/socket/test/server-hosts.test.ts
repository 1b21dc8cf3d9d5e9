import { createSecureContext } from 'node:tls'
import { describe, expect, it } from 'vitest'
import type { ListenOptions } from '../src/index.ts'
import { accepted, echoing, ourServer, refusal, visit } from './server-support.ts'
import { authority, identity, rejection } from './support.ts'

const pem = (names: string[], type: 'ec' | 'rsa' = 'ec') => {
  const { cert, key } = authority.issue({ names, subject: { commonName: `${names[0]} ${type}` }, privateKey: { type } })
  return { cert, key }
}
const foo = pem(['foo.example.org'])
const wild = pem(['*.example.org'])
const other = pem(['default.example.net'])
const rsa = pem(['foo.example.org'], 'rsa')
const versions = ['TLSv1.2', 'TLSv1.3'] as const

async function served(options: ListenOptions) {
  const server = await ourServer(options)
  echoing(server)
  return server
}

describe('hosts', () => {
  const hosts = { 'Foo.Example.ORG': foo, '*.example.org': wild, '': other }

  it.each([
    ['foo.example.org', 'CN=foo.example.org ec'],
    ['FOO.example.org', 'CN=foo.example.org ec'],
    ['bar.example.org', 'CN=*.example.org ec'],
    ['a.bar.example.org', 'CN=default.example.net ec'],
    ['example.org', 'CN=default.example.net ec'],
    ['elsewhere.example.com', 'CN=default.example.net ec'],
    ['', 'CN=default.example.net ec'],
  ])('%s gets its certificate', async (servername, subject) => {
    await using server = await served({ hosts })
    for (const version of versions) {
      const found = await visit(server.port, {
        servername,
        checkServerIdentity: () => undefined,
        minVersion: version,
        maxVersion: version,
      })
      expect(found).toMatchObject({ error: undefined, answer: 'ping', subject, protocol: version })
    }
  })

  it('refuses other names with an alert where there is no default, before any certificate', async () => {
    await using server = await served({ hosts: { 'foo.example.org': foo } })
    const told = refusal(server)
    const found = await visit(server.port, { servername: 'bar.example.org' })
    expect(found.error?.code).toBe('ERR_SSL_TLSV1_UNRECOGNIZED_NAME')
    expect(await told).toMatchObject({ code: 'ERR_SECURE_SOCKET_UNRECOGNIZED_NAME', host: '127.0.0.1' })
    const unnamed = refusal(server)
    expect((await visit(server.port, { servername: '' })).error).toBeDefined()
    expect(await unnamed).toMatchObject({ code: 'ERR_SECURE_SOCKET_UNRECOGNIZED_NAME' })
  })

  it("takes the server's own certificate where no other name fits", async () => {
    await using server = await served({ hosts: { 'foo.example.org': foo }, ...other })
    expect((await visit(server.port, { checkServerIdentity: () => undefined })).subject).toBe(
      'CN=default.example.net ec',
    )
  })

  it.each([
    ['ECDSA', 'ECDHE-ECDSA-AES128-GCM-SHA256', 'CN=foo.example.org ec'],
    ['RSA', 'ECDHE-RSA-AES128-GCM-SHA256', 'CN=foo.example.org rsa'],
  ])('several certificates of a host: %s', async (_what, ciphers, subject) => {
    await using server = await served({ hosts: { 'foo.example.org': [rsa, foo], '': other } })
    const limits = { servername: 'foo.example.org', ciphers, maxVersion: 'TLSv1.2' } as const
    expect(await visit(server.port, limits)).toMatchObject({ error: undefined, subject })
    // of a host with one certificate no other's is shown (SNICallback would show the default context's)
    await using single = await served({ hosts: { 'foo.example.org': foo, '': rsa } })
    const found = await visit(single.port, limits)
    if (ciphers.includes('ECDSA')) expect(found.subject).toBe(subject)
    else expect(found.error?.code).toBeDefined()
  })

  it('have ciphers, versions and protocols of their own', async () => {
    await using server = await served({
      ALPNProtocols: ['h2', 'http/1.1'],
      hosts: {
        'foo.example.org': { ...foo, ciphers: 'TLS_CHACHA20_POLY1305_SHA256', minVersion: 'TLSv1.3' },
        'bar.example.org': { ...wild, maxVersion: 'TLSv1.2', ALPNProtocols: ['imap'] },
      },
    })
    expect(await visit(server.port, { servername: 'foo.example.org', ALPNProtocols: ['http/1.1'] })).toMatchObject({
      cipher: 'TLS_CHACHA20_POLY1305_SHA256',
      alpn: 'http/1.1',
    })
    expect((await visit(server.port, { servername: 'foo.example.org', maxVersion: 'TLSv1.2' })).error).toBeDefined()
    expect(await visit(server.port, { servername: 'bar.example.org', ALPNProtocols: ['imap'] })).toMatchObject({
      protocol: 'TLSv1.2',
      alpn: 'imap',
    })
    expect((await visit(server.port, { servername: 'bar.example.org', ALPNProtocols: ['h2'] })).error?.code).toBe(
      'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
    )
  })

  it('are replaced while running; what is wrong changes nothing', async () => {
    await using server = await served({ hosts: { '': foo } })
    const subject = async () => (await visit(server.port, { checkServerIdentity: () => undefined })).subject
    expect(await subject()).toBe('CN=foo.example.org ec')
    await server.setHosts({ '': other })
    expect(await subject()).toBe('CN=default.example.net ec')
    expect(await rejection(server.setHosts({ '': { ...foo, key: other.key } }))).toMatchObject({
      code: 'ERR_SECURE_SOCKET_CREDENTIALS',
    })
    expect(await rejection(server.setHosts({}))).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
    expect(await subject()).toBe('CN=default.example.net ec')
  })

  it.each([
    ['an empty record', {}],
    ['a name that is none', { 'a b': foo }],
    ['a wildcard elsewhere', { 'a.*.org': foo }],
    ['the same name twice', { 'foo.org': foo, 'FOO.org.': foo }],
    ['an unknown option', { '': { ...foo, sessionCache: {} } }],
    ['a policy in a further certificate', { '': [foo, { ...rsa, requestCert: true }] }],
    ['no certificate at all', { '': [] }],
    ['a wrong value', { '': { ...foo, minVersion: 'SSLv3' } }],
  ])('refuse %s', async (_what, wrong) => {
    const error = await rejection(ourServer({ hosts: wrong as never }))
    expect(error).toBeInstanceOf(TypeError)
    expect(error['code']).toMatch(/^ERR_INVALID_ARG_/)
  })
})

describe('onHello', () => {
  it('chooses by what the client said, asynchronously', async () => {
    await using server = await served({
      hosts: { '': other },
      onHello: async ({ servername, alpnProtocols, versions: offered }) => {
        await Promise.resolve()
        expect(offered).toContain(0x0304)
        if (servername === 'nobody.example.org') return null
        if (servername === 'ready.example.org') return createSecureContext(identity)
        return alpnProtocols.includes('special') ? { ...foo, ALPNProtocols: ['special'] } : undefined
      },
    })
    const anyone = { checkServerIdentity: () => undefined }
    const special = await visit(server.port, { ...anyone, ALPNProtocols: ['special'] })
    expect(special).toMatchObject({ subject: 'CN=foo.example.org ec', alpn: 'special' })
    expect((await visit(server.port, anyone)).subject).toBe('CN=default.example.net ec')
    expect((await visit(server.port, { ...anyone, servername: 'ready.example.org' })).answer).toBe('ping')
    expect((await visit(server.port, { ...anyone, servername: 'nobody.example.org' })).error?.code).toBe(
      'ERR_SSL_TLSV1_UNRECOGNIZED_NAME',
    )
  })

  it.each([
    ['throws', () => Promise.reject(Object.assign(new Error('no'), { code: 'MINE' })), 'MINE'],
    ['throws at once', () => expect.unreachable(), undefined],
    ['answers nonsense', () => 'yes' as never, 'ERR_INVALID_ARG_TYPE'],
    ['answers an unknown option', () => ({ certificate: '' }) as never, 'ERR_INVALID_ARG_VALUE'],
    ['never answers', () => new Promise<undefined>(() => undefined), 'ERR_SECURE_SOCKET_HANDSHAKE_TIMEOUT'],
  ])('that %s refuses the client', async (_what, onHello, code) => {
    await using server = await served({ hosts: { '': other }, onHello, handshakeTimeout: 200 })
    const told = refusal(server)
    expect((await visit(server.port)).error).toBeDefined()
    const error = await told
    if (code !== undefined) expect(error['code']).toBe(code)
    expect(server.handshakes).toBe(0)
  })
})

describe('the accepted socket', () => {
  it.each(versions)('has what the client said, and its fingerprints (%s)', async (version) => {
    await using server = await served({ ALPNProtocols: ['b'] })
    const seen = accepted(server).then(({ clientHello, servername, alpnProtocol }) => ({
      clientHello,
      servername,
      alpnProtocol,
    }))
    await visit(server.port, { ALPNProtocols: ['a', 'b'], maxVersion: version })
    const { clientHello, servername, alpnProtocol } = await seen
    expect({ servername, alpnProtocol }).toEqual({ servername: 'localhost', alpnProtocol: 'b' })
    expect(clientHello).toMatchObject({ servername: 'localhost', alpnProtocols: ['a', 'b'] })
    expect(clientHello?.fingerprint.ja3).toMatch(/^[0-9a-f]{32}$/)
    expect(clientHello?.fingerprint.ja4).toMatch(version === 'TLSv1.3' ? /^t13d/ : /^t12d/)
  })
})
