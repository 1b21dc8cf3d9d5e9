import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import { connect, dial, type StartTlsDialogue } from '../src/index.ts'
import { segmentedPair, type SegmentedPair } from './rigs.ts'
import { authority, readText, rejection, tcpServer } from './support.ts'

const ca = authority.ca
const open: { destroy(): unknown }[] = []
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy()
})

const refused = (): Error => Object.assign(new Error('refused'), { code: 'ERR_STARTTLS_REFUSED' })

/** Asks, reads one line, and puts back what is behind it, as the dialogues of `@x/starttls` do. */
const dialogue: StartTlsDialogue = async (stream) => {
  stream.write('STARTTLS\r\n')
  let line = ''
  while (!line.includes('\n')) line += await readText(stream, 1)
  const end = line.indexOf('\n') + 1
  if (end < line.length) stream.unshift(Buffer.from(line.slice(end), 'latin1'))
  if (!line.startsWith('220')) throw refused()
}

interface Failed {
  readonly transport: Duplex
  readonly error: Error
}

/** What `connect` over this wire comes to, where the server says `answer` cut at `cut` and the dialogue, or what follows it, fails. */
async function fail(wire: SegmentedPair, answer: string, cut: number): Promise<Failed> {
  const given: Partial<Failed> = {}
  wire.hold()
  const failing = rejection(
    connect({
      socket: wire.ours,
      host: 'localhost',
      ca,
      starttls: dialogue,
      onHandshakeError: (transport, error) => Object.assign(given, { transport, error }),
    }),
  )
  expect(await readText(wire.theirs, 10)).toBe('STARTTLS\r\n')
  wire.theirs.write(Buffer.from(answer, 'latin1'))
  await new Promise((resolve) => setImmediate(resolve))
  wire.flush(cut)
  const error = await failing
  expect(given.error).toBe(error)
  return given as Failed
}

