import { SessionCache } from '@x/session-cache'
import { createAuthority, fingerprint } from '@x/utils'
import { describe, expect, it } from 'vitest'
import { connect, type ConnectOptions } from '../src/index.ts'
import { authority, identity, rejection, tlsServer, visit } from './support.ts'

const ca = authority.ca
const versions = ['TLSv1.2', 'TLSv1.3'] as const

const nothing = (): void => undefined

describe.each(versions)('sessions, %s', (version) => {
  const limits = { minVersion: version, maxVersion: version } as const

  it('resume where everything that decides trust is the same, judged by the entry', async () => {
    await using server = await tlsServer()
    const sessionCache = new SessionCache()
    const options = { host: 'localhost', port: server.port, ca, sessionCache, ...limits }
    const first = await visit(options)
    const second = await visit(options)
    const third = await visit(options)
    expect([first, second, third].map((socket) => socket.sessionReused)).toEqual([false, true, true])
    expect(second.verification?.resumed).toBe(true)
    expect(second.verification?.outcomes.chain).toMatchObject({ result: 'passed', evidence: { proven: 'earlier' } })
    expect(second.verification?.outcomes.name).toMatchObject({ result: 'passed', evidence: { entry: 'localhost' } })
    expect(second.peerCertificates()[0]?.raw).toEqual(identity.certificate.raw)
  })

  const pin = fingerprint(identity.certificate)
  const attacks: readonly [string, Partial<ConnectOptions>, string][] = [
    ['another CA', { ca: createAuthority('stranger').ca }, 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'],
    ['another name', { verify: { name: 'other.example.org' } }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    [
      'a pin added since',
      { verify: { fingerprints: pin.replace(/.$/, (last) => (last === '0' ? '1' : '0')), forceFingerprints: true } },
      'ERR_SECURE_SOCKET_FINGERPRINT_MISMATCH',
    ],
    ['a callback added since', { verify: { callback: () => false } }, 'ERR_SECURE_SOCKET_CALLBACK_REFUSED'],
    [
      'an identity check added since',
      { checkServerIdentity: () => Object.assign(new Error('no'), { code: 'REFUSED' }) },
      'REFUSED',
    ],
    ['a stricter scheme', { verify: { scheme: 'rfc9525', name: 'sub.localhost' } }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ]
  it.each(attacks)('are not offered under %s', async (_what, changed, code) => {
    await using server = await tlsServer()
    const sessionCache = new SessionCache()
    const options = { host: 'localhost', port: server.port, ca, sessionCache, ...limits }
    await visit(options)
    expect(sessionCache.size).toBeGreaterThan(0)
    expect(await rejection(connect({ ...options, ...changed }))).toMatchObject({ code, check: expect.any(String) })
  })

  it('earned without verification are never kept', async () => {
    await using server = await tlsServer()
    const sessionCache = new SessionCache()
    await visit({ host: 'localhost', port: server.port, rejectUnauthorized: false, sessionCache, ...limits })
    expect(sessionCache.size).toBe(0)
  })

  it('of a refused peer are never kept', async () => {
    await using server = await tlsServer()
    const sessionCache = new SessionCache()
    await rejection(
      connect({
        host: 'localhost',
        port: server.port,
        ca,
        sessionCache,
        verify: { name: 'other.example.org' },
        ...limits,
      }),
    )
    expect(sessionCache.size).toBe(0)
  })

  it('with another client certificate or other protocol limits make a full handshake', async () => {
    await using server = await tlsServer({ requestCert: true, rejectUnauthorized: false })
    const sessionCache = new SessionCache()
    const options = { host: 'localhost', port: server.port, ca, sessionCache, ...limits }
    await visit(options)
    const client = authority.issue({ names: 'client', purpose: 'client' })
    expect((await visit({ ...options, cert: client.cert, key: client.key })).sessionReused).toBe(false)
    expect((await visit({ ...options, ciphers: 'ECDHE+AESGCM:TLS_AES_128_GCM_SHA256' })).sessionReused).toBe(false)
    expect((await visit({ ...options, ALPNProtocols: ['http/1.1'] })).sessionReused).toBe(false)
  })

  it('are shared between ports under one sessionKey', async () => {
    const ticketKeys = Buffer.alloc(48, 7)
    await using one = await tlsServer({ ticketKeys })
    await using other = await tlsServer({ ticketKeys })
    const options = { host: 'localhost', ca, sessionCache: new SessionCache(), sessionKey: 'service', ...limits }
    await visit({ ...options, port: one.port })
    expect((await visit({ ...options, port: other.port })).sessionReused).toBe(true)
  })

  it('are refused as raw bytes', async () => {
    expect(
      await rejection(connect({ host: 'localhost', port: 1, session: Buffer.alloc(1) } as ConnectOptions)),
    ).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
  })

  it.each([
    [
      'fails',
      { get: () => Promise.reject(new Error('down')), add: () => Promise.reject(new Error('down')), delete: nothing },
    ],
    ['throws', { get: () => expect.unreachable(), add: () => expect.unreachable(), delete: nothing }],
    ['answers nonsense', { get: () => ({ session: Buffer.alloc(8) }) as never, add: nothing, delete: nothing }],
  ])('of a store that %s cost a full handshake and no more', async (_what, sessionCache) => {
    await using server = await tlsServer()
    expect((await visit({ host: 'localhost', port: server.port, ca, sessionCache, ...limits })).sessionReused).toBe(
      false,
    )
  })
})
