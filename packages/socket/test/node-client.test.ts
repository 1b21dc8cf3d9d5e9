import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect as connectTcp, createServer, type LookupFunction } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSecureContext, TLSSocket } from 'node:tls'
import { integer, sequence } from '@x/der'
import { SessionCache } from '@x/session-cache'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { authority, rejection, tcpServer, tlsServer } from './support.ts'

type Package = typeof import('../src/index.ts')

// A process's first client is made by tls.connect; the others are not, where Node's fields are what they were.
const host = '127.0.0.1'
const ca = authority.ca

beforeEach(() => void vi.resetModules())
afterEach(() => void vi.restoreAllMocks())

async function fresh(): Promise<Package> {
  return await import('../src/index.ts')
}

describe('what a client has to know of Node', () => {
  const secureContext = createSecureContext()
  const common = { secureContext, rejectUnauthorized: false, requestOCSP: false, minDHSize: 1_024 }
  const options = { ...common, servername: 'localhost' }
  const ignore = (): void => undefined

  async function learned(): Promise<boolean> {
    const { connectClient, dialClient } = await import('../src/engine/node-client.ts')
    await using server = await tcpServer(() => undefined)
    const address = { host, port: server.port }
    expect(dialClient(options, address, undefined, ignore)).toBeUndefined()
    const { tls } = connectClient({ ...options, ...address })
    const other = dialClient(options, address, undefined, ignore)
    for (const socket of [tls, other]) socket?.on('error', ignore).destroy()
    return other instanceof TLSSocket
  }

  it('does not matter for a path, which needs another handle', async () => {
    const { connectClient, dialClient } = await import('../src/engine/node-client.ts')
    await using server = await tcpServer(() => undefined)
    connectClient({ ...options, host, port: server.port })
      .tls.on('error', ignore)
      .destroy()
    expect(dialClient(options, { path: '/nowhere' }, undefined, ignore)).toBeUndefined()
  })

  it('is learned of the first that tls.connect makes', async () => {
    expect(await learned()).toBe(true)
  })

  it.each(['connect-options', 'verified', 'pendingSession'])('is not there without %s', async (name) => {
    const symbols = Object.getOwnPropertySymbols
    vi.spyOn(Object, 'getOwnPropertySymbols').mockImplementation((value) =>
      symbols(value).filter(({ description }) => description !== name),
    )
    expect(await learned()).toBe(false)
  })

  it.each(['getEphemeralKeyInfo', 'setSession'])('is not there without %s()', async (name) => {
    const prototype = TLSSocket.prototype as unknown as Record<string, unknown>
    const method = prototype[name]
    prototype[name] = undefined
    try {
      expect(await learned()).toBe(false)
    } finally {
      prototype[name] = method
    }
  })

  it('and without it, connections are made by tls.connect as before', async () => {
    const symbols = Object.getOwnPropertySymbols
    vi.spyOn(Object, 'getOwnPropertySymbols').mockImplementation((value) =>
      symbols(value).filter(({ description }) => description !== 'verified'),
    )
    const { connect } = await fresh()
    await using server = await tlsServer()
    const reused: boolean[] = []
    const sessionCache = new SessionCache()
    for (let i = 0; i < 3; i++) {
      const socket = await connect({ host, port: server.port, ca, sessionCache })
      reused.push(socket.sessionReused)
      socket.write('ping')
      await once(socket, 'data')
      socket.destroy()
    }
    expect(reused).toEqual([false, true, true])
  })
})

