import { once } from 'node:events'
import { type Socket } from 'node:net'
import type { SecureVersion } from 'node:tls'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { TlsEngine } from '../src/engine/engine.ts'
import { type SecureSocket, startTls, type StartTlsOptions } from '../src/index.ts'
import { coreOf } from '../src/facade.ts'
import { segmentedPair, tcpPair } from './rigs.ts'
import { authority, identity, rejection } from './support.ts'

const versions = ['TLSv1.2', 'TLSv1.3'] as const
const open: { destroy(): unknown }[] = []
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy()
})

function sides(version: SecureVersion): { readonly client: StartTlsOptions; readonly server: StartTlsOptions } {
  const shared = { stoppable: true, minVersion: version, maxVersion: version }
  return {
    client: { host: 'localhost', ca: authority.ca, ...shared },
    server: { isServer: true, cert: identity.cert, key: identity.key, ...shared },
  }
}

interface Pair {
  readonly client: SecureSocket
  readonly server: SecureSocket
  readonly raw: { readonly ours: Socket; readonly theirs: Socket }
}

/** Our client and our server over one TCP connection, secure. */
async function securePair(
  version: SecureVersion,
  client: StartTlsOptions = {},
  server: StartTlsOptions = {},
): Promise<Pair> {
  const raw = await tcpPair()
  open.push(raw.ours, raw.theirs)
  const options = sides(version)
  const [one, other] = await Promise.all([
    startTls(raw.ours, { ...options.client, ...client }),
    startTls(raw.theirs, { ...options.server, ...server }),
  ])
  open.push(one, other)
  return { client: one, server: other, raw }
}

