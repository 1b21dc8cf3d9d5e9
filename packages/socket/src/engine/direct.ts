import type { Duplex } from 'node:stream'

/**
 * Has what a socket of Node's receives handed to `deliver` at once, instead of through the stream's own queue, 'data' event and the tick behind each:
 * a facade with a queue of its own stands behind it. Only while the stream flows and holds nothing; else, and at the end, all goes as it always does,
 * so order and backpressure stay the stream's. `deliver` pauses the stream where it has enough.
 */
export function deliverDirectly(socket: Duplex, deliver: (chunk: Uint8Array) => void): void {
  const push = socket.push.bind(socket)
  socket.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
    if (!(chunk instanceof Uint8Array) || chunk.length === 0 || !flowsFreely(socket)) return push(chunk, encoding)
    deliver(chunk)
    return true
  }
}

/** Whether what comes now may pass the stream by: it flows, and nothing came before it that is still there. */
export function flowsFreely(stream: Duplex): boolean {
  return stream.readableFlowing === true && stream.readableLength === 0 && !stream.destroyed
}
