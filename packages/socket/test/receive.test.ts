import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { Inflow } from '../src/engine/inflow.ts'
import { readInto } from '../src/engine/node-internals.ts'
import { RecordFramer } from '../src/engine/record-framer.ts'
import { type SecureSocket, startTls } from '../src/index.ts'
import { tcpPair } from './rigs.ts'
import { authority, identity, rejection } from './support.ts'

const runs = { numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) }
const open: { destroy(): unknown }[] = []
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy()
})

const client = { host: 'localhost', ca: authority.ca, stoppable: true }
const server = { isServer: true, cert: identity.cert, key: identity.key, stoppable: true }

interface Pair {
  readonly ours: SecureSocket
  readonly theirs: SecureSocket
  readonly raw: Socket
}

async function pair(): Promise<Pair> {
  const tcp = await tcpPair()
  const [ours, theirs] = await Promise.all([startTls(tcp.ours, client), startTls(tcp.theirs, server)])
  open.push(ours, theirs, tcp.ours, tcp.theirs)
  return { ours, theirs, raw: tcp.ours }
}

/** Bytes that tell where they belong: no two stretches are alike. */
function pattern(seed: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32LE((Math.imul(at + 1, 2_654_435_761) ^ seed) >>> 0, at)
  return bytes
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Reads so much, and pauses now and then for a turn of the event loop, or for what `slowly` says. */
async function collect(socket: SecureSocket, length: number, slowly: () => boolean): Promise<Buffer> {
  const chunks: Buffer[] = []
  let got = 0
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk as Buffer)
    got += (chunk as Buffer).length
    if (got >= length) break
    if (slowly()) await new Promise((resolve) => setImmediate(resolve))
  }
  return Buffer.concat(chunks)
}

/** The buffer that a socket reads into, where it has one. */
function buffersOf(socket: Socket): unknown {
  const field = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'kBuffer') as symbol
  return (socket as unknown as Record<symbol, unknown>)[field] ?? undefined
}

