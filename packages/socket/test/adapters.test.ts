import { connect as connectHttp2, createSecureServer } from 'node:http2'
import { createServer as createHttps, get as getHttps, request as requestHttps, type RequestOptions } from 'node:https'
import { once } from 'node:events'
import { type AddressInfo } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { SessionCache } from '@x/session-cache'
import { createAuthority, fingerprint } from '@x/utils'
import { Agent as UndiciAgent, fetch } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connector, createAgent, createConnection, SecureSocket, tlsOptions } from '../src/index.ts'
import { authority, identity, rejection, tlsServer } from './support.ts'

const ca = authority.ca
const server = createHttps({ cert: identity.cert, key: identity.key }, (request, response) => {
  let length = 0
  request
    .on('data', (chunk: Buffer) => (length += chunk.length))
    .on('end', () => response.end(`${request.method} ${request.url} ${length}`))
})
let port: number
beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

interface Answer {
  readonly body: string
  readonly socket: SecureSocket
}

function request(options: RequestOptions, body?: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = requestHttps({ host: 'localhost', port, path: '/path', ...options }, (response) => {
      let text = ''
      const socket = response.socket as unknown as SecureSocket
      response
        .setEncoding('utf8')
        .on('data', (part: string) => (text += part))
        .on('end', () => resolve({ body: text, socket }))
    })
    sent.on('error', reject)
    if (body !== undefined) sent.write(body)
    sent.end()
  })
}

describe('createAgent', () => {
  it('serves https, with keep-alive and a large body', async () => {
    const agent = createAgent({ ca, verify: { scheme: 'http' } }, { keepAlive: true, maxSockets: 1 })
    const first = await request({ agent, method: 'POST' }, Buffer.alloc(300_000))
    const second = await request({ agent })
    expect([first.body, second.body]).toEqual(['POST /path 300000', 'GET /path 0'])
    expect(first.socket).toBeInstanceOf(SecureSocket)
    expect(second.socket).toBe(first.socket)
    expect(first.socket.verification?.outcomes.name).toMatchObject({ result: 'passed', evidence: { scheme: 'http' } })
    agent.destroy()
  })

  it('refuses a wrong peer for every request, resumed or not', async () => {
    const agent = createAgent({
      ca,
      sessionCache: new SessionCache(),
      checkServerIdentity: () => Object.assign(new Error('no'), { code: 'NO' }),
    })
    for (let at = 0; at < 3; at++) expect(await rejection(request({ agent }))).toMatchObject({ code: 'NO' })
    agent.destroy()
  })

  it('keeps requests of different policy apart', async () => {
    const agent = createAgent({ ca }, { keepAlive: true })
    await request({ agent })
    const pinned = {
      agent,
      verify: { fingerprints: `sha256$${'00'.repeat(32)}`, forceFingerprints: true },
    } as RequestOptions
    expect(await rejection(request(pinned))).toMatchObject({ code: 'ERR_SECURE_SOCKET_FINGERPRINT_MISMATCH' })
    expect(await rejection(request({ agent, ca: createAuthority('stranger').ca }))).toMatchObject({
      code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    })
    agent.destroy()
  })

  it('keeps its pins where a request says another name, and does not share what has changed since', async () => {
    const fingerprints = `sha256$${'00'.repeat(32)}`
    const agent = createAgent({ ca, verify: { fingerprints, forceFingerprints: true } })
    const named = { agent, verify: { name: 'localhost' } } as RequestOptions
    expect(await rejection(request(named))).toMatchObject({ code: 'ERR_SECURE_SOCKET_FINGERPRINT_MISMATCH' })
    agent.destroy()
    const keeping = createAgent({ ca }, { keepAlive: true })
    const verify: { name: string } = { name: 'localhost' }
    await request({ agent: keeping, verify } as RequestOptions)
    verify.name = 'other.example.org'
    expect(await rejection(request({ agent: keeping, verify } as RequestOptions))).toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    })
    keeping.destroy()
  })

  it('refuses wrong options when it is made, and a raw session later', async () => {
    expect(() => createAgent({ verfy: {} } as object)).toThrow(TypeError)
    expect(() => createAgent({ host: 'localhost' } as object)).toThrow(TypeError)
    const agent = createAgent({ ca })
    expect(() => getHttps({ host: 'localhost', port, agent, session: Buffer.alloc(1) } as RequestOptions)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
    )
  })

  it('resumes by our cache', async () => {
    const agent = createAgent({ ca, sessionCache: new SessionCache() })
    await request({ agent })
    expect((await request({ agent })).socket.sessionReused).toBe(true)
    agent.destroy()
  })
})