describe.each(versions)('stopTls, %s', (version) => {
  it('goes back and forth on one connection, every byte in order', async () => {
    const { client, server } = await securePair(version)
    for (let round = 0; round < 10; round++) {
      client.write(`secret ${round};`)
      expect(String(await server.readBytes(9))).toBe(`secret ${round};`)
      await Promise.all([client.stopTls(), server.stopTls()])
      expect([client.phase, server.phase, client.encrypted, client.verification]).toEqual([
        'plain',
        'plain',
        false,
        undefined,
      ])
      client.write(`plain ${round};`)
      expect(String(await server.readBytes(8))).toBe(`plain ${round};`)
      server.write(`clear ${round};`)
      expect(String(await client.readBytes(8))).toBe(`clear ${round};`)
      await Promise.all([client.startTls(), server.startTls()])
      expect(client.phase).toBe('secure')
    }
  })

  it('finds plaintext that shares a segment with the close_notify', async () => {
    const wire = segmentedPair()
    const { client: ours, server: theirs } = sides(version)
    const [client, server] = await Promise.all([startTls(wire.ours, ours), startTls(wire.theirs, theirs)])
    wire.hold()
    server.write('last in TLS')
    const plain = await server.stopTls({ waitForPeer: false, detach: true })
    // plaintext that looks like a record is plaintext all the same
    plain.end('\x17\x03\x03\0\x09in clear!', 'latin1')
    wire.flush(Infinity)
    expect(String(await client.readBytes(11))).toBe('last in TLS')
    await client.stopTls()
    expect(client.unreadSecure).toBe(0)
    expect(String(await client.readBytes(14))).toBe('\x17\x03\x03\0\x09in clear!')
  })

  it('does not wait where told so, for a peer that answers the close_notify in clear at once', async () => {
    const behind = 'PWD\r\n'
    for (let cut = 0; cut < 60; cut++) {
      const wire = segmentedPair()
      const { client: ours, server: theirs } = sides(version)
      const [client, server] = await Promise.all([startTls(wire.ours, ours), startTls(wire.theirs, theirs)])
      wire.hold()
      server.write('last in TLS')
      while (server.writableLength > 0) await new Promise((resolve) => setImmediate(resolve))
      // before the write of our close_notify has been told as done
      const push = wire.theirs.push.bind(wire.theirs)
      wire.theirs.push = (chunk: unknown) => {
        wire.theirs.push = push
        wire.theirs.write(behind)
        wire.flush(cut)
        return chunk !== null
      }
      const plain = await client.stopTls({ waitForPeer: false })
      expect(String(await plain.readBytes(11))).toBe('last in TLS')
      expect(plain.unreadSecure).toBe(0)
      expect(String(await plain.readBytes(behind.length)), `cut at ${cut}`).toBe(behind)
      plain.destroy()
    }
  })

  it('tells of the peer’s close_notify, and neither delivers nor sends plaintext before stopTls', async () => {
    const told: string[] = []
    const { client, server, raw } = await securePair(version, { onPeerShutdown: () => told.push('option') })
    client.on('peerShutdown', () => told.push('event'))
    client.on('end', () => told.push('end')).on('data', (chunk: Buffer) => told.push(String(chunk)))
    const shutdown = once(client, 'peerShutdown')
    const transport = await server.stopTls({ waitForPeer: false, detach: true })
    transport.write('in clear')
    await shutdown
    client.write('still secret')
    await once(transport, 'readable')
    expect(String(transport.read())).not.toContain('still secret')
    expect(told).toEqual(['event', 'option'])
    client.removeAllListeners('data').pause()
    await client.stopTls({ waitForPeer: true })
    expect(String(await client.readBytes(8))).toBe('in clear')
    expect(raw.ours.destroyed).toBe(false)
  })

  it('counts what was decrypted and not read, before what came in clear', async () => {
    const { client, server } = await securePair(version)
    server.write('decrypted')
    await client.peek(9)
    const [, transport] = await Promise.all([client.stopTls(), server.stopTls({ detach: true })])
    expect([client.unreadSecure, client.bytesPending()]).toEqual([9, 9])
    transport.write('forged')
    expect(String(await client.readBytes(4))).toBe('decr')
    expect(client.unreadSecure).toBe(5)
    expect(String(await client.readBytes(5))).toBe('ypted')
    expect(client.unreadSecure).toBe(0)
    expect(String(await client.readBytes(6))).toBe('forged')
    expect(client.unreadSecure).toBe(0)
  })

  it.each(['utf8', 'latin1', 'hex', 'base64'] as const)(
    'counts nothing that came in clear, whatever the text (%s)',
    async (encoding) => {
      const { client, server } = await securePair(version)
      client.setEncoding(encoding)
      server.write('é\xff')
      await once(client, 'readable')
      const [, transport] = await Promise.all([client.stopTls(), server.stopTls({ detach: true })])
      const secure = client.readableLength
      expect(client.unreadSecure).toBeLessThanOrEqual(secure)
      transport.write('forgéd')
      while (client.readableLength === secure) {
        client.read(0)
        await new Promise((resolve) => setImmediate(resolve))
      }
      expect(client.unreadSecure).toBeLessThanOrEqual(secure)
    },
  )

  it('detaches the transport, with unread bytes put back', async () => {
    const { client, server, raw } = await securePair(version)
    const [ours, theirs] = await Promise.all([client.stopTls({ detach: true }), server.stopTls({ detach: true })])
    expect([ours, theirs]).toEqual([raw.ours, raw.theirs])
    expect([client.destroyed, ours.destroyed]).toEqual([true, false])
    theirs.write('hello')
    await once(ours, 'readable')
    expect(String(ours.read())).toBe('hello')
  })

  it('does not detach while decrypted bytes are unread: they would be lost', async () => {
    const { client, server } = await securePair(version)
    server.write('unread')
    await client.peek(6)
    const [failure] = await Promise.all([rejection(client.stopTls({ detach: true })), server.stopTls()])
    expect(failure).toMatchObject({ code: 'ERR_SECURE_SOCKET_UNREAD', phase: 'stop' })
    expect(client.destroyed).toBe(true)
  })

  it('delivers all that the peer had written in TLS, also where it is read only afterwards', async () => {
    const { client, server } = await securePair(version)
    server.write('x'.repeat(300_000))
    await Promise.all([client.stopTls(), server.stopTls()])
    server.write('plain')
    expect(client.unreadSecure).toBe(300_000)
    expect(String(await client.readBytes(300_000))).toBe('x'.repeat(300_000))
    expect(String(await client.readBytes(5))).toBe('plain')
  })

  it('delivers all of it that has arrived, also where nobody has read and the peer is not waited for', async () => {
    const wire = segmentedPair()
    const { client: options, server: theirs } = sides(version)
    const [client, server] = await Promise.all([startTls(wire.ours, options), startTls(wire.theirs, theirs)])
    open.push(client, server)
    const sent = Buffer.alloc(300_000, 'x')
    wire.hold()
    await new Promise((resolve) => server.write(sent, resolve))
    wire.flush(sent.length)
    await once(client, 'readable')
    await client.stopTls({ waitForPeer: false })
    expect(client.unreadSecure).toBe(sent.length)
    expect((await client.readBytes(sent.length)).equals(sent)).toBe(true)
  })

  it('does not keep more than 1 MiB for a program that does not read', async () => {
    const { client, server } = await securePair(version)
    server.on('error', () => undefined)
    server.write('x'.repeat(3_000_000))
    server.stopTls().catch(() => undefined)
    expect(await rejection(client.stopTls())).toMatchObject({ code: 'ERR_SECURE_SOCKET_UNREAD' })
    expect(client.destroyed).toBe(true)
  })

  it('sends what was written before in TLS, and refuses what is written meanwhile', async () => {
    const { client, server, raw } = await securePair(version)
    const onWire: Buffer[] = []
    raw.theirs.on('data', (chunk: Buffer) => onWire.push(chunk))
    client.on('error', () => undefined)
    client.write('before')
    const stopping = client.stopTls()
    const refused = new Promise((resolve) => client.write('meanwhile', resolve))
    expect(await refused).toMatchObject({ code: 'ERR_SECURE_SOCKET_STATE', phase: 'stop' })
    await rejection(stopping)
    expect(String(await server.readBytes(6))).toBe('before')
    expect(Buffer.concat(onWire).toString('latin1')).not.toMatch(/before|meanwhile/)
  })

  it('rejects where the connection ends without the peer’s close_notify', async () => {
    const { client, raw } = await securePair(version)
    const stopping = rejection(client.stopTls())
    raw.theirs.end()
    expect(await stopping).toMatchObject({ code: 'ERR_SECURE_SOCKET_TRUNCATED' })
    expect([client.destroyed, client.phase]).toEqual([true, 'closed'])
  })

  it('rejects in time where the peer goes on for ever', async () => {
    const { client, server } = await securePair(version)
    server.resume()
    expect(await rejection(client.stopTls({ timeout: 20 }))).toMatchObject({
      code: 'ERR_SECURE_SOCKET_STOP_TIMEOUT',
      hint: expect.stringContaining('timeout'),
    })
    expect(client.destroyed).toBe(true)
  })

  it('rejects when the socket is destroyed meanwhile', async () => {
    const { client, server } = await securePair(version)
    server.resume()
    const stopping = rejection(client.stopTls())
    client.destroy()
    expect(await stopping).toMatchObject({ code: 'ERR_SECURE_SOCKET_CLOSED' })
  })

  it('rejects when the socket is destroyed as TLS ends', async () => {
    const { client, server, raw } = await securePair(version)
    const engine = coreOf(client).tlsEngine as TlsEngine
    const stop = engine.stop.bind(engine)
    engine.stop = async (...given) => {
      const released = await stop(...given)
      queueMicrotask(() => client.destroy())
      return released
    }
    const closed = vi.fn()
    coreOf(client).keeper = { closed }
    const [failure] = await Promise.all([rejection(client.stopTls({ detach: true })), server.stopTls()])
    expect(failure).toMatchObject({ code: 'ERR_SECURE_SOCKET_CLOSED' })
    expect(raw.ours.destroyed).toBe(true)
    expect(closed).toHaveBeenCalledTimes(1)
  })

  it('is refused, the connection untouched, where it was not asked for, while plain, and twice at once', async () => {
    const { client, server } = await securePair(version, { stoppable: false })
    expect(await rejection(client.stopTls())).toMatchObject({
      code: 'ERR_SECURE_SOCKET_ENGINE',
      hint: expect.stringContaining('stoppable'),
    })
    expect(await rejection(server.stopTls({ timeout: -1 }))).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
    client.write('still here')
    expect(String(await server.readBytes(10))).toBe('still here')

    const pair = await securePair(version)
    const first = pair.client.stopTls()
    expect(await rejection(pair.client.stopTls())).toMatchObject({ code: 'ERR_SECURE_SOCKET_STATE' })
    await Promise.all([first, pair.server.stopTls()])
    expect(await rejection(pair.client.stopTls())).toMatchObject({ code: 'ERR_SECURE_SOCKET_STATE' })
    pair.client.write('fine')
    expect(String(await pair.server.readBytes(4))).toBe('fine')
  })
})
