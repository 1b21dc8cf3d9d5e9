import { once } from 'node:events'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import { connect, dial, type SecureSocket, startTls, type StartTlsOptions } from '../src/index.ts'
import { segmentedPair, tcpPair } from './rigs.ts'
import { authority, echo, identity, rejection, tcpServer, tlsServer } from './support.ts'

const ca = authority.ca
const client: StartTlsOptions = { host: 'localhost', ca }
const server: StartTlsOptions = { isServer: true, cert: identity.cert, key: identity.key }
const open: { destroy(): unknown }[] = []
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy()
})

async function secured(ours: Duplex | number, theirs: Duplex): Promise<readonly [SecureSocket, SecureSocket]> {
  const pair = await Promise.all([startTls(ours, client), startTls(theirs, server)])
  open.push(...pair)
  for (const socket of pair) socket.on('error', () => undefined)
  return pair
}

/** The next bytes of a stream in paused mode. */
function readText(stream: Duplex, length: number): Promise<string> {
  return new Promise((resolve) => {
    let got = ''
    const look = (): void => {
      for (let chunk: Buffer | null; (chunk = stream.read() as Buffer | null) !== null; ) got += chunk.toString()
      if (got.length < length) return
      stream.off('readable', look)
      resolve(got)
    }
    stream.on('readable', look)
    look()
  })
}

async function exchange(one: SecureSocket, other: SecureSocket): Promise<void> {
  const bytes = Buffer.alloc(200_000, 'abcdefghijk')
  one.write(bytes)
  expect((await other.readBytes(bytes.length)).equals(bytes)).toBe(true)
  other.end('bye')
  expect(String(await one.readBytes(4))).toBe('bye')
}

describe('transports other than a net.Socket', () => {
  it('a Duplex', async () => {
    const { ours, theirs } = segmentedPair()
    await exchange(...(await secured(ours, theirs)))
  })

  it('another SecureSocket: TLS in TLS, of every pair of engines', async () => {
    for (const inner of [{ stoppable: false }, { stoppable: true }])
      for (const outer of [{ stoppable: false }, { stoppable: true }]) {
        const raw = await tcpPair()
        open.push(raw.ours, raw.theirs)
        const [one, other] = await Promise.all([
          startTls(raw.ours, { ...client, ...inner }),
          startTls(raw.theirs, { ...server, ...inner }),
        ])
        const [first, second] = await Promise.all([
          startTls(one, { ...client, ...outer }),
          startTls(other, { ...server, ...outer }),
        ])
        open.push(first, second)
        for (const socket of [one, other, first, second]) socket.on('error', () => undefined)
        expect(first.remotePort).toBe(raw.ours.remotePort)
        await exchange(first, second)
      }
  })

  it('an open connection given to connect()', async () => {
    const { ours, theirs } = segmentedPair()
    const [one, other] = await Promise.all([connect({ socket: ours, host: 'localhost', ca }), startTls(theirs, server)])
    await exchange(one, other)
  })

  it("is in clear as soon as 'connect' is told, where TLS is to come later", async () => {
    const { ours, theirs } = segmentedPair()
    const socket = dial({ socket: ours, host: 'localhost', ca, startHandshake: false })
    // not by events.once(), which answers some ticks later
    await new Promise<void>((resolve) => socket.once('connect', resolve))
    expect(socket.phase).toBe('plain')
    const [, other] = await Promise.all([socket.startTls(), startTls(theirs, server)])
    await exchange(socket, other)
  })

  const closing: readonly (readonly [string, (socket: SecureSocket) => void])[] = [
    ["in a listener of 'connect'", (socket) => socket.once('connect', () => socket.destroy())],
    [
      "after 'connect'",
      (socket) => void new Promise<void>((resolve) => socket.once('connect', resolve)).then(() => socket.destroy()),
    ],
  ]
  it.each(
    closing.flatMap(([when, close]) => [true, false].map((startHandshake) => [startHandshake, when, close] as const)),
  )('closed with the socket, nothing sent (startHandshake: %o, %s)', async (startHandshake, when, close) => {
    const { ours, theirs } = segmentedPair()
    const received: unknown[] = []
    theirs.on('data', (chunk) => received.push(chunk))
    let asked = 0
    const starttls = startHandshake ? { starttls: async () => void asked++ } : {}
    const socket = dial({ socket: ours, host: 'localhost', ca, startHandshake, ...starttls })
    close(socket)
    await once(socket, 'close')
    await new Promise(setImmediate)
    expect(ours.destroyed).toBe(true)
    expect(received).toEqual([])
    // the dialogue begins with the connection
    expect(asked).toBe(startHandshake && when.startsWith('after') ? 1 : 0)
  })

  it('a closed one is refused', async () => {
    const { ours } = segmentedPair()
    ours.destroy()
    expect(await rejection(startTls(ours, client))).toMatchObject({ code: 'ERR_SECURE_SOCKET_CLOSED' })
    await expect(startTls(-1, client)).rejects.toThrow()
  })
})