describe('connect({starttls, onHandshakeError}) whose dialogue fails', () => {
  it.each([
    ['refuses TLS', '454 not today\r\n', 'ERR_STARTTLS_REFUSED'],
    ['goes on in clear', '220 go ahead\r\n', 'ERR_SECURE_SOCKET_PLAINTEXT_LEFT'],
  ])('hands over every byte behind the answer of a server that %s, wherever it is cut', async (_what, answer, code) => {
    const behind = 'and\0 more\r\n'
    // a segment of its own behind the answer that allows TLS belongs to TLS, and fails there (see record-transports)
    const last = answer.startsWith('220') ? answer.length - 1 : answer.length + behind.length
    for (let cut = 0; cut <= last; cut++) {
      const wire = segmentedPair()
      const { transport, error } = await fail(wire, answer + behind, cut)
      expect(error).toMatchObject({ code, phase: 'starttls', host: 'localhost' })
      expect(transport).toBe(wire.ours)
      expect([transport.destroyed, transport.readableFlowing === true]).toEqual([false, false])
      wire.theirs.write('later')
      expect(await readText(transport, behind.length + 5)).toBe(`${behind}later`)
      // and it can be talked on
      transport.write('QUIT\r\n')
      expect(await readText(wire.theirs, 6)).toBe('QUIT\r\n')
    }
  })

  it('hands over a megabyte that nobody has read', async () => {
    const wire = segmentedPair()
    const behind = Array.from({ length: 100_000 }, (_, index) => String(index).padStart(10)).join('')
    const { transport } = await fail(wire, `454 no\r\n${behind}`, Infinity)
    expect(await readText(transport, behind.length)).toBe(behind)
  })

  it('hands over a TCP connection, drops what was written for TLS, and takes no part in it any more', async () => {
    await using peer = await tcpServer((socket) => {
      socket.once('data', () => socket.write('454 no\r\n'))
    })
    const taken = new Promise<Duplex>((resolve) => {
      const socket = dial({ host: '127.0.0.1', port: peer.port, ca, starttls: dialogue, onHandshakeError: resolve })
      socket.on('error', () => undefined).write('secret')
    })
    const transport = await taken
    open.push(transport)
    transport.write('in clear')
    while (!peer.received().endsWith('in clear')) await new Promise((resolve) => setImmediate(resolve))
    expect(peer.received()).toBe('STARTTLS\r\nin clear')
    expect(['data', 'end', 'readable', 'error', 'lookup'].map((name) => transport.listenerCount(name))).toEqual(
      [0, 1, 0, 0, 0], // net.Socket's own
    )
  })

  it('hands over the bytes of text that a plain socket had decoded and nobody has read', async () => {
    const { ours, theirs } = segmentedPair()
    const socket = await connect({ socket: ours, host: 'localhost', ca, startHandshake: false })
    socket.setEncoding('latin1')
    const bytes = Buffer.from([0x41, 0xff, 0xe9, 0xc3])
    theirs.write(bytes)
    await once(socket, 'readable')
    const taken = new Promise<Duplex>((resolve) => {
      socket.startTls({ onHandshakeError: resolve }).catch(() => undefined)
    })
    expect((await taken).read()).toEqual(bytes)
  })

  it.each([
    ['several chunks', undefined, [Buffer.from('one'), Buffer.from('two'), Buffer.from('three')]],
    ['a character that has only begun', 'utf8', [Buffer.from([0x41, 0xe2, 0x82])]],
  ] as const)('hands over %s that a plain socket had received and nobody has read', async (_what, encoding, chunks) => {
    const { ours, theirs } = segmentedPair()
    const socket = await connect({ socket: ours, host: 'localhost', ca, startHandshake: false })
    if (encoding !== undefined) socket.setEncoding(encoding)
    socket.read(0)
    for (const chunk of chunks) await new Promise((resolve) => theirs.write(chunk, resolve))
    const taken = new Promise<Duplex>((resolve) => {
      socket.startTls({ onHandshakeError: resolve }).catch(() => undefined)
    })
    const transport = await taken
    const got: Buffer[] = []
    for (let chunk: Buffer | null; (chunk = transport.read() as Buffer | null) !== null; ) got.push(chunk)
    expect(Buffer.concat(got)).toEqual(Buffer.concat(chunks))
  })

  it('closes a transport that no engine has yet with the socket', async () => {
    const sessionCache = {
      add: () => undefined,
      delete: () => undefined,
      get: () => new Promise<never>(() => undefined),
    }
    const failing = { host: 'localhost', ca, starttls: () => Promise.resolve(), sessionCache }
    const aborted = segmentedPair()
    const controller = new AbortController()
    const connecting = connect({ ...failing, socket: aborted.ours, signal: controller.signal })
    setImmediate(() => controller.abort())
    expect(await rejection(connecting)).toMatchObject({ code: 'ABORT_ERR' })
    expect(aborted.ours.destroyed).toBe(true)
  })

  it('closes the transport without a handler, with one that throws, and where the program has closed the socket', async () => {
    const bare = segmentedPair()
    const failing = { host: 'localhost', ca, starttls: () => Promise.reject(refused()) }
    expect(await rejection(connect({ ...failing, socket: bare.ours }))).toMatchObject({ code: 'ERR_STARTTLS_REFUSED' })
    expect(bare.ours.destroyed).toBe(true)

    const throwing = segmentedPair()
    const onHandshakeError = (): never => {
      throw new Error('handler')
    }
    // as startTls() has it: a mistake in the handler is not passed over
    expect((await rejection(connect({ ...failing, socket: throwing.ours, onHandshakeError }))).message).toBe('handler')
    expect(throwing.ours.destroyed).toBe(true)

    const closed = segmentedPair()
    const calls: unknown[] = []
    await new Promise<void>((resolve) => {
      const socket = dial({
        ...failing,
        socket: closed.ours,
        starttls: (_stream, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(refused()))
            socket.destroy()
          }),
        onHandshakeError: (...args) => void calls.push(args),
      })
      closed.ours.on('close', resolve)
    })
    expect([calls, closed.ours.destroyed]).toEqual([[], true])
  })
})
