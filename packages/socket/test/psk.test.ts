import { once } from 'node:events'
import { type SecureVersion, type TlsOptions, type TLSSocket, connect as connectTls } from 'node:tls'
import { SessionCache } from '@x/session-cache'
import { describe, expect, it } from 'vitest'
import { connect, type ConnectOptions, dial, listen, type ListenOptions, PeerRefusedError } from '../src/index.ts'
import { PskKeys, parsePsk } from '../src/options/psk.ts'
import { authority, identity, rejection, tlsServer } from './support.ts'

const key = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex')
const other = Buffer.alloc(16, 7)
const versions = ['TLSv1.2', 'TLSv1.3'] as const
const exactly = (version: SecureVersion) => ({ minVersion: version, maxVersion: version })
/** Suites with which a node:tls peer takes a pre-shared key of ours. */
const suites = 'TLS_AES_128_GCM_SHA256:ECDHE-PSK-CHACHA20-POLY1305:PSK-AES128-GCM-SHA256:HIGH'

const pskServer = (options: TlsOptions = {}) =>
  tlsServer({
    cert: undefined,
    key: undefined,
    ciphers: suites,
    pskCallback: (_socket: TLSSocket, name: string) => (name === 'me' ? key : null),
    ...options,
  })
const withKey = (psk: ConnectOptions['psk'], more: ConnectOptions = {}): ConnectOptions => ({
  host: '127.0.0.1',
  ca: authority.ca,
  verify: { name: 'localhost' },
  ...(psk === undefined ? {} : { psk }),
  ...more,
})

