import { once } from 'node:events'
import type { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { connect, dial } from '../src/index.ts'
import { gather } from '../src/engine/batch.ts'
import { authority, tlsServer } from './support.ts'

const ca = authority.ca

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('small writes, %s', (version) => {
  const limits = { minVersion: version, maxVersion: version } as const

  it('of one tick leave together, each with its callback, in order', async () => {
    await using server = await tlsServer(limits)
    const raw: Socket[] = []
    server.server.on('connection', (socket: Socket) => raw.push(socket))
    const socket = await connect({ host: 'localhost', port: server.port, ca })
    const before = raw[0]?.bytesRead ?? 0
    const order: number[] = []
    for (let index = 0; index < 1_000; index++) socket.write('0123456789', () => order.push(index))
    expect(server.received()).toBe('')
    let bytes = 0
    for await (const chunk of socket) {
      bytes += (chunk as Buffer).length
      if (bytes === 10_000) break
    }
    expect(order).toEqual([...Array(1_000).keys()])
    expect((raw[0]?.bytesRead ?? 0) - before).toBeLessThan(10_500) // a record for each would be 22 bytes more, each
    expect(server.received()).toBe('0123456789'.repeat(1_000))
  })

  it('what was written before destroy() or end() has left', async () => {
    for (const way of ['destroy', 'end'] as const) {
      await using server = await tlsServer(limits, (socket) => socket.once('data', () => socket.write('k')))
      const gone = new Promise<void>((resolve) =>
        server.server.on('secureConnection', (socket: Socket) => socket.on('close', () => resolve())),
      )
      const socket = await connect({ host: 'localhost', port: server.port, ca })
      socket.write('well, ')
      await once(socket, 'data') // in the tick of the handshake itself, Node 26's own sockets drop what they are closed behind
      socket.write('good')
      socket.write('bye')
      socket[way]()
      socket.resume()
      await gone
      expect(server.received()).toBe('well, goodbye')
    }
  })

  it('before the verdict stay held, also by destroy()', async () => {
    await using server = await tlsServer(limits)
    const socket = dial({ host: 'localhost', port: server.port, ca, verify: { callback: () => new Promise(() => {}) } })
    const failed = new Promise((resolve) => socket.write('secret', resolve))
    await once(server.server, 'secureConnection')
    socket.write('another')
    socket.destroy()
    expect(await failed).toBeInstanceOf(Error)
    await once(socket, 'close')
    expect(server.received()).toBe('')
  })

  it('a program’s own cork() holds beyond the tick', async () => {
    await using server = await tlsServer(limits)
    const socket = await connect({ host: 'localhost', port: server.port, ca })
    socket.cork()
    socket.write('x')
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    expect(socket.writableLength).toBe(1)
    socket.uncork()
    await once(socket, 'data')
    socket.destroy()
  })

  it('sizes of every kind arrive in order', async () => {
    await using server = await tlsServer(limits)
    const socket = await connect({ host: 'localhost', port: server.port, ca })
    const sizes = [1, 16_383, 16_384, 65_536, 3, 200_000, 131_072, 0, 5, 70_000, 61_072]
    const all = Buffer.concat(sizes.map((size, index) => Buffer.alloc(size, index)))
    for (const [index, size] of sizes.entries()) socket.write(Buffer.alloc(size, index))
    socket.end()
    const got: Buffer[] = []
    for await (const chunk of socket) got.push(chunk as Buffer)
    expect(Buffer.concat(got).equals(all)).toBe(true)
  })
})

it('what is no chunk is refused by the stream', async () => {
  await using server = await tlsServer()
  const socket = await connect({ host: 'localhost', port: server.port, ca })
  expect(() => socket.write(undefined as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }))
  socket.destroy()
})

describe('gather', () => {
  it('a buffer in use is not lent again', () => {
    const one = gather([Buffer.from('ab'), Buffer.from('cd')])
    const two = gather([Buffer.from('ef'), Buffer.from('gh')])
    expect([one, two].map((batch) => String(batch?.bytes))).toEqual(['abcd', 'efgh'])
    one?.giveBack()
    const three = gather([Buffer.from('ij'), Buffer.from('k')])
    expect(String(three?.bytes)).toBe('ijk')
    expect(String(two?.bytes)).toBe('efgh')
    expect(three?.bytes.buffer).toBe(one?.bytes.buffer)
  })

  it.each([
    ['one chunk', [Buffer.alloc(1)]],
    ['none', []],
    ['more than a batch', [Buffer.alloc(100_000), Buffer.alloc(100_000)]],
  ])('%s is written as it is', (_what, chunks) => {
    expect(gather(chunks)).toBeUndefined()
  })
})
