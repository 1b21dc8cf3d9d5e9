import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { TLSSocket, createSecureContext } from 'node:tls'
import type { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { connect, listen, startTls } from '../src/index.ts'
import { segmentedPair, tcpPair } from './rigs.ts'
import { authority, echo, identity, rejection, tcpServer } from './support.ts'

const ca = authority.ca

/** A server with one line of dialogue: `STARTTLS` is answered, and TLS begins. Not ours. */
function upgrading(answer = 'go ahead\r\n'): (socket: Socket) => void {
  return (socket) => {
    socket.once('data', () => {
      socket.removeAllListeners('data')
      socket.pause()
      socket.write(answer, () => {
        const tls = new TLSSocket(socket, {
          isServer: true,
          secureContext: createSecureContext({ cert: identity.cert, key: identity.key }),
        })
        tls.on('error', () => undefined)
        echo(tls)
      })
    })
  }
}

describe('startTls', () => {
  it('upgrades a net.Socket after its plaintext dialogue', async () => {
    await using server = await tcpServer(upgrading())
    const raw = connectTcp(server.port, '127.0.0.1')
    await once(raw, 'connect')
    raw.write('STARTTLS\r\n')
    await once(raw, 'data')
    const socket = await startTls(raw, { host: 'localhost', ca })
    expect(socket.phase).toBe('secure')
    socket.write('secret')
    expect(String((await once(socket, 'data'))[0])).toBe('secret')
    socket.destroy()
  })

  it('upgrades a SecureSocket that was connected in clear, as the same object', async () => {
    await using server = await tcpServer(upgrading())
    const socket = await connect({ host: '127.0.0.1', port: server.port, ca, startHandshake: false })
    expect(socket.phase).toBe('plain')
    socket.write('STARTTLS\r\n')
    expect(String((await once(socket, 'data'))[0])).toBe('go ahead\r\n')
    const upgraded = await socket.startTls()
    expect(upgraded).toBe(socket)
    expect(socket.verification?.outcomes.name).toMatchObject({ result: 'passed', evidence: { host: '127.0.0.1' } })
    socket.write('secret')
    expect(String((await once(socket, 'data'))[0])).toBe('secret')
    expect(server.received()).not.toContain('secret')
    socket.destroy()
  })

  it('sends what was written before in clear, and what was written after in TLS', async () => {
    await using server = await tcpServer(upgrading())
    const socket = await connect({ host: '127.0.0.1', port: server.port, ca, startHandshake: false })
    socket.write('STARTTLS\r\n')
    await once(socket, 'data')
    socket.cork()
    const done = socket.startTls()
    socket.write('secret')
    socket.uncork()
    await done
    expect(String((await once(socket, 'data'))[0])).toBe('secret')
    expect(server.received()).not.toContain('secret')
    socket.destroy()
  })

  it.each(
    [false, true].flatMap((stoppable) =>
      (['net.Socket', 'SecureSocket'] as const).map((kind) => [kind, stoppable] as const),
    ),
  )('sends first what a %s has queued because nobody read (stoppable: %s)', async (kind, stoppable) => {
    const { ours, theirs } = await tcpPair()
    const queued = Buffer.alloc(20_000_000, 'queued ')
    const last = Buffer.from('and the last')
    const plain = kind === 'net.Socket' ? ours : await connect({ socket: ours, ca, startHandshake: false, stoppable })
    plain.write(queued)
    plain.write(last)
    const starting = startTls(plain, { host: 'localhost', ca, stoppable })
    // what the kernel does not take stays queued, and the handshake with it
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(plain.writableLength + ours.writableLength).toBeGreaterThan(0)
    const received: Buffer[] = []
    let left = queued.length + last.length
    while (left > 0) {
      const chunk = theirs.read(Math.min(left, Math.max(1, theirs.readableLength))) as Buffer | null
      if (chunk === null) await once(theirs, 'readable')
      else left -= received.push(chunk) && chunk.length
    }
    expect(Buffer.concat(received).equals(Buffer.concat([queued, last]))).toBe(true)
    const secureContext = createSecureContext({ cert: identity.cert, key: identity.key })
    const tls = new TLSSocket(theirs, { isServer: true, secureContext })
    echo(tls.on('error', () => undefined))
    const socket = await starting
    socket.write('secret')
    expect(String(await socket.readBytes(6))).toBe('secret')
    socket.destroy()
    tls.destroy()
  })

  it.each([
    ['net.Socket', false],
    ['net.Socket', true],
    ['Duplex', true],
    ['SecureSocket', true],
  ] as const)('takes a %s whose lines were read as text (stoppable: %s)', async (kind, stoppable) => {
    const pair = kind === 'Duplex' ? segmentedPair() : await tcpPair()
    const theirs: Duplex = pair.theirs
    let ours: Duplex = pair.ours
    if (kind === 'SecureSocket')
      ours = await connect({ socket: pair.ours, host: 'localhost', ca, startHandshake: false })
    ours.setEncoding('utf8')
    theirs.write('go ahead\r\n')
    await once(ours, 'readable')
    expect(ours.read()).toBe('go ahead\r\n')
    const bytes = Buffer.from([0xff, 0xfe, 0x80, 0x41])
    const [client, server] = await Promise.all([
      startTls(ours, { host: 'localhost', ca, stoppable }),
      startTls(theirs, { isServer: true, cert: identity.cert, key: identity.key, stoppable }),
    ])
    if (kind === 'SecureSocket') {
      // the program's own socket goes on giving text
      server.write('ä')
      await once(client, 'readable')
      expect(client.read()).toBe('ä')
    } else {
      server.write(bytes)
      expect(await client.readBytes(4)).toEqual(bytes)
      if (stoppable) {
        const [plain] = await Promise.all([client.stopTls({ detach: true }), server.stopTls()])
        server.write(bytes)
        await once(plain, 'readable')
        expect(plain.read()).toEqual(bytes)
        plain.destroy()
      }
    }
    client.destroy()
    server.destroy()
  })

  it('refuses text that is unread, as it does bytes, and closes the connection', async () => {
    for (const start of [
      (socket: Duplex) => startTls(socket, { host: 'localhost', ca }),
      (socket: Duplex) => startTls(socket, { isServer: true, cert: identity.cert, key: identity.key }),
      (socket: Duplex) => connect({ socket, host: 'localhost', ca }),
    ]) {
      const { ours, theirs } = await tcpPair()
      ours.setEncoding('utf8')
      theirs.write('go ahead\r\nINJECTED')
      await once(ours, 'readable')
      expect(await rejection(start(ours))).toMatchObject({ code: 'ERR_SECURE_SOCKET_PLAINTEXT_LEFT' })
      expect(ours.destroyed).toBe(true)
    }
  })

  it.each([
    ['utf8', [0xe2, 0x82]],
    ['base64', [0x0a, 0x41]],
    ['utf16le', [0x41]],
  ] as const)('refuses the beginning of a character that TLS would end, in %s', async (encoding, injected) => {
    const read = async (socket: Duplex): Promise<Duplex> => {
      socket.setEncoding(encoding)
      await once(socket, 'readable')
      expect(socket.read()).not.toBeNull()
      expect(socket.readableLength).toBe(0)
      return socket
    }
    for (const start of [
      async (socket: Duplex) => startTls(await read(socket), { host: 'localhost', ca }),
      async (socket: Duplex) => connect({ socket: await read(socket), host: 'localhost', ca }),
      async (socket: Duplex) =>
        startTls(await read(await connect({ socket, host: 'localhost', ca, startHandshake: false })), {}),
    ]) {
      const { ours, theirs } = await tcpPair()
      theirs.write(Buffer.concat([Buffer.from('220 ok'), Buffer.from(injected)]))
      expect(await rejection(start(ours))).toMatchObject({ code: 'ERR_SECURE_SOCKET_PLAINTEXT_LEFT' })
      expect(ours.destroyed).toBe(true)
    }
  })

  it.each([
    ['a client without a name', {}, 'ERR_SECURE_SOCKET_NAME_REQUIRED'],
    ['an unknown option', { host: 'localhost', verfy: {} }, 'ERR_INVALID_ARG_VALUE'],
  ])('refuses %s before anything is sent', async (_what, options, code) => {
    await using server = await tcpServer(() => undefined)
    const raw = connectTcp(server.port, '127.0.0.1')
    await once(raw, 'connect')
    expect(await rejection(startTls(raw, options))).toMatchObject({ code })
    expect(raw.destroyed).toBe(false)
    raw.destroy()
  })

  it('fails once where more than one thing is wrong', async () => {
    const unhandled: unknown[] = []
    const notice = (reason: unknown): void => void unhandled.push(reason)
    process.on('unhandledRejection', notice)
    try {
      await using server = await tcpServer((socket) => socket.write('injected'))
      const socket = await connect({ host: '127.0.0.1', port: server.port, startHandshake: false })
      await once(socket, 'readable')
      const error = await rejection(socket.startTls({ host: 'localhost', caFile: '/nowhere' }))
      expect(error['code']).toBe('ENOENT')
      await new Promise((resolve) => setTimeout(resolve, 20))
      expect(unhandled).toEqual([])
    } finally {
      process.off('unhandledRejection', notice)
    }
  })

  it.each([false, true])('rejects when it is closed while a passphrase does not come; server: %s', async (isServer) => {
    await using server = await tcpServer(() => undefined)
    const socket = await connect({ host: '127.0.0.1', port: server.port, startHandshake: false })
    const key = identity.privateKey
      .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'locked' })
      .toString()
    const passphrase = (): Promise<string> => new Promise(() => undefined)
    const options = { cert: identity.cert, key, passphrase, ...(isServer ? { isServer } : { host: 'localhost', ca }) }
    const refused = rejection(socket.startTls(options))
    setTimeout(() => socket.destroy(), 20)
    expect((await refused)['code']).toBe('ERR_SECURE_SOCKET_CLOSED')
  })

  it('refuses plaintext that came behind the answer', async () => {
    await using server = await tcpServer(upgrading('go ahead\r\nINJECTED\r\n'))
    const socket = await connect({ host: '127.0.0.1', port: server.port, ca, startHandshake: false })
    socket.write('STARTTLS\r\n')
    await once(socket, 'readable')
    expect(String(socket.read(10))).toBe('go ahead\r\n')
    expect(await rejection(socket.startTls())).toMatchObject({
      code: 'ERR_SECURE_SOCKET_PLAINTEXT_LEFT',
      phase: 'starttls',
    })
    expect(socket.destroyed).toBe(true)
  })

  it('upgrades as a server, and refuses what the client sent ahead', async () => {
    await using server = await listen({
      host: '127.0.0.1',
      port: 0,
      cert: identity.cert,
      key: identity.key,
      startHandshake: false,
    })
    const { port } = server.address() as { port: number }
    const outcome = new Promise<unknown>((resolve) => {
      server.on('connection', (socket) => {
        socket.once('data', () => {
          socket.write('go ahead\r\n')
          socket.startTls().then(() => echo(socket), resolve)
        })
      })
    })
    const client = await connect({ host: '127.0.0.1', port, ca, startHandshake: false })
    client.write('STARTTLS\r\n')
    await once(client, 'data')
    await client.startTls()
    client.write('secret')
    expect(String((await once(client, 'data'))[0])).toBe('secret')
    client.destroy()

    const injecting = connectTcp(port, '127.0.0.1')
    injecting.on('error', () => undefined)
    const silent = new Promise<void>((resolve) =>
      server.once('connection', (socket) => void (socket.once('readable', () => resolve()), socket.pause())),
    )
    injecting.write('STARTTLS\r\nEVIL')
    await silent
    injecting.destroy()
    void outcome
  })
})