describe('connections that receive a lot', () => {
  it('read into one buffer, and each keeps its own bytes in order, read fast or slowly', async () => {
    const pairs = await Promise.all([pair(), pair(), pair()])
    const length = 2_000_000
    for (const { raw } of pairs) expect(buffersOf(raw)).toBe(undefined)
    const received = await Promise.all(
      pairs.map(({ ours, theirs }, seed) => {
        const bytes = pattern(seed, length)
        for (let at = 0, size = 1; at < length; at += size, size = (size * 7 + 11) % 40_000)
          theirs.write(bytes.subarray(at, at + size))
        let turn = seed
        return collect(ours, length, () => seed > 0 && turn++ % (seed + 1) === 0)
      }),
    )
    expect(received.map(digest)).toEqual(pairs.map((_pair, seed) => digest(pattern(seed, length))))
    const [first, ...others] = pairs.map(({ raw }) => buffersOf(raw))
    expect(first).toBeInstanceOf(Uint8Array)
    for (const other of others) expect(other).toBe(first)
  })

  it('can leave TLS, and come back to it, with every byte in order', async () => {
    const { ours, theirs, raw } = await pair()
    const [secret, clear] = [pattern(1, 900_001), pattern(2, 700_001)]
    for (let round = 0; round < 3; round++) {
      theirs.write(secret)
      const stopped = theirs.stopTls().then((plain) => plain.write(clear))
      expect(digest(await ours.readBytes(secret.length))).toBe(digest(secret))
      await Promise.all([ours.stopTls(), stopped])
      expect(digest(await ours.readBytes(clear.length))).toBe(digest(clear))
      await Promise.all([ours.startTls(client), theirs.startTls(server)])
    }
    expect(buffersOf(raw)).toBeInstanceOf(Uint8Array)
  })

  it('give a transport back that is read like any other', async () => {
    const { ours, theirs, raw } = await pair()
    const [secret, clear] = [pattern(3, 500_000), pattern(4, 500_000)]
    theirs.write(secret)
    const stopped = theirs.stopTls().then((plain) => plain.end(clear))
    await ours.readBytes(secret.length)
    const [plain] = await Promise.all([ours.stopTls({ detach: true }), stopped])
    expect(plain).toBe(raw)
    const chunks: Buffer[] = []
    for await (const chunk of plain) {
      chunks.push(chunk as Buffer)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(digest(Buffer.concat(chunks))).toBe(digest(clear))
  })

  it('give a transport back that reads on while it is paused, as Node’s own do', async () => {
    const { ours, theirs, raw } = await pair()
    theirs.write(pattern(7, 500_000))
    const stopped = theirs.stopTls()
    await ours.readBytes(500_000)
    const [, plain] = await Promise.all([ours.stopTls({ detach: true }), stopped])
    expect(buffersOf(raw)).toBeInstanceOf(Uint8Array)
    raw.resume()
    plain.write('one')
    const [one] = (await once(raw, 'data')) as [Buffer]
    raw.pause()
    plain.write('two')
    while (raw.readableLength === 0) await new Promise((resolve) => setImmediate(resolve))
    expect([String(one), String(raw.read())]).toEqual(['one', 'two'])
  })

  it('still notice what was sent in clear before TLS starts again', async () => {
    const { ours, theirs } = await pair()
    theirs.write(pattern(5, 400_000))
    const stopped = theirs.stopTls()
    await ours.readBytes(400_000)
    const [, plain] = await Promise.all([ours.stopTls(), stopped])
    ours.pause()
    plain.write('injected')
    await once(ours, 'readable')
    expect(await rejection(ours.startTls(client))).toMatchObject({ code: 'ERR_SECURE_SOCKET_PLAINTEXT_LEFT' })
  })

  it('tell a truncated end, with all that came before it', async () => {
    const { ours, theirs, raw } = await pair()
    const bytes = pattern(6, 600_000)
    const reading = collect(ours, bytes.length, () => true)
    await new Promise<void>((resolve) => theirs.write(bytes, () => resolve()))
    expect(digest(await reading)).toBe(digest(bytes))
    expect(buffersOf(raw)).toBeInstanceOf(Uint8Array)
    const failed = once(ours.resume(), 'error')
    theirs.destroy()
    expect(((await failed) as [Error])[0]).toMatchObject({ code: 'ERR_SECURE_SOCKET_TRUNCATED' })
  })
})

it('a socket with an onread of the program’s own keeps it', async () => {
  const { ours, close } = await tcpPair()
  const socket = new Socket({ onread: { buffer: Buffer.alloc(8), callback: () => true } } as never)
  expect(readInto(socket, { current: Buffer.alloc(1) }, () => true)).toBe(false)
  expect(readInto(ours, { current: Buffer.alloc(1) }, () => true)).toBe(true)
  expect(readInto(ours, { current: Buffer.alloc(2) }, () => true)).toBe(false)
  close()
})

describe('RecordFramer, of chunks that are only lent', () => {
  it('has what it needs when they are gone', () => {
    const record = fc
      .tuple(fc.integer({ min: 20, max: 23 }), fc.uint8Array({ maxLength: 60 }))
      .map(([type, body]) => Buffer.from([type, 3, 3, body.length >> 8, body.length & 255, ...body]))
    fc.assert(
      fc.property(
        fc.array(record),
        fc.array(fc.record({ cut: fc.nat(90), stop: fc.nat(4), how: fc.constantFrom('rest', 'keep', 'all') })),
        (records, steps) => {
          const bytes = Buffer.concat(records)
          const framer = new RecordFramer({ reuses: true })
          const lent = Buffer.alloc(bytes.length)
          const out: Buffer[] = []
          let at = 0
          for (const { cut, stop, how } of [...steps, { cut: bytes.length, stop: 0, how: 'all' }]) {
            const chunk = bytes.subarray(at, at + cut)
            at += chunk.length
            chunk.copy(lent)
            framer.push(lent.subarray(0, chunk.length), true)
            let count = 0
            for (let next = framer.next(); next !== undefined; next = framer.next()) {
              out.push(Buffer.from(next))
              if (how !== 'all' && ++count > stop) break
            }
            if (how === 'keep') framer.keep()
            // put back, and read again
            const rest = how === 'rest' ? framer.rest() : undefined
            lent.fill(0xee)
            if (rest !== undefined) framer.push(rest)
          }
          expect(Buffer.concat([...out, framer.rest() ?? Buffer.alloc(0)])).toEqual(bytes)
          expect(framer.broken).toBe(false)
        },
      ),
      runs,
    )
  })
})

describe('Inflow', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('push' as const), enough: fc.boolean() }),
    fc.constant({ kind: 'pull' as const }),
    fc.constant({ kind: 'turn' as const }),
  )

  it('keeps the order, delivers nothing that was not asked for, and ends behind the last', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const stream = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() })
        const got: number[] = []
        const enough = new Set<number>()
        let asked = false
        const inflow = new Inflow(stream, (chunk) => {
          expect([asked, stream.readableEnded]).toEqual([true, false])
          got.push(...chunk)
          return (asked = !chunk.some((byte) => enough.has(byte)))
        })
        const pull = (): void => {
          asked = true
          inflow.pull()
        }
        let sent = 0
        for (const one of steps) {
          if (one.kind === 'push') {
            if (one.enough) enough.add(sent)
            stream.push(Uint8Array.from([sent++]))
          } else if (one.kind === 'pull') pull()
          else await new Promise((resolve) => setImmediate(resolve))
        }
        stream.push(null)
        for (let turn = 0; turn < 200 && !stream.readableEnded; turn++) {
          pull()
          await new Promise((resolve) => setImmediate(resolve))
        }
        expect(stream.readableEnded).toBe(true)
        expect(got).toEqual([...Array(sent).keys()])
      }),
      runs,
    )
  })

  it('has what may pass the stream by pass it by, also when it has been paused', async () => {
    const stream = new Duplex({ read: () => undefined })
    const got: string[] = []
    const queued: string[] = []
    const inflow = new Inflow(stream, (chunk) => {
      got.push(String(Buffer.from(chunk)))
      return got.at(-1) !== '2'
    })
    stream.on('data', (chunk: Buffer) => queued.push(String(chunk)))
    stream.push(Buffer.from('1'))
    for (const more of ['2', '3']) {
      inflow.pull()
      await new Promise((resolve) => setImmediate(resolve))
      stream.push(Buffer.from(more))
    }
    stream.push(Buffer.from('4'))
    expect([got, queued]).toEqual([['1', '2', '3', '4'], ['1']])
    stream.destroy()
  })
})
