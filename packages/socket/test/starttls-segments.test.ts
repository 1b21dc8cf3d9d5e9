import { once } from 'node:events'
import { type AddressInfo, connect as connectTcp } from 'node:net'
import type { Duplex } from 'node:stream'
import type { SecureVersion } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { listen, type SecureSocket, startTls, type StartTlsOptions } from '../src/index.ts'
import { segmentedPair } from './rigs.ts'
import { authority, identity, readText, rejection } from './support.ts'

/* Where TLS starts and where it ends, with the segments cut at every position. */

const server: StartTlsOptions = { isServer: true, cert: identity.cert, key: identity.key }

function optionsOf(role: 'client' | 'server', version: SecureVersion): StartTlsOptions {
  const shared = { stoppable: true, minVersion: version, maxVersion: version }
  return role === 'client' ? { host: 'localhost', ca: authority.ca, ...shared } : { ...server, ...shared }
}

describe.each(
  (['TLSv1.2', 'TLSv1.3'] as const).flatMap((version) =>
    (['client', 'server'] as const).map((role) => [version, role] as const),
  ),
)('the end of TLS, data, close_notify and plaintext in one segment or two, %s, as %s', (version, role) => {
  const secret = 'last in TLS'
  // looks like a record, and is none any more
  const clear = '\x17\x03\x03\0\x09in clear!'

  it.each([false, true])('gives the same wherever it is cut (detached: %s)', { timeout: 120_000 }, async (detach) => {
    for (let cut = 0; cut <= 100; cut++) {
      const wire = segmentedPair()
      const [ours, theirs] = await Promise.all([
        startTls(wire.ours, optionsOf(role, version)),
        startTls(wire.theirs, optionsOf(role === 'client' ? 'server' : 'client', version)),
      ])
      wire.hold()
      theirs.write(secret)
      const plain = await theirs.stopTls({ waitForPeer: false, detach: true })
      plain.write(clear, 'latin1')
      wire.flush(cut)
      expect(String(await ours.readBytes(secret.length)), `cut at ${cut}`).toBe(secret)
      const stopped: Duplex = detach ? await ours.stopTls({ detach }) : await ours.stopTls()
      expect(ours.unreadSecure).toBe(0)
      expect(await readText(stopped, clear.length), `cut at ${cut}`).toBe(clear)
      stopped.destroy()
      plain.destroy()
    }
  })
})

describe('a server whose client sends plaintext behind its request, and a ClientHello behind that', () => {
  const request = 'STARTTLS\r\n'
  const injected = 'MAIL FROM:<evil>\r\n'
  /** Our own client's first bytes. */
  const hello = async (): Promise<Buffer> => {
    const { ours, theirs } = segmentedPair()
    void startTls(ours, { host: 'localhost', ca: authority.ca }).catch(() => undefined)
    await once(theirs, 'readable')
    const bytes = theirs.read() as Buffer
    ours.destroy()
    return bytes
  }

  it('refuses it wherever the bytes are cut, and feeds nothing of it to TLS', { timeout: 120_000 }, async () => {
    const bytes = Buffer.concat([Buffer.from(request + injected), await hello()])
    const found = new Set<string>()
    for (let cut = 0; cut < bytes.length; cut++) {
      const wire = segmentedPair()
      wire.hold()
      wire.theirs.write(bytes)
      const upgrading = (async () => {
        let line = ''
        while (!line.endsWith('\n')) {
          const byte = wire.ours.read(1) as Buffer | null
          if (byte === null) await once(wire.ours, 'readable')
          else line += byte.toString()
        }
        expect(line).toBe(request)
        wire.ours.write('go ahead\r\n')
        await startTls(wire.ours, server)
      })()
      // each part in a turn of the event loop of its own
      setImmediate(() => wire.flush(cut))
      const error = await rejection(upgrading)
      found.add(String(error['code']))
      expect(wire.ours.destroyed, `cut at ${cut}`).toBe(true)
      expect(String(wire.theirs.read())).toBe('go ahead\r\n') // and not a byte of TLS, alerts included
    }
    expect([...found]).toEqual(['ERR_SECURE_SOCKET_PLAINTEXT_LEFT'])
  })

  it('refuses what comes in a segment of its own, as what it is: no ClientHello', async () => {
    for (let cut = 1; cut <= injected.length; cut++) {
      const wire = segmentedPair()
      const upgrading = rejection(startTls(wire.ours, server))
      wire.theirs.write(injected.slice(0, cut))
      await new Promise((resolve) => setImmediate(resolve))
      wire.theirs.write(injected.slice(cut))
      expect(await upgrading, `cut at ${cut}`).toMatchObject({ code: 'ERR_SECURE_SOCKET_NOT_TLS' })
      expect(wire.theirs.readableLength).toBe(0)
    }
  })

  it('refuses it as a method of a socket of listen(), too', async () => {
    const bytes = Buffer.concat([Buffer.from(request + injected), await hello()])
    await using listening = await listen({
      host: '127.0.0.1',
      port: 0,
      cert: identity.cert,
      key: identity.key,
      startHandshake: false,
    })
    const accepted = once(listening, 'connection') as Promise<[SecureSocket]>
    const client = connectTcp((listening.address() as AddressInfo).port, '127.0.0.1')
    client.on('error', () => undefined).write(bytes)
    const [socket] = await accepted
    expect(String(await socket.readLine())).toBe(request)
    expect(await rejection(socket.startTls())).toMatchObject({ code: 'ERR_SECURE_SOCKET_PLAINTEXT_LEFT' })
    client.destroy()
  })
})
