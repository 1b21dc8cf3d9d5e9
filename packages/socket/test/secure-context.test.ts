import { once } from 'node:events'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSecureContext as createPlainContext, type SecureContext } from 'node:tls'
import { SessionCache } from '@x/session-cache'
import { createAuthority } from '@x/utils'
import { afterAll, describe, expect, it } from 'vitest'
import { connect, createSecureContext, listen } from '../src/index.ts'
import { BoundedMap, fileKey } from '../src/options/content-key.ts'
import { authority, identity, rejection, tlsServer } from './support.ts'

const ca = authority.ca
const stranger = createAuthority('stranger')
const folder = mkdtempSync(join(tmpdir(), 'socket-context-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('createSecureContext', () => {
  it('serves many connections, whose anchor and sessions are known', async () => {
    await using server = await tlsServer({ maxVersion: 'TLSv1.2' })
    const secureContext = await createSecureContext({ ca })
    const sessionCache = new SessionCache({ maxSize: 4 })
    for (const reused of [false, true]) {
      const socket = await connect({ host: 'localhost', port: server.port, secureContext, sessionCache })
      expect(socket.verification?.outcomes.chain).toMatchObject({
        result: 'passed',
        evidence: { anchor: "option 'ca'" },
      })
      socket.write('x')
      await once(socket, 'data')
      expect(socket.sessionReused).toBe(reused)
      socket.destroy()
    }
    const plain = await connect({ host: 'localhost', port: server.port, ca, sessionCache })
    expect(plain.sessionReused).toBe(false) // the context may have been changed since it was made
    plain.destroy()
  })

  it('one of node:tls has unknown CAs, and its sessions are never kept (rule 10)', async () => {
    await using server = await tlsServer({ maxVersion: 'TLSv1.2' })
    const secureContext = createPlainContext({ ca })
    const sessionCache = new SessionCache({ maxSize: 4 })
    const socket = await connect({ host: 'localhost', port: server.port, secureContext, sessionCache })
    socket.write('x')
    await once(socket, 'data')
    socket.destroy()
    expect(sessionCache.size).toBe(0)
  })

  it('a callback sees the errors that its own CAs leave', async () => {
    await using server = await tlsServer()
    const codes: string[] = []
    const secureContext = await createSecureContext({ ca: stranger.ca })
    const callback = ({ errors }: { readonly errors: readonly string[] }): boolean => {
      codes.push(...errors)
      return false
    }
    const error = await rejection(
      connect({ host: 'localhost', port: server.port, secureContext, verify: { callback } }),
    )
    expect(error).toMatchObject({ check: 'chain' })
    expect(codes).not.toEqual([])
  })

  it('refuses a peer that its CAs do not know', async () => {
    await using server = await tlsServer()
    const secureContext = await createSecureContext({ ca: [] })
    const error = await rejection(connect({ host: 'localhost', port: server.port, secureContext }))
    expect(error).toMatchObject({ code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' })
  })

  it.each([
    ['ca', { ca }],
    ['ciphers', { ciphers: 'HIGH' }],
    ['psk', { psk: { me: new Uint8Array(16) } }],
    ['onContext', { onContext: () => undefined }],
  ])('%s beside it is misuse (rule 12)', async (name, more) => {
    const secureContext = await createSecureContext({ ca })
    const error = await rejection(connect({ host: 'localhost', port: 1, secureContext, ...more }))
    expect(error).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE', message: expect.stringContaining(`'${name}'`) })
  })

  it.each([
    ['another option of connect', { verify: { name: 'x' } }, "'verify'"],
    ['a context', { secureContext: createPlainContext() }, "'secureContext'"],
    ['something unknown', { cafile: 'x' }, "'cafile'"],
  ])('%s is misuse', async (_what, options, message) => {
    const error = await rejection(createSecureContext(options as never))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain(message)
  })

  it('rejects with what is wrong with the credentials', async () => {
    const error = await rejection(createSecureContext({ cert: identity.cert, key: stranger.issue('x').key }))
    expect(error).toMatchObject({ code: 'ERR_SECURE_SOCKET_CREDENTIALS' })
  })

  it('serves servers, and brings their keys', async () => {
    const secureContext = await createSecureContext({
      cert: identity.cert,
      key: identity.key,
      ca,
      minVersion: 'TLSv1.3',
    })
    await using server = await listen({ host: '127.0.0.1', port: 0, secureContext })
    const { port } = server.address() as { port: number }
    const socket = await connect({ host: 'localhost', port, ca })
    socket.destroy()
    const old = await rejection(connect({ host: 'localhost', port, ca, maxVersion: 'TLSv1.2' }))
    expect(old).toMatchObject({ phase: 'handshake' })
  })

  it('brings its pre-shared key', async () => {
    const key = new Uint8Array(16).fill(3)
    const secureContext = await createSecureContext({ ca: [], psk: { identity: 'me', key } })
    await using server = await listen({ host: '127.0.0.1', port: 0, psk: { me: key } })
    const { port } = server.address() as { port: number }
    const socket = await connect({ host: '127.0.0.1', port, secureContext })
    expect(socket.pskIdentity).toBe('me')
    socket.destroy()
  })
})

describe('onContext', () => {
  it('is called once for equal options, and before anything is sent', async () => {
    await using server = await tlsServer()
    const contexts = new Set<SecureContext>()
    let calls = 0
    const onContext = (made: SecureContext): void => {
      calls++
      contexts.add(made)
    }
    for (let i = 0; i < 2; i++) (await connect({ host: 'localhost', port: server.port, ca: [ca], onContext })).destroy()
    expect([calls, contexts.size]).toEqual([1, 1])
    ;(await connect({ host: 'localhost', port: server.port, ca: [ca], onContext, ciphers: 'HIGH' })).destroy()
    expect([calls, contexts.size]).toEqual([2, 2])
  })

  it.each([
    ['a throw', () => raise(), 'broken'],
    ['a Promise', (): never => Promise.resolve() as never, "'onContext'"],
  ])('%s refuses', async (_what, onContext, message) => {
    await using server = await tlsServer()
    const error = await rejection(connect({ host: 'localhost', port: server.port, ca, onContext }))
    expect(error.message).toContain(message)
    expect(server.received()).toBe('')
  })

  it('sessions are not shared with connections that have another one, or none', async () => {
    await using server = await tlsServer({ maxVersion: 'TLSv1.2' })
    const sessionCache = new SessionCache({ maxSize: 4 })
    const where = { host: 'localhost', port: server.port, ca, sessionCache }
    const first = await connect({ ...where, onContext: () => undefined })
    first.write('x')
    await once(first, 'data')
    first.destroy()
    const second = await connect(where)
    expect(second.sessionReused).toBe(false)
    second.destroy()
  })
})

describe('contexts made from files', () => {
  it('are made anew when a file changes, in place or by another in its place', async () => {
    await using server = await tlsServer()
    const caFile = join(folder, 'ca.pem')
    const where = { host: 'localhost', port: server.port, caFile }
    writeFileSync(caFile, stranger.ca)
    expect(await rejection(connect(where))).toMatchObject({ code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' })
    writeFileSync(caFile, ca)
    ;(await connect(where)).destroy()
    writeFileSync(join(folder, 'next.pem'), stranger.ca)
    renameSync(join(folder, 'next.pem'), caFile)
    expect(await rejection(connect(where))).toMatchObject({ code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' })
  })

  it('of a directory, the files in it count', () => {
    const file = join(folder, 'entry.0')
    writeFileSync(file, 'one')
    const before = fileKey(folder)
    expect(fileKey(folder)).toBe(before)
    writeFileSync(file, 'three')
    expect(fileKey(folder)).not.toBe(before)
  })

  it('a missing file is an error of that connection', async () => {
    const error = await rejection(connect({ host: 'localhost', port: 1, caFile: join(folder, 'none.pem') }))
    expect(error).toMatchObject({ code: 'ENOENT' })
  })
})

describe('BoundedMap', () => {
  it('forgets what was used longest ago', () => {
    const map = new BoundedMap<number>(2)
    map.set('a', 1)
    map.set('b', 2)
    map.get('a')
    map.set('c', 3)
    expect([map.get('a'), map.get('b'), map.get('c')]).toEqual([1, undefined, 3])
  })
})

function raise(): never {
  throw new Error('broken')
}