describe.each(versions)('a client with a pre-shared key, %s', (version) => {
  const limits = exactly(version)

  it('is connected by the key alone, and the evidence says so', async () => {
    await using server = await pskServer(limits)
    const socket = await connect(withKey({ identity: 'me', key }, { port: server.port, ca: [] }))
    expect(socket.getProtocol()).toBe(version)
    expect(socket.pskIdentity).toBe('me')
    expect(socket.authorized).toBe(true)
    expect(socket.sessionReused).toBe(false)
    expect(socket.verification?.outcomes.chain).toEqual({
      result: 'passed',
      evidence: { path: [], anchor: 'psk', proven: 'now' },
    })
    expect(socket.verification?.outcomes.name).toMatchObject({ waiver: { by: 'option', option: 'psk' } })
    socket.write('ping')
    expect(String((await once(socket, 'data'))[0])).toBe('ping')
    socket.destroy()
  })

  it.each([
    ['another key', { identity: 'me', key: other }],
    ['an identity that the server does not know', { identity: 'stranger', key }],
    ['no sole key to choose', { one: key, two: other }],
  ])('is refused with %s', async (_what, psk) => {
    await using server = await pskServer(limits)
    const error = await rejection(connect(withKey(psk, { port: server.port, ...limits })))
    expect(error).toMatchObject({ phase: 'handshake' })
    expect(server.received()).toBe('')
  })

  it.each([
    ['a trusted certificate passes by it', {}, undefined],
    ['an untrusted certificate is refused', { ca: [] }, 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'],
    ['another name is refused', { verify: { name: 'other.example.org' } }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ] as const)('offered but not taken: %s', async (_what, more, code) => {
    await using server = await tlsServer({ ...limits, ciphers: 'HIGH:TLS_AES_128_GCM_SHA256' })
    const attempt = connect(withKey({ identity: 'me', key }, { port: server.port, ...more }))
    if (code === undefined) {
      const socket = await attempt
      expect(socket.pskIdentity).toBeUndefined()
      expect(socket.verification?.outcomes.chain).toMatchObject({ result: 'passed', evidence: { proven: 'now' } })
      expect(socket.peerCertificates()).not.toEqual([])
      socket.destroy()
    } else {
      const error = await rejection(attempt)
      expect(error).toBeInstanceOf(PeerRefusedError)
      expect(error).toMatchObject({ code })
      expect(server.received()).toBe('')
    }
  })

  it('no session is kept or offered beside it', async () => {
    await using server = await tlsServer({
      ...limits,
      ciphers: suites,
      pskCallback: (_socket: TLSSocket, name: string) => (name === 'me' ? key : null),
    })
    const sessionCache = new SessionCache({ maxSize: 10 })
    for (const psk of [
      { identity: 'me', key },
      { identity: 'stranger', key },
    ]) {
      if (version === 'TLSv1.2' && psk.identity === 'stranger') continue // ends in an alert
      const socket = await connect(withKey(psk, { port: server.port, sessionCache }))
      socket.write('ping')
      await once(socket, 'data')
      expect(socket.pskIdentity).toBe(psk.identity === 'me' ? 'me' : undefined)
      socket.destroy()
    }
    expect(sessionCache.size).toBe(0)
  })
})

it('a server without certificate and key agreement by certificate is refused (rule 4)', async () => {
  await using server = await tlsServer({
    cert: undefined,
    key: undefined,
    ...exactly('TLSv1.2'),
    ciphers: 'ADH-AES128-GCM-SHA256:@SECLEVEL=0',
    dhparam: 'auto',
  })
  const error = await rejection(
    connect(
      withKey(
        { identity: 'me', key },
        { port: server.port, ciphers: 'ADH-AES128-GCM-SHA256:PSK:@SECLEVEL=0', minDHSize: 1024 },
      ),
    ),
  )
  expect(error).toMatchObject({ code: 'ERR_SECURE_SOCKET_NO_PEER_CERTIFICATE', check: 'chain' })
})

describe.each(versions)('a server with pre-shared keys, %s', (version) => {
  const limits = exactly(version)
  const serve = async (options: ListenOptions) => {
    const server = await listen({ host: '127.0.0.1', port: 0, ...limits, ...options })
    const identities: (string | undefined)[] = []
    server.on('connection', (socket) => {
      identities.push(socket.pskIdentity)
      socket.pipe(socket)
    })
    return { server, identities, port: (server.address() as { port: number }).port }
  }

  it('knows its clients by identity, and takes the default for others', async () => {
    const { server, identities, port } = await serve({ psk: { alice: key, '': other } })
    await using _closing = server
    for (const psk of [
      { identity: 'alice', key },
      { identity: '__proto__', key: other },
    ]) {
      const socket = await connect(withKey(psk, { port, ca: [] }))
      expect(socket.pskIdentity).toBe(psk.identity)
      socket.write('x')
      await once(socket, 'data')
      socket.destroy()
    }
    const named = await rejection(connect(withKey({ identity: 'alice', key: other }, { port })))
    expect(named).toMatchObject({ phase: 'handshake' })
    expect(identities).toEqual(['alice', '__proto__'])
  })

  it('refuses clients without the key although it has a certificate, unless told that they may come', async () => {
    const strict = await serve({ psk: { alice: key }, cert: identity.cert, key: identity.key })
    await using _one = strict.server
    const refusal = once(strict.server, 'tlsClientError')
    const client = dial({ ...withKey(undefined), port: strict.port }).on('error', () => undefined)
    client.on('data', () => expect.unreachable())
    client.write('x')
    expect((await refusal)[0]).toMatchObject({ code: 'ERR_SECURE_SOCKET_NO_PEER_CERTIFICATE' })
    client.destroy()
    const known = await connect({ ...withKey({ identity: 'alice', key }), port: strict.port })
    expect(known.pskIdentity).toBe('alice')
    known.destroy()
    const lax = await serve({ psk: { alice: key }, cert: identity.cert, key: identity.key, requestCert: false })
    await using _two = lax.server
    const anyone = await connect({ ...withKey(undefined), port: lax.port })
    anyone.write('x')
    await once(anyone, 'data')
    expect(lax.identities).toEqual([undefined])
    anyone.destroy()
  })

  it('never takes a ticket for a key: there are none', async () => {
    const { server, port } = await serve({
      psk: { alice: key },
      cert: identity.cert,
      key: identity.key,
      requestCert: false,
    })
    await using _closing = server
    const once = (session?: Buffer): Promise<{ reused: boolean; session: Buffer | undefined }> =>
      new Promise((resolve, reject) => {
        let latest: Buffer | undefined
        const socket = connectTls({
          port,
          host: '127.0.0.1',
          ca: authority.ca,
          servername: 'localhost',
          ...(session === undefined ? {} : { session }),
        })
        socket.on('session', (received: Buffer) => (latest = received)).on('error', reject)
        socket.on('data', () => {
          resolve({ reused: socket.isSessionReused(), session: latest ?? socket.getSession() })
          socket.destroy()
        })
        socket.write('x')
      })
    const first = await once()
    expect((await once(first.session)).reused).toBe(false)
  })
})

it('our client and our server agree on TLS 1.3 and the key where both are left to themselves', async () => {
  const server = await listen({ host: '127.0.0.1', port: 0, psk: { me: key }, cert: identity.cert, key: identity.key })
  await using _closing = server
  const socket = await connect(withKey({ identity: 'me', key }, { port: (server.address() as { port: number }).port }))
  expect([socket.getProtocol(), socket.pskIdentity]).toEqual(['TLSv1.3', 'me'])
  socket.destroy()
})

describe('option psk', () => {
  it.each([
    ['a string', 'secret'],
    ['bytes', key],
    ['a list', [key]],
    ['a key that is text', { identity: 'me', key: 'secret' }],
    ['an empty key', { identity: 'me', key: new Uint8Array(0) }],
    ['a key that is too long', { identity: 'me', key: new Uint8Array(257) }],
    ['an empty identity', { identity: '', key }],
    ['an identity with NUL', { 'me\0you': key }],
    ['an identity that is too long', { ['x'.repeat(129)]: key }],
    ['something else beside identity and key', { identity: 'me', key, hint: 'x' }],
    ['no key at all', {}],
  ])('%s is misuse', async (_what, psk) => {
    const error = await rejection(connect({ port: 1, host: 'localhost', psk: psk as never }))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toMatch(/^option 'psk/)
  })

  it('excludes a ready context, and plain options cannot keep it', async () => {
    const { tlsOptions } = await import('../src/index.ts')
    expect(() => tlsOptions({ psk: { identity: 'me', key } })).toThrow("option 'psk'")
  })

  it.each([
    ['the hint, where it is known', { a: key, b: other }, 'b', 'b'],
    ['a sole key', { a: key }, 'b', 'a'],
    ['a sole key without a hint', { a: key }, null, 'a'],
    ['the default', { a: key, '': other }, null, 'io_socket_ssl'],
    ['nothing where the choice is open', { a: key, b: other }, 'c', undefined],
    ['nothing for an empty hint with several', { a: key, b: other }, '', undefined],
  ])('a client offers %s', (_what, psk, hint, expected) => {
    expect(parsePsk(psk, 'psk').offer(hint)?.identity).toBe(expected)
  })

  it('keys are copied', () => {
    const mine = Uint8Array.from(key)
    const keys = parsePsk({ identity: 'me', key: mine }, 'psk')
    mine.fill(0)
    expect(keys).toBeInstanceOf(PskKeys)
    expect(keys.find('me')).toEqual(Uint8Array.from(key))
  })
})