describe('onHandshakeError', () => {
  it.each([
    ['plaintext, in one segment', ['220 welcome\r\n']],
    ['plaintext, byte by byte', '220 welcome\r\n'.split('')],
  ])('gives back the transport with every byte of %s', async (_what, segments) => {
    const { ours, theirs } = segmentedPair()
    const given: { transport?: Duplex; error?: Error } = {}
    const failed = rejection(
      startTls(ours, {
        ...client,
        onHandshakeError: (transport, error) => Object.assign(given, { transport, error }),
      }),
    )
    await readText(theirs, 100) // the hello
    for (const segment of segments) theirs.write(segment)
    const error = await failed
    expect(error).toMatchObject({ code: 'ERR_SECURE_SOCKET_NOT_TLS', phase: 'handshake' })
    expect(error.message).toContain('2')
    expect(given).toMatchObject({ transport: ours, error })
    expect(ours.destroyed).toBe(false)
    expect(await readText(ours, 13)).toBe('220 welcome\r\n')
    ours.write('QUIT\r\n')
    expect(await readText(theirs, 6)).toBe('QUIT\r\n')
  })

  it('for a server whose client speaks in clear, which gets no alert for an answer', async () => {
    const { ours, theirs } = segmentedPair()
    const taken = new Promise<Duplex>((resolve) => {
      startTls(ours, { ...server, onHandshakeError: resolve }).catch(() => undefined)
    })
    theirs.write('GET / HTTP/1.1\r\n\r\n')
    const transport = await taken
    expect(String(transport.read())).toBe('GET / HTTP/1.1\r\n\r\n')
    expect(theirs.readableLength).toBe(0)
  })

  it('gives back a transport whose peer was refused, and drops what was to be sent', async () => {
    await using peer = await tlsServer()
    const taken = new Promise<[Duplex, Error]>((resolve) => {
      const socket = dial({
        host: '127.0.0.1',
        port: peer.port,
        ca,
        verify: { name: 'wrong.example.org' },
        onHandshakeError: (transport, error) => resolve([transport, error]),
      })
      socket.on('error', () => undefined).write('secret')
    })
    const [transport, error] = await taken
    open.push(transport)
    expect(error).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID', host: '127.0.0.1' })
    expect([transport instanceof Socket, transport.destroyed, transport.writableLength]).toEqual([true, false, 0])
    expect(peer.received()).toBe('')
  })

  it('gives back what plaintext there was where nothing of TLS had been sent', async () => {
    const { ours, theirs } = segmentedPair()
    const socket = await connect({ socket: ours, host: 'localhost', ca, startHandshake: false })
    const taken = new Promise<Duplex>((resolve) => {
      theirs.write('go ahead\r\nINJECTED')
      socket.once('readable', () => {
        socket.read(10)
        socket.startTls({ onHandshakeError: resolve }).catch(() => undefined)
      })
    })
    const transport = await taken
    expect(String(transport.read())).toBe('INJECTED')
    expect(theirs.readableLength).toBe(0)
  })

  it('closes a transport whose handler throws, and does not ask where the program has closed the socket', async () => {
    const { ours, theirs } = segmentedPair()
    const thrown = new Error('handler')
    theirs.write('no TLS at all')
    const given = {
      ...server,
      onHandshakeError: () => {
        throw thrown
      },
    }
    expect(await rejection(startTls(ours, given))).toBe(thrown)
    expect(ours.destroyed).toBe(true)

    const wire = segmentedPair()
    const calls: unknown[] = []
    const socket = await connect({ socket: wire.ours, host: 'localhost', ca, startHandshake: false })
    const failed = rejection(socket.startTls({ onHandshakeError: (...args) => void calls.push(args) }))
    socket.destroy()
    await failed
    expect([calls, wire.ours.destroyed]).toEqual([[], true])
  })
})