describe.each([
  ['the first client of a process', 0],
  ['another', 1],
] as const)('%s', (_which, before) => {
  /** A package whose next client is the one that is looked at. */
  async function next(): Promise<Package> {
    const found = await fresh()
    await using server = await tlsServer()
    for (let i = 0; i < before; i++) (await found.connect({ host, port: server.port, ca })).destroy()
    return found
  }

  it('refuses a Diffie-Hellman group of too few bits', async () => {
    const group = Buffer.from(sequence(integer(PRIME_OF_1024_BITS), integer(2n))).toString('base64')
    const dhparam = `-----BEGIN DH PARAMETERS-----\n${group}\n-----END DH PARAMETERS-----\n`
    const ciphers = 'DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0'
    const { cert, key } = authority.issue({ names: ['127.0.0.1'], privateKey: { type: 'rsa' } })
    await using server = await tlsServer({ cert, key, dhparam, ciphers, maxVersion: 'TLSv1.2' })
    const { connect } = await next()
    const options = { host, port: server.port, ca, ciphers, maxVersion: 'TLSv1.2' } as const
    const error = await rejection(connect(options))
    expect([error['code'], error['phase']]).toEqual(['ERR_TLS_DH_PARAM_SIZE', 'handshake'])
    expect(error.message).toContain('1024')
    const allowed = await connect({ ...options, minDHSize: 1_024 })
    expect(allowed.getCipher()?.name).toBe('DHE-RSA-AES128-GCM-SHA256')
    allowed.destroy()
    expect(server.received()).toBe('')
  })

  it.each(['end', 'destroy', 'resetAndDestroy'] as const)('rejects where the server goes by %s()', async (how) => {
    await using server = await tcpServer((socket) => {
      socket.once('data', () => {
        socket[how]()
      })
    })
    const { connect } = await next()
    const error = await rejection(connect({ host, port: server.port, ca }))
    expect([error['code'], error['phase'], error['port']]).toEqual(['ECONNRESET', 'handshake', server.port])
  })

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('keeps the sessions of %s and resumes by them', async (version) => {
    await using server = await tlsServer({ minVersion: version, maxVersion: version })
    const { connect } = await next()
    const sessionCache = new SessionCache()
    const reused: boolean[] = []
    for (let i = 0; i < 2; i++) {
      const socket = await connect({ host, port: server.port, ca, sessionCache })
      reused.push(socket.sessionReused)
      socket.write('ping')
      await once(socket, 'data')
      socket.destroy()
    }
    expect(reused).toEqual([false, true])
  })

  it('connects to a path', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'x-path-'))
    await using server = await tlsServer()
    const local = createServer((socket) => {
      const onward = connectTcp(server.port, host)
      socket.on('error', () => onward.destroy()).pipe(onward)
      onward.on('error', () => socket.destroy()).pipe(socket)
    }).listen(join(folder, 's'))
    try {
      await once(local, 'listening')
      const { connect } = await next()
      const socket = await connect({ path: join(folder, 's'), servername: 'localhost', ca })
      socket.write('ping')
      expect(String((await once(socket, 'data'))[0])).toBe('ping')
      socket.destroy()
      const error = await rejection(connect({ path: join(folder, 'none'), servername: 'localhost', ca }))
      expect([error['code'], error['phase']]).toEqual(['ENOENT', 'connect'])
    } finally {
      local.close()
      rmSync(folder, { recursive: true })
    }
  })

  it('tells of a lookup that answers at once, and with what cannot be connected to', async () => {
    const { connect } = await next()
    const lookup = ((_name: string, _options: object, done: (...answer: unknown[]) => void) =>
      done(null, '::1', 4)) as LookupFunction
    const sessionCache = new SessionCache()
    const error = await rejection(
      connect({ host: 'localhost', port: 9, ca, lookup, autoSelectFamily: false, sessionCache }),
    )
    expect(error['phase']).toBe('connect')
    expect(typeof error['code']).toBe('string')
  })

  const address = { address: '127.0.0.1', family: 4 }
  const misanswers: readonly [string, LookupFunction][] = [
    ['no address', (_name, _options, done) => done(null, [])],
    ['nothing', (_name, _options, done) => (done as () => void)()],
    ['null', (_name, _options, done) => done(null, [null as never])],
    ['a number', (_name, _options, done) => done(null, [{ address: 1 as never, family: 4 }])],
    ['a string instead of a list', (_name, _options, done) => done(null, '127.0.0.1', 4)],
    ['an error that is none', (_name, _options, done) => done('boom' as never, [address])],
    [
      'an exception',
      () => {
        throw new TypeError('of the program')
      },
    ],
    [
      'an error first, and then an address',
      (_name, _options, done) => {
        done(Object.assign(new Error('no'), { code: 'ENOTFOUND' }), [])
        done(null, [address])
      },
    ],
  ]
  it.each(misanswers)('refuses a lookup that answers with %s', async (_what, lookup) => {
    const { connect } = await next()
    const error = await rejection(connect({ host: 'localhost', port: 9, ca, lookup, autoSelectFamily: true }))
    expect(error).toBeInstanceOf(Error)
    expect(error['phase']).toBe('resolve')
  })

  it('tells of no lookup behind the end', async () => {
    const { dial } = await next()
    let answer: (() => void) | undefined
    const lookup = ((_name: string, _options: object, done: (...answer: unknown[]) => void) => {
      answer = () => done(null, '127.0.0.1', 4)
    }) as LookupFunction
    const socket = dial({ host: 'localhost', port: 9, ca, lookup, autoSelectFamily: false })
    const told: string[] = []
    for (const event of ['lookup', 'close', 'error']) socket.on(event, () => told.push(event))
    await new Promise(setImmediate)
    socket.destroy()
    await once(socket, 'close')
    answer?.()
    await new Promise(setImmediate)
    expect(told).toEqual(['close'])
  })

  it('gives a session back that OpenSSL does not take, and leaves no connection', async () => {
    let connections = 0
    await using server = await tlsServer({ maxVersion: 'TLSv1.3', minVersion: 'TLSv1.3' })
    const { connect } = await next()
    const sessionCache = new SessionCache()
    const options = { host, port: server.port, ca, sessionCache }
    const first = await connect(options)
    first.write('ping')
    await once(first, 'data')
    first.destroy()
    await once(first, 'close')
    const before = sessionCache.size
    server.server.on('connection', () => connections++)
    const setSession = vi.spyOn(TLSSocket.prototype as unknown as { setSession(): void }, 'setSession')
    setSession.mockImplementation(() => {
      throw Object.assign(new Error('no session'), { code: 'ERR_CRYPTO_OPERATION_FAILED' })
    })
    expect((await rejection(connect(options)))['code']).toBe('ERR_CRYPTO_OPERATION_FAILED')
    setSession.mockRestore()
    expect(sessionCache.size).toBe(before)
    const again = await connect(options)
    expect(again.sessionReused).toBe(true)
    again.destroy()
    expect(connections).toBe(1)
  })

  it('writes on after the server has ended its side', async () => {
    await using server = await tlsServer({ allowHalfOpen: true }, (socket) => {
      socket.end('bye')
    })
    const { connect } = await next()
    const socket = await connect({ host, port: server.port, ca, allowHalfOpen: true })
    socket.resume()
    await once(socket, 'end')
    socket.end('still here')
    await once(socket, 'close')
    await vi.waitFor(() => expect(server.received()).toBe('still here'))
  })
})

/** RFC 2409, 6.2. */
const PRIME_OF_1024_BITS = BigInt(
  '0xffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437' +
    '4fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7edee386bfb5a899fa5ae9f24117c4b1fe649286651ece65381ffffffffffffffff',
)
