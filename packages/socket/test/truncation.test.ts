import { once } from 'node:events'
import { type AddressInfo, connect as connectTcp } from 'node:net'
import { connect as connectTls, type SecureVersion } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { connect, listen, type SecureSocket, startTls, type StartTlsOptions } from '../src/index.ts'
import { tcpPair } from './rigs.ts'
import { authority, identity, rejection } from './support.ts'

const versions = ['TLSv1.2', 'TLSv1.3'] as const
const open: { destroy(): unknown }[] = []
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy()
})

/** A client and a server of ours over one TCP connection; `cut` ends the server's direction without close_notify. */
async function pair(version: SecureVersion, given: StartTlsOptions, role: 'client' | 'server') {
  const raw = await tcpPair()
  const shared = { minVersion: version, maxVersion: version }
  const [client, server] = await Promise.all([
    startTls(raw.ours, { host: 'localhost', ca: authority.ca, ...shared, ...(role === 'client' ? given : {}) }),
    startTls(raw.theirs, {
      isServer: true,
      cert: identity.cert,
      key: identity.key,
      ...shared,
      ...(role === 'server' ? given : {}),
    }),
  ])
  open.push(raw.ours, raw.theirs, client, server)
  return role === 'client'
    ? { us: client, them: server, cut: () => void raw.theirs.end() }
    : { us: server, them: client, cut: () => void raw.ours.end() }
}

/** How the peer's direction ends, after its data. */
async function ending(us: SecureSocket): Promise<readonly [got: string, how: string]> {
  let got = ''
  us.on('data', (chunk: Buffer) => {
    got += String(chunk)
  })
  const how = await Promise.race([
    once(us, 'end').then(() => 'end'),
    new Promise<string>((resolve) => us.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))),
  ])
  return [got, how]
}

const cases = versions.flatMap((version) => (['client', 'server'] as const).map((role) => [version, role] as const))

describe.each(cases)('the end of the peer’s direction, %s, as %s', (version, role) => {
  const TRUNCATED = 'ERR_SECURE_SOCKET_TRUNCATED'
  it.each([
    [{ truncation: 'refuse' }, TRUNCATED],
    [{ stoppable: true }, TRUNCATED],
    [{ truncation: 'allow' }, 'end'],
    [{ truncation: 'allow', stoppable: true }, 'end'],
    [{}, 'end'], // of a native connection Node does not say which it was
  ] as const)('%j: without close_notify it is, after its data, %s', async (options, how) => {
    const { us, them, cut } = await pair(version, options, role)
    const ended = ending(us)
    them.write('some')
    await once(us, 'data')
    cut()
    expect(await ended).toEqual(['some', how])
  })

  it.each([{ truncation: 'refuse' }, { stoppable: true }, {}] as const)(
    '%j: is an end with close_notify, once the transport has ended too',
    async (options) => {
      const { us, them } = await pair(version, options, role)
      const ended = ending(us)
      them.end('bye')
      expect(await ended).toEqual(['bye', 'end'])
    },
  )
})

describe('truncation: refuse', () => {
  // libuv takes a reset for an end where data before it was unread, and Node with it
  it('tells of an upload that is reset while it is unread, however slowly it is read', async () => {
    await using server = await listen({
      host: '127.0.0.1',
      port: 0,
      cert: identity.cert,
      key: identity.key,
      truncation: 'refuse',
    })
    for (let round = 0; round < 6; round++) {
      const accepted = once(server, 'connection') as Promise<[SecureSocket]>
      const transport = connectTcp((server.address() as AddressInfo).port, '127.0.0.1')
      const client = connectTls({ socket: transport, servername: 'localhost', ca: authority.ca })
      open.push(
        transport,
        client.on('error', () => undefined),
      )
      const [socket] = await accepted
      // more than is read before the program reads, less than a socket's buffers hold
      await new Promise((resolve) => client.write(Buffer.alloc(200_000), resolve))
      transport.resetAndDestroy()
      const read = async (): Promise<void> => {
        for await (const _chunk of socket as AsyncIterable<Buffer>)
          await new Promise((resolve) => void setImmediate(resolve))
      }
      expect(await rejection(read())).toMatchObject({
        code: expect.stringMatching(/^(?:ERR_SECURE_SOCKET_TRUNCATED|ECONNRESET)$/),
      })
    }
  })

  it('is kept where the client makes the connection', async () => {
    await using server = await listen({ host: '127.0.0.1', port: 0, cert: identity.cert, key: identity.key })
    const accepted = once(server, 'connection') as Promise<[SecureSocket]>
    const { port } = server.address() as AddressInfo
    const client = await connect({ host: 'localhost', port, ca: authority.ca, truncation: 'refuse' })
    open.push(client)
    const [socket] = await accepted
    const ended = ending(client)
    socket.on('error', () => undefined).destroy() // destroy() sends no close_notify
    expect(await ended).toEqual(['', 'ERR_SECURE_SOCKET_TRUNCATED'])
  })
})

describe('a server that only sends', () => {
  it.each(cases.filter(([, role]) => role === 'client').map(([version]) => version))(
    '%s: says close_notify though it is destroyed at once behind its end',
    async (version) => {
      const { us, them } = await pair(version, { truncation: 'refuse' }, 'client')
      const ended = ending(us)
      await new Promise((resolve) => void setImmediate(resolve))
      them.on('error', () => undefined).end()
      them.destroy()
      expect(await ended).toEqual(['', 'end'])
    },
  )
})
