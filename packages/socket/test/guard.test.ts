import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { SessionStore } from '@x/session-cache'
import { afterEach, describe, expect, it } from 'vitest'
import { connect, type ConnectOptions, dial, startTls } from '../src/index.ts'
import { tcpPair } from './rigs.ts'
import { ourServer, refusal } from './server-support.ts'
import { authority, identity, rejection, tcpServer } from './support.ts'

// While something is waited for, no engine has the transport. An error of a stream that nobody listens to would end the process.
const ca = authority.ca
const uncaught: unknown[] = []
const onUncaught = (error: unknown): void => void uncaught.push(error)
process.on('uncaughtExceptionMonitor', onUncaught)
afterEach(() => {
  expect(uncaught.splice(0)).toEqual([])
})

const never = (): Promise<never> => new Promise(() => undefined)
const silent: SessionStore = { get: never, add: () => undefined, delete: () => undefined }

describe("a peer's reset", () => {
  it.each<readonly [string, Partial<ConnectOptions>, string]>([
    ['a store', { sessionCache: silent }, 'handshake'],
    ['a store, TLS record by record', { sessionCache: silent, stoppable: true }, 'handshake'],
    ['a store, with an observer', { sessionCache: silent, onMessage: () => undefined }, 'handshake'],
    ['a store, with a handler', { sessionCache: silent, onHandshakeError: () => undefined }, 'handshake'],
    ['the dialogue in clear', { starttls: never }, 'starttls'],
  ])('while a client waits for %s, is its error', async (_what, options, phase) => {
    const raw: Socket[] = []
    await using server = await tcpServer((socket) => raw.push(socket))
    const errors: unknown[] = []
    const opened = connect({ host: '127.0.0.1', port: server.port, ca, ...options }).catch((error) =>
      errors.push(error),
    )
    const socket = dial({ host: '127.0.0.1', port: server.port, ca, ...options }).on('error', (e) => errors.push(e))
    await once(socket, 'connect')
    while (raw.length < 2) await once(server.server, 'connection')
    for (const one of raw) one.resetAndDestroy()
    await Promise.all([opened, closed(socket)])
    expect(errors).toMatchObject([
      { code: 'ECONNRESET', phase },
      { code: 'ECONNRESET', phase },
    ])
  })

  it('while a server chooses a host, is a refusal', async () => {
    const hello = await helloOf()
    let asked = (): void => undefined
    const isAsked = new Promise<void>((resolve) => (asked = resolve))
    await using server = await ourServer({ onHello: () => (asked(), never()) })
    const refused = refusal(server)
    const client = connectTcp(server.port, '127.0.0.1').on('error', () => undefined)
    client.write(hello)
    await isAsked
    client.resetAndDestroy()
    expect(await refused).toMatchObject({ code: 'ECONNRESET', phase: 'handshake' })
    expect(server.connections).toBe(0)
  })

  it('while startTls() chooses a host, is a refusal', async () => {
    const { ours, theirs } = await tcpPair()
    let asked = (): void => undefined
    const isAsked = new Promise<void>((resolve) => (asked = resolve))
    const refused = rejection(startTls(ours, { isServer: true, onHello: () => (asked(), never()) }))
    theirs.on('error', () => undefined).write(await helloOf())
    await isAsked
    theirs.resetAndDestroy()
    expect(await refused).toMatchObject({ code: 'ECONNRESET' })
    expect(ours.destroyed).toBe(true)
  })

  it('while startTls() waits for a store, is a refusal', async () => {
    const { ours, theirs } = await tcpPair()
    const refused = rejection(
      startTls(ours, {
        host: 'localhost',
        ca,
        sessionCache: { ...silent, get: () => (theirs.resetAndDestroy(), never()) },
      }),
    )
    expect(await refused).toMatchObject({ code: 'ECONNRESET', phase: 'starttls' })
    expect(ours.destroyed).toBe(true)
  })
})

describe('nothing of it is left on the transport', () => {
  it('that the program gets back', async () => {
    await using server = await tcpServer(() => undefined)
    let left: number | undefined
    const onHandshakeError: ConnectOptions['onHandshakeError'] = (transport) => {
      left = transport.listenerCount('error')
      transport.destroy()
    }
    const starttls = (): Promise<never> => Promise.reject(new Error('no TLS here'))
    const options = { host: '127.0.0.1', port: server.port, ca, starttls, onHandshakeError }
    expect((await rejection(connect(options))).message).toBe('no TLS here')
    expect(left).toBe(0)
  })

  it('of a secure socket', async () => {
    const { ours, theirs } = await tcpPair()
    const before = [ours.listenerCount('error'), theirs.listenerCount('error')] as const
    const both = await Promise.all([
      startTls(ours, { host: 'localhost', ca }),
      startTls(theirs, { isServer: true, cert: identity.cert, key: identity.key }),
    ])
    // node:tls's and its engine's
    expect(ours.listenerCount('error')).toBe(before[0] + 2)
    expect(theirs.listenerCount('error')).toBe(before[1] + 2)
    for (const socket of both) {
      expect(socket.listenerCount('error')).toBe(0)
      socket.on('error', () => undefined).destroy()
    }
  })
})

/** Also where an error comes before. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()))
}

/** A ClientHello, as node:tls says it. */
async function helloOf(): Promise<Buffer> {
  let hello: Buffer | undefined
  await using server = await tcpServer((socket) => void socket.once('data', (chunk: Buffer) => (hello = chunk)).end())
  const client = connectTls({ host: '127.0.0.1', port: server.port, servername: 'localhost' }).on(
    'error',
    () => undefined,
  )
  await closed(client)
  return hello as Buffer
}
