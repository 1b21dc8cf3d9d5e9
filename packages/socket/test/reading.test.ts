import { PassThrough } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { connect } from '../src/index.ts'
import { lines, peek, readBytes, readLine } from '../src/reading.ts'
import { authority, rejection, tlsServer } from './support.ts'

const text = (bytes: Buffer | undefined): string | undefined => bytes?.toString('latin1')

describe('reading as the original does', () => {
  it('over a connection', async () => {
    await using server = await tlsServer({}, (socket) => socket.end('220 hello\r\n250 there\nrest'))
    const socket = await connect({ host: 'localhost', port: server.port, ca: authority.ca })
    expect(text(await socket.peek(3))).toBe('220')
    expect(text(await socket.readLine())).toBe('220 hello\r\n')
    expect(text(await socket.readBytes(4))).toBe('250 ')
    expect(text(await socket.readLine())).toBe('there\n')
    expect(socket.bytesPending()).toBe(4)
    expect(text(await socket.readLine())).toBe('rest')
    expect(await socket.readLine()).toBe(undefined)
    expect(text(await socket.readBytes(1))).toBe('')
    socket.destroy()
  })

  it('gives every byte once, however it was cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ minLength: 1, maxLength: 20 }), { maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
        async (chunks, sizes) => {
          const stream = new PassThrough()
          for (const chunk of chunks) stream.write(chunk)
          stream.end()
          let got = ''
          for (let at = 0; ; at++) {
            const size = sizes[at % sizes.length] as number
            const seen = text(await peek(stream, size)) as string
            const bytes = text(await readBytes(stream, size)) as string
            expect(bytes.startsWith(seen)).toBe(true)
            got += bytes
            if (bytes.length < size) break
          }
          expect(got).toBe(Buffer.from(chunks.join('')).toString('latin1'))
        },
      ),
      { numRuns: 60 },
    )
  })

  it('iterates over lines', async () => {
    const stream = new PassThrough()
    stream.end('a\nb\r\n\nc')
    const got: string[] = []
    for await (const line of lines(stream)) got.push(String(line))
    expect(got).toEqual(['a\n', 'b\r\n', '\n', 'c'])
  })

  it('refuses a line that is too long, and leaves it unread', async () => {
    const stream = new PassThrough()
    stream.write('123456789')
    expect(await rejection(readLine(stream, { maxLength: 8 }))).toMatchObject({
      code: 'ERR_SECURE_SOCKET_LINE_TOO_LONG',
    })
    expect(text(await readBytes(stream, 9))).toBe('123456789')
    stream.write('1234567\n')
    expect(text(await readLine(stream, { maxLength: 8 }))).toBe('1234567\n')
  })

  it('gives up when told, and nothing is lost', async () => {
    const stream = new PassThrough()
    stream.write('ab')
    expect(await rejection(readBytes(stream, 3, { timeout: 5 }))).toMatchObject({
      code: 'ERR_SECURE_SOCKET_READ_TIMEOUT',
    })
    const abort = new AbortController()
    const pending = rejection(readBytes(stream, 3, { signal: abort.signal }))
    abort.abort(new Error('enough'))
    expect((await pending).message).toBe('enough')
    expect((await rejection(readBytes(stream, 3, { signal: AbortSignal.abort(new Error('before')) }))).message).toBe(
      'before',
    )
    stream.write('c')
    expect(text(await readBytes(stream, 3))).toBe('abc')
  })

  it('lets one reader wait at a time', async () => {
    const stream = new PassThrough()
    const first = readBytes(stream, 1)
    expect(await rejection(readBytes(stream, 1))).toMatchObject({ code: 'ERR_SECURE_SOCKET_STATE' })
    stream.write('x')
    expect(text(await first)).toBe('x')
    expect(stream.listenerCount('readable')).toBe(0)
  })

  it('rejects when the stream fails or is closed', async () => {
    const failing = new PassThrough()
    const pending = rejection(readBytes(failing, 1))
    failing.destroy(new Error('broken'))
    expect((await pending).message).toBe('broken')
    expect((await rejection(readBytes(failing, 1))).message).toBe('broken')
    const closed = new PassThrough()
    const waiting = rejection(readLine(closed))
    closed.destroy()
    expect(await waiting).toMatchObject({ code: 'ERR_SECURE_SOCKET_CLOSED' })
  })

  it.each([-1, 0.5, Number.NaN, '1'])('takes no length of %s', async (length) => {
    const stream = new PassThrough()
    expect(() => readBytes(stream, length as number)).toThrow(TypeError)
    expect(await rejection(peek(stream, length as number))).toBeInstanceOf(TypeError)
  })
})
