import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { connect, type ConnectOptions, dial, type OnReadOptions, type SecureSocket, startTls } from '../src/index.ts'
import { CallerBuffers } from '../src/onread.ts'
import { authority, rejection, tcpServer, tlsServer } from './support.ts'
import { tcpPair } from './rigs.ts'

const ca = authority.ca
const versions = ['TLSv1.2', 'TLSv1.3'] as const

/** Collects what arrives in the buffer, and says when so many bytes have. */
function collector(size: number, more: Partial<OnReadOptions> = {}) {
  const got: Buffer[] = []
  const waiting: { bytes: number; resolve: () => void }[] = []
  const onread: OnReadOptions = {
    buffer: Buffer.alloc(size),
    callback: (bytes, buffer) => {
      got.push(Buffer.from(buffer.subarray(0, bytes)))
      for (const wait of waiting) if (text().length >= wait.bytes) wait.resolve()
      return true
    },
    ...more,
  }
  const text = (): string => Buffer.concat(got).toString('latin1')
  const arrived = (bytes: number): Promise<void> => new Promise((resolve) => waiting.push({ bytes, resolve }))
  return { onread, text, got, arrived }
}

describe.each(versions)('onread, %s', (version) => {
  const limits = { minVersion: version, maxVersion: version } as const

  it.each([
    ['one buffer', 65_536, {}],
    ['a buffer smaller than what comes', 7, {}],
    ['stoppable, through our own records', 1_000, { stoppable: true }],
  ] as const)('all bytes arrive in order: %s', async (_what, size, more) => {
    const sent = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 251))
    await using server = await tlsServer(limits, (socket) => socket.end(sent))
    const { onread, got } = collector(size)
    const socket = await connect({ host: 'localhost', port: server.port, ca, onread, ...more })
    socket.on('data', () => expect.unreachable())
    if ('stoppable' in more) await once(socket, 'peerShutdown')
    else await once(socket, 'end')
    expect(Buffer.concat(got).equals(sent)).toBe(true)
    socket.destroy()
  })

  it('nothing arrives before the verdict, and nothing at all from a refused peer', async () => {
    await using server = await tlsServer(limits, (socket) => socket.write('greeting'.repeat(4_000)))
    const { onread, text, arrived } = collector(1_024)
    const host = { host: 'localhost', port: server.port, ca, onread }
    let atVerdict: string | undefined
    const socket = dial({
      ...host,
      verify: { callback: () => new Promise((resolve) => setTimeout(resolve, 30, true)) },
    })
    socket.on('secureConnect', () => (atVerdict = text()))
    await arrived(32_000)
    expect(atVerdict).toBe('')
    socket.destroy()
    const refused = collector(1_024)
    const error = await rejection(
      connect({ ...host, onread: refused.onread, verify: { name: 'other.example.org' } } as ConnectOptions),
    )
    expect(error).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
    expect(refused.got).toEqual([])
  })

  it('false pauses, and resume() goes on without losing a byte', async () => {
    const total = 300_000
    await using server = await tlsServer(limits, (socket) => socket.end(Buffer.alloc(total, 'x')))
    let bytes = 0
    let calls = 0
    let paused = 0
    const socket: SecureSocket = dial({
      host: 'localhost',
      port: server.port,
      ca,
      onread: {
        buffer: Buffer.alloc(4_096),
        callback: (count): boolean => {
          expect(paused).toBe(0) // never called while paused
          bytes += count
          if (++calls % 5 !== 0) return true
          paused = 1
          setImmediate(() => {
            paused = 0
            socket.resume()
          })
          return false
        },
      },
    })
    await once(socket, 'end')
    expect(bytes).toBe(total)
  })

  it('a function gives the buffer for each read', async () => {
    await using server = await tlsServer(limits, (socket) => socket.end('abcdefghij'))
    const buffers: Uint8Array[] = []
    const { onread, text, got } = collector(0, {
      buffer: () => {
        const next = new Uint8Array(4)
        buffers.push(next)
        return next
      },
    })
    const socket = await connect({ host: 'localhost', port: server.port, ca, onread })
    await once(socket, 'end')
    expect(text()).toBe('abcdefghij')
    expect(buffers.length).toBeGreaterThan(got.length)
  })

  it('a callback that throws destroys the socket with it', async () => {
    await using server = await tlsServer(limits, (socket) => socket.write('x'))
    const socket = dial({
      host: 'localhost',
      port: server.port,
      ca,
      onread: {
        buffer: Buffer.alloc(10),
        callback: () => {
          throw new Error('mine')
        },
      },
    })
    const [error] = (await once(socket, 'error')) as [Error]
    expect(error.message).toBe('mine')
  })
})

it('works through startTls, and for what is plain before', async () => {
  await using server = await tcpServer((socket) => void socket.write('220 hello\r\n'))
  const { onread, text, arrived } = collector(64)
  const socket = await connect({ host: 'localhost', port: server.port, startHandshake: false, onread })
  await arrived(11)
  expect(text()).toBe('220 hello\r\n')
  socket.destroy()
  const pair = await tcpPair()
  await expect(startTls(pair.ours, { host: 'x', onread: { buffer: 'no' } as never })).rejects.toThrow("'onread.buffer'")
  pair.close()
})

const wrong: readonly (readonly [string, unknown])[] = [
  ['no callback', { buffer: Buffer.alloc(1) }],
  ['no buffer', { callback: () => true }],
  ['an empty buffer', { buffer: Buffer.alloc(0), callback: () => true }],
  ['an unknown key', { buffer: Buffer.alloc(1), callback: () => true, size: 1 }],
  ['a function', () => true],
]
it.each(wrong)('onread with %s is misuse', async (_what, onread) => {
  const error = await rejection(connect({ host: 'localhost', port: 1, onread: onread as never }))
  expect(error).toBeInstanceOf(TypeError)
  expect(error.message).toContain("'onread")
})

describe('CallerBuffers', () => {
  it('a buffer function that gives no buffer fails, once it is asked', () => {
    const failures: Error[] = []
    const given = [new Uint8Array(1), undefined]
    const buffers = new CallerBuffers(
      { buffer: () => given.shift() as Uint8Array, callback: () => true },
      () => undefined,
      (error) => failures.push(error),
    )
    expect(buffers.take(new Uint8Array(2))).toBe(false)
    expect(failures).toHaveLength(1)
  })

  it('the end comes behind what was held', () => {
    const order: string[] = []
    const buffers = new CallerBuffers(
      { buffer: new Uint8Array(2), callback: (bytes) => void order.push(String(bytes)) },
      () => order.push('end'),
      () => undefined,
    )
    buffers.pause()
    expect(buffers.take(new Uint8Array(3))).toBe(false)
    buffers.end()
    expect(order).toEqual([])
    buffers.resume()
    expect(order).toEqual(['2', '1', 'end'])
  })
})