describe('startTls twice at once', () => {
  it('refuses the second, which would send in clear what was written for TLS', async () => {
    const { ours, theirs } = segmentedPair()
    const socket = await connect({ socket: ours, host: 'localhost', ca, startHandshake: false })
    const first = socket.startTls()
    socket.write('secret')
    expect(await rejection(socket.startTls())).toMatchObject({ code: 'ERR_SECURE_SOCKET_STATE', phase: 'starttls' })
    const [, peer] = await Promise.all([first, startTls(theirs, server)])
    expect(String(await peer.readBytes(6))).toBe('secret')
    expect(await rejection(socket.startTls())).toMatchObject({ code: 'ERR_SECURE_SOCKET_STATE' })
    expect(socket.phase).toBe('secure')
  })

  it('is bounded in time where what was written before cannot leave', async () => {
    const stuck = segmentedPair()
    stuck.ours._write = () => undefined
    const socket = await connect({ socket: stuck.ours, host: 'localhost', ca, startHandshake: false })
    socket.write('before')
    expect(await rejection(socket.startTls({ handshakeTimeout: 20 }))).toMatchObject({
      code: 'ERR_SECURE_SOCKET_HANDSHAKE_TIMEOUT',
    })
  })

  it.each([
    ['nothing', ''],
    ['half a hello', '1603010200010001fc0303'],
  ])('as a server is bounded in time where the client says %s', async (_, hex) => {
    const { ours, theirs } = segmentedPair()
    const refused = rejection(startTls(ours, { ...server, handshakeTimeout: 20 }))
    theirs.write(Buffer.from(hex, 'hex'))
    expect(await refused).toMatchObject({ code: 'ERR_SECURE_SOCKET_HANDSHAKE_TIMEOUT' })
  })
})

describe('head', () => {
  it('is the hello that a server’s program has read behind the request', async () => {
    const { ours, theirs } = segmentedPair()
    const read = once(ours, 'data') as Promise<[Buffer]>
    const connecting = startTls(theirs, client)
    const [head] = await read
    ours.removeAllListeners('data').pause()
    const [one, other] = await Promise.all([connecting, startTls(ours, { ...server, head })])
    await exchange(one, other)
  })

  it('is not for clients', async () => {
    const { ours } = segmentedPair()
    expect(await rejection(startTls(ours, { ...client, head: Buffer.from('x') }))).toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
      message: expect.stringContaining('head'),
    })
  })
})

describe('connect({starttls})', () => {
  const dialogue = async (stream: Duplex): Promise<void> => {
    stream.write('STARTTLS\r\n')
    await once(stream, 'readable')
    stream.read(10)
  }
  const upgrading = (answer: string) => (socket: Socket) => {
    socket.once('data', () => {
      socket.removeAllListeners('data').pause()
      socket.write(answer)
      startTls(socket, server).then(
        (secure) => echo(secure.on('error', () => undefined)),
        () => undefined,
      )
    })
  }

  it('speaks in clear first, and lets nothing of the program’s out before TLS', async () => {
    const seen: unknown[] = []
    await using peer = await tcpServer(upgrading('go ahead\r\n'))
    const socket = dial({
      host: '127.0.0.1',
      port: peer.port,
      ca,
      verify: { name: 'localhost' },
      starttls: async (stream, options) => {
        seen.push(options.name, options.timeout, options.signal.aborted)
        await dialogue(stream)
      },
    })
    socket.write('secret')
    expect(String((await once(socket, 'data'))[0])).toBe('secret')
    expect(seen).toEqual(['localhost', 30_000, false])
    expect(peer.received()).not.toContain('secret')
    socket.destroy()
  })

  it.each([
    ['injected plaintext', 'go ahead\r\nINJECTED', dialogue, 'ERR_SECURE_SOCKET_PLAINTEXT_LEFT'],
    [
      'a dialogue that fails',
      'no',
      () => Promise.reject(Object.assign(new Error('no TLS here'), { code: 'ERR_STARTTLS_UNSUPPORTED' })),
      'ERR_STARTTLS_UNSUPPORTED',
    ],
  ])('refuses %s', async (_what, answer, starttls, code) => {
    await using peer = await tcpServer((socket) => void socket.once('data', () => socket.write(answer)))
    const socket = dial({ host: '127.0.0.1', port: peer.port, ca, starttls })
    socket.write('secret')
    const [error] = await once(socket, 'error')
    expect(error).toMatchObject({ code, phase: 'starttls', host: '127.0.0.1' })
    expect(peer.received()).not.toContain('secret')
  })

  it('stops the dialogue when the socket is destroyed', async () => {
    await using peer = await tcpServer(() => undefined)
    const aborted = new Promise((resolve) => {
      const socket = dial({
        host: '127.0.0.1',
        port: peer.port,
        ca,
        starttls: (_stream, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              reject(signal.reason as Error)
              resolve(signal.aborted)
            })
            setImmediate(() => socket.destroy())
          }),
      })
    })
    expect(await aborted).toBe(true)
  })

  it('needs a handshake to follow', () => {
    expect(() => dial({ port: 1, starttls: dialogue, startHandshake: false })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
    )
  })
})
