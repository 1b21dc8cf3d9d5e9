import { once } from 'node:events'
import { connect as connectTcp, Socket } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { connect, dial, SecureSocket } from '../src/index.ts'
import { authority, rejection, tcpServer, tlsServer } from './support.ts'

const ca = authority.ca
/** Of a readable side, which Node 22 has made larger. */
const usual = new Socket().readableHighWaterMark

/** What a net.Socket would make of its handle, a facade has to answer by itself: each of these is a trap. */
describe('as a net.Socket', () => {
  it('answers for addresses and counters like the socket below', async () => {
    await using server = await tlsServer()
    const socket = await connect({ host: '127.0.0.1', port: server.port, ca })
    expect(socket.remoteAddress).toBe('127.0.0.1')
    expect(socket.remotePort).toBe(server.port)
    expect(socket.remoteFamily).toBe('IPv4')
    expect(socket.localAddress).toBe('127.0.0.1')
    expect(socket.localPort).toBeGreaterThan(0)
    expect(socket.address()).toMatchObject({ address: '127.0.0.1', port: socket.localPort })
    expect(socket.bytesRead).toBeGreaterThan(500)
    expect(socket.bytesWritten).toBeGreaterThan(100)
    expect([socket.connecting, socket.pending, socket.readyState]).toEqual([false, false, 'open'])
    expect(socket.setNoDelay()).toBe(socket)
    expect(socket.setKeepAlive(true, 1000)).toBe(socket)
    expect(socket.unref().ref()).toBe(socket)
    socket.destroy()
    await once(socket, 'close')
    expect(socket.readyState).toBe('closed')
  })

  it('is connecting until it is connected', async () => {
    await using server = await tlsServer()
    const socket = dial({ host: '127.0.0.1', port: server.port, ca })
    expect([socket.connecting, socket.pending, socket.phase, socket.readyState]).toEqual([
      true,
      true,
      'connecting',
      'opening',
    ])
    const phases: string[] = []
    for (const event of ['connect', 'secureConnect', 'ready'])
      socket.on(event, () => phases.push(`${event} ${socket.phase}`))
    await once(socket, 'ready')
    expect(phases).toEqual(['connect connecting', 'secureConnect secure', 'ready secure'])
    socket.destroy()
  })

  it("emits 'close' once and last, after 'error', with whether there was one", async () => {
    await using server = await tlsServer()
    const refused = dial({ host: '127.0.0.1', port: server.port, ca: [] })
    const events: unknown[] = []
    refused.on('error', () => events.push('error')).on('close', (hadError: boolean) => events.push(['close', hadError]))
    await new Promise<void>((resolve) => refused.on('close', () => resolve()))
    expect(events).toEqual(['error', ['close', true]])
    const fine = await connect({ host: '127.0.0.1', port: server.port, ca })
    fine.destroy()
    expect(await once(fine, 'close')).toEqual([false])
  })

  it('refuses connect(), which would open a connection in clear', async () => {
    await using server = await tlsServer()
    const socket = await connect({ host: '127.0.0.1', port: server.port, ca })
    expect(() => (socket as { connect: (port: number) => void }).connect(server.port)).toThrow(
      expect.objectContaining({ code: 'ERR_SECURE_SOCKET_STATE' }),
    )
    socket.destroy()
  })

  it('cannot be made by hand', () => {
    const Constructor = SecureSocket as unknown as new (...args: unknown[]) => unknown
    expect(() => new Constructor({})).toThrow(
      expect.objectContaining({ name: 'TypeError', code: 'ERR_ILLEGAL_CONSTRUCTOR' }),
    )
    expect(() => new Constructor({}, Symbol('SecureSocket'))).toThrow(
      expect.objectContaining({ name: 'TypeError', code: 'ERR_ILLEGAL_CONSTRUCTOR' }),
    )
  })

  it('is no thenable', async () => {
    await using server = await tlsServer()
    const socket = await connect({ host: '127.0.0.1', port: server.port, ca })
    expect('then' in socket).toBe(false)
    socket.destroy()
  })

  it('feeds its idle timer with every byte, in either direction', async () => {
    await using server = await tlsServer()
    const socket = await connect({ host: '127.0.0.1', port: server.port, ca })
    socket.setTimeout(60_000)
    const restarted = vi.spyOn(socket as typeof socket & { _unrefTimer: () => void }, '_unrefTimer')
    await new Promise<void>((resolve) => socket.write('x', () => resolve()))
    expect(restarted).toHaveBeenCalledTimes(1)
    await once(socket, 'data')
    expect(restarted).toHaveBeenCalledTimes(2)
    socket.setTimeout(20)
    await once(socket, 'timeout')
    socket.destroy()
  })

  it.each([
    [{}, { allowHalfOpen: false, writable: 65_536 }],
    [{ allowHalfOpen: true }, { allowHalfOpen: true, writable: 65_536 }],
    [{ highWaterMark: 100 }, { allowHalfOpen: false, writable: 100, readable: 100 }],
    [
      { allowHalfOpen: true, highWaterMark: 100 },
      { allowHalfOpen: true, writable: 100, readable: 100 },
    ],
  ])('is made the same each time: %o', (options, expected) => {
    for (let made = 0; made < 12; made++) {
      const socket = dial({ host: '127.0.0.1', port: 1, ...options }).on('error', () => undefined)
      const { readableHighWaterMark, writableHighWaterMark: writable, allowHalfOpen } = socket
      expect({ readable: readableHighWaterMark, writable, allowHalfOpen }).toEqual({ readable: usual, ...expected })
      expect(socket.writableObjectMode || socket.readableObjectMode).toBe(false)
      socket.write('ä') // held; counted in bytes
      expect(socket.writableLength).toBe(2)
      socket.destroy()
    }
  })

  it("tells no 'timeout' behind 'close'", async () => {
    await using server = await tcpServer(() => undefined)
    const socket = dial({ host: '127.0.0.1', port: server.port, startHandshake: false })
    const told: string[] = []
    for (const event of ['timeout', 'close']) socket.on(event, () => told.push(event))
    await once(socket, 'connect')
    socket.setTimeout(20).destroy()
    expect(socket.timeout).toBe(20)
    await once(socket, 'close')
    await new Promise((resolve) => setTimeout(resolve, 25)) // begun later, it ends later
    expect(told).toEqual(['close'])
  })

  it('ends our direction when the peer ends its own, unless told otherwise', async () => {
    await using server = await tlsServer({ allowHalfOpen: true }, (socket) => socket.end('bye'))
    const usual = await connect({ host: '127.0.0.1', port: server.port, ca })
    usual.resume()
    await once(usual, 'close')
    expect(usual.writableFinished).toBe(true)
    const halfOpen = await connect({ host: '127.0.0.1', port: server.port, ca, allowHalfOpen: true })
    halfOpen.resume()
    await once(halfOpen, 'end')
    expect(halfOpen.writable).toBe(true)
    halfOpen.end()
    await once(halfOpen, 'close')
  })

  it('resets', async () => {
    const reset = new Promise<string | undefined>((resolve) => {
      void tcpServer(() => undefined).then(async (server) => {
        server.server.on('connection', (raw) =>
          raw
            .on('error', (error: NodeJS.ErrnoException) => resolve(error.code))
            .on('close', () => void server[Symbol.asyncDispose]()),
        )
        const socket = await connect({ host: '127.0.0.1', port: server.port, startHandshake: false })
        socket.resetAndDestroy()
      })
    })
    expect(await reset).toBe('ECONNRESET')
  })

  it('tells what went wrong, in which phase, and where', async () => {
    await using closing = await tcpServer((socket) => socket.end())
    expect(await rejection(connect({ host: '127.0.0.1', port: closing.port, ca }))).toMatchObject({
      code: 'ECONNRESET',
      phase: 'handshake',
      host: '127.0.0.1',
      port: closing.port,
    })
    await using silent = await tcpServer(() => undefined)
    expect(await rejection(connect({ host: '127.0.0.1', port: silent.port, ca, handshakeTimeout: 30 }))).toMatchObject({
      code: 'ERR_SECURE_SOCKET_HANDSHAKE_TIMEOUT',
      phase: 'handshake',
    })
    const free = await tcpServer(() => undefined)
    await free[Symbol.asyncDispose]()
    expect(await rejection(connect({ host: '127.0.0.1', port: free.port, ca }))).toMatchObject({
      code: 'ECONNREFUSED',
      phase: 'connect',
    })
    expect(
      await rejection(
        connect({
          host: 'name.invalid',
          port: 1,
          ca,
          lookup: (_host, _options, done) => done(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), []),
        }),
      ),
    ).toMatchObject({
      code: 'ENOTFOUND',
      phase: 'resolve',
    })
  })

  it('can be aborted at any time', async () => {
    await using silent = await tcpServer(() => undefined)
    const abort = new AbortController()
    const pending = rejection(connect({ host: '127.0.0.1', port: silent.port, ca, signal: abort.signal }))
    silent.server.once('connection', () => abort.abort())
    expect(await pending).toMatchObject({ code: 'ABORT_ERR' })
    expect(
      await rejection(connect({ host: '127.0.0.1', port: silent.port, ca, signal: AbortSignal.abort() })),
    ).toMatchObject({ code: 'ABORT_ERR' })
  })

  it('leaves a transport that was given alone until it is needed, and destroys it with itself', async () => {
    await using server = await tlsServer()
    const raw = connectTcp(server.port, '127.0.0.1')
    const socket = await connect({ socket: raw, host: 'localhost', ca })
    socket.destroy()
    if (!raw.closed) await once(raw, 'close')
    expect(raw.destroyed).toBe(true)
  })
})
