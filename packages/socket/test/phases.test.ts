import { once } from 'node:events'
import type { AddressInfo, LookupFunction } from 'node:net'
import { connect as connectTcp, createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { EngineSink, TlsEngine } from '../src/engine/engine.ts'
import { coreOf } from '../src/facade.ts'
import { connect, type ConnectOptions, dial } from '../src/index.ts'
import { policyFor } from '../src/options/policy.ts'
import { resolve } from '../src/options/resolve.ts'
import { makeSocket } from '../src/secure-socket.ts'
import { authority, rejection, tcpServer, tlsServer } from './support.ts'

const ca = authority.ca
const never: LookupFunction = () => undefined
const silent = () => tcpServer((socket) => void socket.resume())

/** A port on which nobody listens. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

describe('an abort ends the connection in every phase, with its reason', () => {
  const phases: readonly (readonly [string, (port: number) => ConnectOptions, 'silent' | 'tls'])[] = [
    ['resolving', () => ({ host: 'never.example', lookup: never, port: 1 }), 'silent'],
    ['handshaking', (port) => ({ host: '127.0.0.1', servername: 'localhost', port }), 'silent'],
    [
      'verifying',
      (port) => ({ host: 'localhost', port, verify: { callback: () => new Promise(() => undefined) } }),
      'tls',
    ],
    [
      'the dialogue before TLS',
      (port) => ({ host: 'localhost', port, starttls: () => new Promise(() => undefined) }),
      'silent',
    ],
  ]
  it.each(phases)('%s', async (_phase, options, kind) => {
    await using server = kind === 'tls' ? await tlsServer() : await silent()
    const abort = new AbortController()
    const socket = dial({ ca, ...options(server.port), signal: abort.signal })
    const errors: (Error & { code?: string })[] = []
    socket.on('error', (error) => errors.push(error))
    const closed = new Promise((resolve) => socket.on('close', resolve))
    if (kind === 'tls') await once(server.server, 'secureConnection')
    else await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    abort.abort()
    await closed
    expect(errors.map(({ code }) => code)).toEqual(['ABORT_ERR'])
    expect(socket.phase).toBe('closed')
  })

  it('on all of fifty sockets that it is given to, without a warning of a leak', async () => {
    await using server = await silent()
    const warnings: Error[] = []
    const onWarning = (warning: Error): void => void warnings.push(warning)
    process.on('warning', onWarning)
    const abort = new AbortController()
    const options = { host: '127.0.0.1', servername: 'localhost', port: server.port, ca, signal: abort.signal }
    const closed = Array.from({ length: 50 }, async () => {
      const socket = dial(options)
      const error = once(socket, 'error') as Promise<[Error]>
      await once(socket, 'connect')
      return (await error)[0].name
    })
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    abort.abort()
    expect(new Set(await Promise.all(closed))).toEqual(new Set(['AbortError']))
    process.off('warning', onWarning)
    expect(warnings).toEqual([])
  })

  it('before it began', async () => {
    const error = await rejection(connect({ host: 'localhost', port: 1, ca, signal: AbortSignal.abort() }))
    expect(error).toMatchObject({ code: 'ABORT_ERR' })
  })

  it('secure', async () => {
    await using server = await tlsServer()
    const abort = new AbortController()
    const socket = await connect({ host: 'localhost', port: server.port, ca, signal: abort.signal })
    const failed = once(socket, 'error')
    abort.abort()
    expect((await failed)[0]).toMatchObject({ code: 'ABORT_ERR' })
  })
})

describe('a deadline', () => {
  it('of the handshake: the server is silent', async () => {
    await using server = await silent()
    const error = await rejection(connect({ host: 'localhost', port: server.port, ca, handshakeTimeout: 20 }))
    expect(error).toMatchObject({ code: 'ERR_SECURE_SOCKET_HANDSHAKE_TIMEOUT', phase: 'handshake' })
  })

  it('of the checks: the callback is silent', async () => {
    await using server = await tlsServer()
    const verify = { callback: () => new Promise<boolean>(() => undefined), callbackTimeout: 20 }
    const error = await rejection(connect({ host: 'localhost', port: server.port, ca, verify }))
    expect(error).toMatchObject({ code: 'ERR_SECURE_SOCKET_CHECK_TIMEOUT', phase: 'verify' })
  })

  it('of idleness, while resolving and when secure: the program decides', async () => {
    const socket = dial({ host: 'never.example', port: 1, ca, lookup: never, timeout: 20 })
    await once(socket, 'timeout')
    socket.destroy()
    await using server = await tlsServer()
    const idle = dial({ host: 'localhost', port: server.port, ca, timeout: 20 })
    await Promise.all([once(idle, 'timeout'), once(idle, 'ready')])
    expect(idle.phase).toBe('secure')
    idle.destroy()
  })
})

describe('errors say in which phase', () => {
  const failing: LookupFunction = (_host, _options, done) => {
    const error = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' })
    setImmediate(done, error, '', 4)
  }

  it('resolve', async () => {
    const error = await rejection(connect({ host: 'none.example', port: 7, ca, lookup: failing }))
    expect(error).toMatchObject({ code: 'ENOTFOUND', phase: 'resolve', host: 'none.example', port: 7 })
  })

  it('resolve, of the program’s own socket too', async () => {
    const socket = dial({
      socket: connectTcp({ host: 'nowhere.invalid', port: 1, lookup: failing }),
      host: '127.0.0.1',
      ca,
    })
    let lookups = 0
    socket.on('lookup', () => lookups++)
    expect((await once(socket, 'error').catch((error: unknown) => [error]))[0]).toMatchObject({ phase: 'resolve' })
    expect(lookups).toBe(1)
  })

  it('connect', async () => {
    const port = await freePort()
    const error = await rejection(connect({ host: '127.0.0.1', port, ca, servername: 'localhost' }))
    expect(error).toMatchObject({ code: 'ECONNREFUSED', phase: 'connect', host: '127.0.0.1', port })
  })
})

describe('happy eyeballs', () => {
  const both: LookupFunction = (_host, options, done) => {
    const all = [
      { address: '::1', family: 6 },
      { address: '127.0.0.1', family: 4 },
    ]
    if (options.all === true) (done as unknown as (error: null, found: typeof all) => void)(null, all)
    else done(null, '127.0.0.1', 4)
  }

  it('goes on to the next address where the first refuses, and checks the name all the same', async () => {
    await using server = await tlsServer() // on 127.0.0.1 alone
    const where = { host: 'localhost', port: server.port, ca, lookup: both, autoSelectFamily: true }
    const socket = await connect({ ...where, autoSelectFamilyAttemptTimeout: 100 })
    expect(socket.remoteAddress).toBe('127.0.0.1')
    expect(socket.autoSelectFamilyAttemptedAddresses).toEqual([`::1:${server.port}`, `127.0.0.1:${server.port}`])
    socket.destroy()
    const error = await rejection(connect({ ...where, host: 'other.example.org' }))
    expect(error).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID', host: 'other.example.org' })
  })

  it('tells all of them where every address refuses', async () => {
    const port = await freePort()
    const error = await rejection(connect({ host: 'localhost', port, ca, lookup: both, autoSelectFamily: true }))
    expect(error).toMatchObject({ code: 'ECONNREFUSED', phase: 'connect', host: 'localhost', port })
    expect((error as unknown as AggregateError).errors).toHaveLength(2)
  })
})

describe('an engine that fails behind its handshake', () => {
  it('in the tick in which that has settled: the peer is refused', async () => {
    const socket = makeSocket({})
    let sink: EngineSink | undefined
    const engine = {
      kind: 'native',
      tls: { servername: 'localhost', getProtocol: () => 'TLSv1.3' },
      attach: (given: EngineSink) => void (sink = given),
      handshake: () => {
        const settled = Promise.resolve({ chain: [], source: 'handshake', pskUsed: false })
        sink?.failed(new RangeError('broken meanwhile'))
        return settled
      },
      destroy: () => undefined,
    } as unknown as TlsEngine
    // checks that would pass
    const policy = policyFor('client', resolve('connect', { rejectUnauthorized: false }), undefined)
    const secured = coreOf(socket.on('error', () => undefined)).secure(engine, policy, 1_000)
    expect(await rejection(secured)).toMatchObject({ message: 'broken meanwhile' })
    expect(socket.verification).toBeUndefined()
    socket.destroy()
  })
})