describe('connector', () => {
  it('serves undici and its fetch', async () => {
    const dispatcher = new UndiciAgent({ connect: connector({ ca }) })
    const response = await fetch(`https://localhost:${port}/fetched`, {
      dispatcher,
      method: 'POST',
      body: 'x'.repeat(1000),
    })
    expect(await response.text()).toBe('POST /fetched 1000')
    await dispatcher.destroy()
  })

  it('refuses a wrong peer', async () => {
    const dispatcher = new UndiciAgent({ connect: connector({ ca, verify: { name: 'other.example.org' } }) })
    const error = await rejection(fetch(`https://localhost:${port}/`, { dispatcher }))
    expect(error.cause).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
    await dispatcher.destroy()
  })

  it('resumes sequential connections by our cache', async () => {
    const sessionCache = new SessionCache()
    const resumed: boolean[] = []
    for (let at = 0; at < 5; at++) {
      // TLS 1.2 sessions may be used again; OpenSSL's servers give no new ticket on a resumed TLS 1.3 connection
      const connect = connector({ ca, sessionCache, maxVersion: 'TLSv1.2' })
      const watching: typeof connect = (where, done) =>
        connect(where, (...result) => {
          if (result[1] instanceof SecureSocket) resumed.push(result[1].sessionReused)
          done(...result)
        })
      const dispatcher = new UndiciAgent({ connect: watching })
      await (await fetch(`https://localhost:${port}/`, { dispatcher })).text()
      await dispatcher.close()
    }
    expect(resumed).toEqual([false, true, true, true, true])
  })
})

describe('createConnection', () => {
  it('serves http2', async () => {
    const h2 = createSecureServer({ cert: identity.cert, key: identity.key }, (_request, response) =>
      response.end('over h2'),
    ).listen(0, '127.0.0.1')
    await once(h2, 'listening')
    const session = connectHttp2(`https://localhost:${(h2.address() as AddressInfo).port}`, {
      createConnection: createConnection({ ca }),
    })
    const stream = session.request({ ':path': '/' })
    let text = ''
    for await (const part of stream.setEncoding('utf8')) text += part as string
    expect(text).toBe('over h2')
    session.close()
    const refusing = connectHttp2(`https://localhost:${(h2.address() as AddressInfo).port}`, {
      createConnection: createConnection({ ca: [] }),
    })
    const [error] = (await once(refusing, 'error')) as [Error]
    expect(error).toMatchObject({ code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' })
    h2.close()
  })
})

describe('tlsOptions', () => {
  async function visit(options: Parameters<typeof tlsOptions>[0]): Promise<string> {
    await using target = await tlsServer()
    const socket = connectTls({ host: 'localhost', port: target.port, ...tlsOptions(options) })
    try {
      await once(socket, 'secureConnect')
      return 'accepted'
    } catch (error) {
      return (error as { code: string }).code
    } finally {
      socket.destroy()
    }
  }

  it('keeps what plain options can keep', async () => {
    expect(await visit({ ca })).toBe('accepted')
    expect(await visit({ ca, verify: { name: 'other.example.org' } })).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
    expect(await visit({ ca: createAuthority('stranger').ca })).toMatch(/UNABLE_TO/)
    expect(
      await visit({ ca, verify: { fingerprints: fingerprint(identity.certificate), forceFingerprints: true } }),
    ).toBe('accepted')
    expect(await visit({ ca, verify: { fingerprints: `sha256$${'00'.repeat(32)}`, forceFingerprints: true } })).toBe(
      'ERR_SECURE_SOCKET_FINGERPRINT_MISMATCH',
    )
    expect(tlsOptions({ ca }).rejectUnauthorized).toBe(true)
  })

  it('keeps pins beside an identity check of the program’s own, whose answer is read as it stands', async () => {
    const wrong = { fingerprints: `sha256$${'00'.repeat(32)}`, forceFingerprints: true }
    const right = { fingerprints: fingerprint(identity.certificate), forceFingerprints: true }
    const accept = (): undefined => undefined
    expect(await visit({ ca, checkServerIdentity: accept, verify: right })).toBe('accepted')
    expect(await visit({ ca, checkServerIdentity: accept, verify: wrong })).toBe(
      'ERR_SECURE_SOCKET_FINGERPRINT_MISMATCH',
    )
    expect(await visit({ ca, verify: { forceFingerprints: true } })).toBe('ERR_SECURE_SOCKET_FINGERPRINT_MISMATCH')
    const no = Object.assign(new Error('no'), { code: 'NO' })
    expect(await visit({ ca, checkServerIdentity: () => no })).toBe('NO')
    const late = (() => Promise.reject(no)) as unknown as () => undefined
    expect(await visit({ ca, checkServerIdentity: late })).toBe('ERR_SECURE_SOCKET_CHECK_FAILED')
    const pins = [right.fingerprints]
    const options = { ca, verify: { fingerprints: pins, forceFingerprints: true } }
    const plain = tlsOptions(options)
    pins[0] = wrong.fingerprints
    expect(plain.checkServerIdentity?.('localhost', identity.certificate.toLegacyObject())).toBeUndefined()
  })

  it.each([
    ['a callback', { verify: { callback: () => true } }],
    ['pins that accept an invalid chain', { verify: { fingerprints: `sha256$${'00'.repeat(32)}` } }],
    ['must', { revocation: { staple: 'must' as const } }],
    ['hard', { revocation: { failure: 'hard' as const } }],
    ['no verification', { rejectUnauthorized: false }],
    ['a list', { crl: 'x' }],
    ['an own session cache', { sessionCache: new SessionCache() }],
    ['a scheme that is a function', { verify: { scheme: () => true } }],
    ['a context’s callback', { onContext: () => undefined }],
    ['a dialogue', { starttls: () => Promise.resolve() }],
    ['an unknown option', { foo: 1 }],
  ])('refuses %s', (_what, options: object) => {
    expect(() => tlsOptions(options)).toThrow(TypeError)
  })
})
