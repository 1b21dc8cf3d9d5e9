import { once } from 'node:events'
import { type AddressInfo, connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { SessionStore } from '@x/session-cache'
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  connect,
  type ConnectOptions,
  dial,
  listen,
  SecureSocket,
  startTls,
  type StartTlsOptions,
} from '../src/index.ts'
import { segmentedPair, tcpPair } from './rigs.ts'
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
    await new Promise(setImmediate) // the other one's 'connect' may come later in the same turn
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

  it('or another error, of a client that waits for its turn in a loop over the server', async () => {
    await using server = await listen({ port: 0, host: '127.0.0.1', cert: identity.cert, key: identity.key })
    const { port } = server.address() as AddressInfo
    const visit = (): Socket => {
      const raw = connectTcp(port, '127.0.0.1')
      connectTls({ socket: raw, servername: 'localhost', ca }).on('error', () => undefined)
      return raw
    }
    const connections = once(server, 'connection')
    const seen: SecureSocket[] = []
    let goOn = (): void => undefined
    const told = new Promise<void>((resolve) => (goOn = resolve))
    const loop = (async () => {
      for await (const socket of server) {
        seen.push(socket)
        if (seen.length === 2) break
        await told
      }
    })()
    const first = visit()
    await connections
    const waiting = once(server, 'connection') as Promise<[SecureSocket]>
    const second = visit()
    const [accepted] = await waiting
    const lost = Object.assign(new Error('lost'), { code: 'ECONNRESET' })
    await closed(accepted.destroy(lost))
    second.destroy()
    goOn()
    await loop
    expect(seen).toEqual([expect.any(SecureSocket), accepted])
    expect(accepted.errored).toBe(lost)
    expect(accepted.listenerCount('error')).toBe(0)
    first.destroy()
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

  it('that the program has got back before what was written has left', async () => {
    const { ours, theirs } = await tcpPair()
    const before = ours.listeners('error')
    const received: string[] = []
    const onHandshakeError: StartTlsOptions['onHandshakeError'] = (transport) =>
      transport.on('data', (chunk: Buffer) => received.push(chunk.toString())).resume()
    const options = { host: 'localhost', certFile: 'is/not/there.pem', onHandshakeError }
    expect((await rejection(startTls(ours, options)))['code']).toBe('ENOENT')
    theirs.write('220 in clear')
    await vi.waitFor(() => expect(received.join('')).toBe('220 in clear'))
    expect(ours.listeners('error')).toEqual(before)
    ours.destroy()
    theirs.destroy()
  })

  it('that is closed with the socket before it was looked at', async () => {
    const { ours } = segmentedPair()
    const socket = dial({ socket: ours, host: 'localhost', ca })
    socket.destroy()
    await closed(socket)
    await vi.waitFor(() => expect(ours.destroyed).toBe(true))
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
