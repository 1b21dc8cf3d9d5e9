import type { Readable } from 'node:stream'
import { invalidType, invalidValue, SecureSocketError } from './errors.ts'

export interface ReadingOptions {
  /** Ends the wait with its reason; nothing is lost. */
  readonly signal?: AbortSignal
  /** Milliseconds to wait; default none. */
  readonly timeout?: number
}

export interface LineOptions extends ReadingOptions {
  /** Bytes of a line, its end included; a longer one is refused and stays unread. Default 65,536. */
  readonly maxLength?: number
}

/** A chunk put back is read again; what a reader leaves is there for the next. Readers take turns: one at a time. */
const busy = new WeakSet<Readable>()

/**
 * Exactly `length` bytes, or fewer where the peer ends before, none at the end. The original's `read`, but never short while more is coming.
 * Rejects with the stream's error, ERR_SECURE_SOCKET_READ_TIMEOUT, or the signal's reason; then nothing has been consumed.
 */
export function readBytes(stream: Readable, length: number, options: ReadingOptions = {}): Promise<Buffer> {
  checkLength('length', length)
  return collect(stream, options, (_chunk, total, ended) =>
    total >= length || ended ? Math.min(length, total) : undefined,
  )
}

/** Up to `length` bytes as `readBytes` would give them, which stay unread. Waits for the first of them. The original's `peek`. */
export async function peek(stream: Readable, length: number, options: ReadingOptions = {}): Promise<Buffer> {
  checkLength('length', length)
  const bytes = await collect(stream, options, (_chunk, total, ended) =>
    total > 0 || length === 0 || ended ? Math.min(length, total) : undefined,
  )
  if (bytes.length > 0) stream.unshift(bytes)
  return bytes
}

/** One line with its end (`\n`), the rest where the peer ends without one, undefined at the end. The original's `readline`. */
export async function readLine(stream: Readable, options: LineOptions = {}): Promise<Buffer | undefined> {
  const { maxLength = 65_536, ...waiting } = options
  checkLength('maxLength', maxLength)
  const line = await collect(stream, waiting, (chunk, total, ended) => {
    const at = chunk?.indexOf(0x0a) ?? -1
    const length = at === -1 ? total : total - (chunk as Buffer).length + at + 1
    if (length > maxLength)
      throw new SecureSocketError('ERR_SECURE_SOCKET_LINE_TOO_LONG', `a line of more than ${maxLength} bytes`, {
        phase: 'read',
      })
    return at !== -1 || ended ? length : undefined
  })
  return line.length === 0 ? undefined : line
}

/** Lines until the peer ends. */
export async function* lines(stream: Readable, options: LineOptions = {}): AsyncGenerator<Buffer, void, undefined> {
  for (let line = await readLine(stream, options); line !== undefined; line = await readLine(stream, options))
    yield line
}

/** How many of the `total` bytes are wanted, or undefined for more; `chunk` is the latest of them, undefined when there is none. */
type Enough = (chunk: Buffer | undefined, total: number, ended: boolean) => number | undefined

/**
 * Takes what the stream has until `enough` says how many bytes are wanted; the others are put back. On failure all of it is put back.
 * One persistent 'readable' listener: `once(stream, 'readable')` in a loop over partial data starves the event loop.
 */
function collect(stream: Readable, { signal, timeout }: ReadingOptions, enough: Enough): Promise<Buffer> {
  if (busy.has(stream))
    return Promise.reject(
      new SecureSocketError('ERR_SECURE_SOCKET_STATE', 'another read is waiting on this socket', { phase: 'read' }),
    )
  if (timeout !== undefined) checkLength('timeout', timeout)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let total = 0
    let timer: NodeJS.Timeout | undefined
    const stop = (): void => {
      busy.delete(stream)
      clearTimeout(timer)
      stream.off('readable', onReadable).off('end', onReadable).off('error', fail).off('close', onClose)
      signal?.removeEventListener('abort', onAbort)
    }
    const fail = (error: Error): void => {
      stop()
      if (total > 0 && !stream.destroyed && !stream.readableEnded) stream.unshift(Buffer.concat(chunks))
      reject(error)
    }
    const onClose = (): void =>
      fail(new SecureSocketError('ERR_SECURE_SOCKET_CLOSED', 'the socket was closed', { phase: 'read' }))
    const onAbort = (): void => fail(signal?.reason as Error)
    const finish = (wanted: number): void => {
      stop()
      const have = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)
      if (wanted < total) stream.unshift(have.subarray(wanted))
      resolve(have.subarray(0, wanted))
    }
    const onReadable = (): void => {
      try {
        let wanted = enough(undefined, total, stream.readableEnded)
        while (wanted === undefined) {
          const chunk = stream.read() as Buffer | string | null
          if (chunk === null) return
          const bytes = typeof chunk === 'string' ? Buffer.from(chunk, stream.readableEncoding ?? 'utf8') : chunk
          chunks.push(bytes)
          total += bytes.length
          wanted = enough(bytes, total, stream.readableEnded)
        }
        finish(wanted)
      } catch (error) {
        fail(error as Error)
      }
    }
    if (signal?.aborted === true) return onAbort()
    if (stream.readableEnded) return finish(0)
    if (stream.destroyed) return stream.errored === null ? onClose() : fail(stream.errored)
    busy.add(stream)
    signal?.addEventListener('abort', onAbort, { once: true })
    if (timeout !== undefined) timer = setTimeout(() => fail(readTimeout(timeout)), timeout)
    stream.on('readable', onReadable).on('end', onReadable).on('error', fail).on('close', onClose)
    onReadable()
  })
}

function readTimeout(ms: number): SecureSocketError {
  return new SecureSocketError('ERR_SECURE_SOCKET_READ_TIMEOUT', `nothing more to read within ${ms} ms`, {
    phase: 'read',
  })
}

function checkLength(name: string, value: number): void {
  if (typeof value !== 'number') throw invalidType(name, 'a number')
  if (!(Number.isSafeInteger(value) && value >= 0)) throw invalidValue(name, 'must be a whole number of at least 0')
}
