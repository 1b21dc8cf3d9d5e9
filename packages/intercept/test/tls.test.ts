import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, type ConnectionOptions, createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls'
import { createAuthority, generateKeySync, type CertificateInput } from '@x/utils'
import { afterEach, describe, expect, it } from 'vitest'
import { Interceptor } from '../src/index.ts'
import { DAY, origin, originCa, proxyCa } from './samples.ts'

const now = Date.now()
const validity = { notBefore: now - DAY, notAfter: now + DAY }
const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function listen(options: TlsOptions): Promise<number> {
  const server = createServer(options, (socket) => socket.end('hello'))
  server.on('tlsClientError', () => undefined)
  servers.push(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return (server.address() as AddressInfo).port
}

/** Resolves with what the server said, or with the error's code. */
async function ask(port: number, options: ConnectionOptions): Promise<string> {
  const socket: TLSSocket = connect({ port, host: '127.0.0.1', servername: 'www.example.org', ...options })
  try {
    let text = ''
    let secure = false
    socket.once('secureConnect', () => {
      secure = true
    })
    for await (const chunk of socket) text += String(chunk)
    return secure ? text : 'closed'
  } catch (error) {
    return String((error as { code?: unknown }).code)
  } finally {
    socket.destroy()
  }
}

const ca = proxyCa.certificate.toString()

describe('a server with a clone', () => {
  it.each(['ec', 'rsa'] as const)('is trusted by a client that trusts the CA (%s)', async (type) => {
    const interceptor = new Interceptor(proxyCa)
    const { certificate } = origin({ ...validity, mustStaple: false, privateKey: generateKeySync(type) })
    const { cert, key } = interceptor.clone(certificate)
    const port = await listen({ cert, key })
    expect(await ask(port, { ca })).toBe('hello')
    expect(await ask(port, { ca: originCa.certificate.toString() })).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE')
    expect(await ask(port, { ca, servername: 'other.example.org' })).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
  })

  it('of an intermediate CA sends the way to the root', async () => {
    const root = createAuthority('Root')
    const intermediate = root.issue({ ca: true })
    const interceptor = new Interceptor({
      certificate: intermediate.cert,
      privateKey: intermediate.privateKey,
    })
    const port = await listen(interceptor.clone(origin(validity).certificate))
    expect(await ask(port, { ca: root.cert })).toBe('hello')
  })

  it.each([
    ['expired', 'CERT_HAS_EXPIRED', () => origin({ notBefore: now - 2 * DAY, notAfter: now - DAY }).certificate, {}],
    [
      'not yet valid',
      'CERT_NOT_YET_VALID',
      () => origin({ notBefore: now + DAY, notAfter: now + 2 * DAY }).certificate,
      {},
    ],
    ['self-signed', 'DEPTH_ZERO_SELF_SIGNED_CERT', () => createAuthority('www.example.org').certificate, {}],
    [
      'said to be untrusted',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      () => origin(validity).certificate,
      { untrusted: true },
    ],
  ] as const)('is refused by a client that trusts the CA, where the origin is %s', async (_, code, make, options) => {
    const certificate = make()
    const mirroring = await listen({
      SNICallback: (_, done) => done(null, new Interceptor(proxyCa).secureContext(certificate, options)),
    })
    expect(await ask(mirroring, { ca })).toBe(code)
    if ('untrusted' in options || code === 'DEPTH_ZERO_SELF_SIGNED_CERT') return
    const hiding = await listen(new Interceptor({ ...proxyCa, mirrorInvalidity: false }).clone(certificate))
    expect(await ask(hiding, { ca })).toBe('hello')
  })
})

describe('secureContext', () => {
  it('is made once for each clone', () => {
    const interceptor = new Interceptor({ ...proxyCa, cacheSize: 1 })
    const [a, b] = [origin().certificate, origin().certificate]
    const context = interceptor.secureContext(a)
    expect(interceptor.secureContext(a)).toBe(context)
    expect(interceptor.secureContext(b)).not.toBe(context)
    expect(interceptor.secureContext(a)).not.toBe(context)
    expect(interceptor.secureContext(a, 'host')).not.toBe(interceptor.secureContext(a, { untrusted: true }))
  })
})

describe('sniCallback', () => {
  const interceptor = new Interceptor(proxyCa)
  const { certificate } = origin(validity)
  const lookups: readonly [title: string, lookup: (name: string) => unknown, answer: string][] = [
    ['serves the clone of what it finds', () => certificate, 'hello'],
    ['waits for a Promise', () => Promise.resolve(certificate.raw), 'hello'],
    ['fails where there is nothing', () => undefined, 'refused'],
    [
      'fails where the lookup throws',
      () => {
        throw new RangeError('no')
      },
      'refused',
    ],
    ['fails where the lookup rejects', () => Promise.reject(new RangeError('no')), 'refused'],
    ['fails where the lookup throws no error', () => Promise.reject('no'), 'refused'],
    ['fails where the certificate is broken', () => new Uint8Array(7), 'refused'],
    ['fails where the certificate is none', () => 7, 'refused'],
  ]
  it.each(lookups)('%s', async (_, lookup, answer) => {
    const names: string[] = []
    const SNICallback = interceptor.sniCallback((name) => {
      names.push(name)
      return lookup(name) as CertificateInput
    })
    // Without a context, Node would answer with this certificate.
    const standby = createAuthority('Standby').issue('www.example.org')
    const port = await listen({ SNICallback, cert: standby.cert, key: standby.key })
    const said = await ask(port, { ca: [ca, standby.ca] })
    expect(names).toEqual(['www.example.org'])
    if (answer === 'hello') expect(said).toBe('hello')
    else expect(said).toMatch(/^(closed|ECONNRESET|ERR_SSL_.*)$/)
  })

  it('tells by its code that there is no certificate', async () => {
    const error = await new Promise((resolve) => {
      interceptor.sniCallback(() => undefined)('x'.repeat(1000), (error) => resolve(error))
    })
    expect(error).toMatchObject({ name: 'InterceptError', code: 'ERR_INTERCEPT_NO_ORIGIN' })
  })
})
