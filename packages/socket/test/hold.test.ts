import { once } from 'node:events'
import { PassThrough, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { describe, expect, it } from 'vitest'
import { dial, PeerRefusedError } from '../src/index.ts'
import { authority, tlsServer } from './support.ts'

const ca = authority.ca
const versions = ['TLSv1.2', 'TLSv1.3'] as const
function withResolvers(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined
  return { promise: new Promise<void>((done) => (resolve = done)), resolve: () => resolve() }
}

const refusing = { verify: { name: 'other.example.org' } }

describe.each(versions)('before the verdict, %s', (version) => {
  const limits = { minVersion: version, maxVersion: version } as const

  it('a greeting right behind Finished arrives after secureConnect, not before', async () => {
    await using server = await tlsServer(limits, (socket) => socket.write('greeting'))
    const socket = dial({
      host: 'localhost',
      port: server.port,
      ca,
      ...limits,
      verify: { callback: () => new Promise((resolve) => setImmediate(() => setImmediate(resolve, true))) },
    })
    const order: string[] = []
    socket
      .on('secureConnect', () => order.push('secureConnect'))
      .on('data', (chunk: Buffer) => order.push(String(chunk)))
    await once(socket, 'data')
    expect(order).toEqual(['secureConnect', 'greeting'])
    socket.destroy()
  })

  it.each(['data', 'readable', 'pipe', 'iterate'] as const)('a refused peer delivers nothing by %s', async (way) => {
    await using server = await tlsServer(limits, (socket) => socket.write('poison'))
    const socket = dial({ host: 'localhost', port: server.port, ca, ...limits, ...refusing })
    let got = ''
    const events: string[] = []
    for (const event of ['secureConnect', 'ready', 'end', 'error', 'close']) socket.on(event, () => events.push(event))
    const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
    if (way === 'data') socket.on('data', (chunk: Buffer) => (got += String(chunk)))
    if (way === 'readable') socket.on('readable', () => (got += String(socket.read() ?? '')))
    if (way === 'pipe')
      socket.pipe(new Writable({ write: (chunk, _encoding, done) => ((got += String(chunk)), done()) }))
    if (way === 'iterate')
      await (async () => {
        for await (const chunk of socket) got += String(chunk)
      })().catch((error: unknown) => expect(error).toBeInstanceOf(PeerRefusedError))
    await closed
    expect(got).toBe('')
    expect(events).toEqual(['error', 'close'])
  })

  it('what is written early reaches a trusted peer, in order', async () => {
    await using server = await tlsServer(limits)
    const socket = dial({ host: 'localhost', port: server.port, ca, ...limits })
    const written: number[] = []
    for (let at = 0; at < 50; at++) socket.write(`${at} `, () => written.push(at))
    socket.end()
    let got = ''
    for await (const chunk of socket) got += String(chunk)
    expect(got.trim().split(' ').map(Number)).toEqual([...Array(50).keys()])
    expect(written).toEqual([...Array(50).keys()])
  })

  it.each(['write', 'end', 'pipe', 'writev'] as const)(
    'what is written early never reaches a refused peer, by %s',
    async (way) => {
      const closing = withResolvers()
      await using server = await tlsServer(limits)
      server.server.on('connection', (raw) => raw.on('close', closing.resolve))
      const socket = dial({ host: 'localhost', port: server.port, ca, ...limits, ...refusing })
      const results: (Error | null | undefined)[] = []
      if (way === 'write') socket.write('secret', (error) => results.push(error))
      if (way === 'end') socket.end('secret')
      if (way === 'pipe')
        await pipeline(new PassThrough().end('secret'), socket).catch((error: Error) => results.push(error))
      if (way === 'writev') {
        socket.cork()
        socket.write('sec', (error) => results.push(error))
        socket.write('ret', (error) => results.push(error))
        socket.uncork()
      }
      if (!socket.destroyed) await once(socket, 'error')
      await closing.promise
      expect(server.received()).toBe('')
      for (const result of results) expect(result).toBeInstanceOf(Error)
      if (way !== 'end') expect(results.length).toBeGreaterThan(0)
    },
  )

  it('backpressure holds: no more than the high-water mark is taken early', async () => {
    await using server = await tlsServer(limits)
    const socket = dial({ host: 'localhost', port: server.port, ca, ...limits })
    const chunk = Buffer.alloc(64 * 1024)
    expect(socket.write(chunk)).toBe(false)
    await once(socket, 'drain')
    expect(socket.phase).toBe('secure')
    socket.destroy()
  })

  it('a listener of secureConnect may destroy the socket, and nothing follows', async () => {
    await using server = await tlsServer(limits, (socket) => socket.write('greeting'))
    const socket = dial({ host: 'localhost', port: server.port, ca, ...limits })
    socket.write('secret')
    socket.on('secureConnect', () => socket.destroy())
    socket.on('data', () => expect.unreachable())
    await once(socket, 'close')
    expect(server.received()).toBe('')
  })
})
