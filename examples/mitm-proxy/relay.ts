// not run by itself: part of main.ts. Bytes, both ways, as fast as the slower side takes them.
import { type Duplex, Transform } from 'node:stream'

/** Sees what passes. */
export interface Watcher {
  fromClient(bytes: Buffer): void
  fromOrigin(bytes: Buffer): void
}

/** How many bytes passed. */
export interface Relayed {
  readonly up: number
  readonly down: number
}

/** How long a side may take to close after the other has, and after it was sent all there is. */
const LINGER = 5_000

/**
 * Resolves when both sides are closed. Each direction ends by itself; a side that breaks breaks the other, so that what is cut off looks
 * cut off. (stream.pipeline would destroy the client when the origin has closed, with data for the client still on its way.)
 */
export async function relay(client: Duplex, origin: Duplex, watcher?: Watcher): Promise<Relayed> {
  const up = new Meter((bytes) => watcher?.fromClient(bytes))
  const down = new Meter((bytes) => watcher?.fromOrigin(bytes))
  const closed = [closing(client, origin), closing(origin, client)]
  client.pipe(up).pipe(origin)
  origin.pipe(down).pipe(client)
  await Promise.all(closed)
  return { up: up.bytes, down: down.bytes }
}

/** Resolves when `one` has closed, and sees to it that `other` will. */
function closing(one: Duplex, other: Duplex): Promise<void> {
  one.on('error', () => undefined) // a peer that is gone; `errored` says so below
  return new Promise((resolve) => {
    const onClose = (): void => {
      resolve()
      if (other.destroyed) return
      if (one.errored === null && one.readableEnded) settle(other)
      else other.destroy()
    }
    if (one.closed) onClose()
    else one.once('close', onClose)
  })
}

/** Waits until the pipe has ended our direction, behind all that is still to be sent, and then for the peer, but not for ever. */
function settle(socket: Duplex): void {
  const linger = (): void => {
    const timer = setTimeout(() => socket.destroy(), LINGER).unref()
    socket.once('close', () => clearTimeout(timer))
  }
  socket.unpipe().resume() // nobody is left to read it for
  if (socket.writableFinished) linger()
  else socket.once('finish', linger)
}

class Meter extends Transform {
  bytes = 0
  readonly #see: (bytes: Buffer) => void

  constructor(see: (bytes: Buffer) => void) {
    super()
    this.#see = see
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error: null, chunk: Buffer) => void): void {
    this.bytes += chunk.length
    this.#see(chunk)
    done(null, chunk)
  }
}
