/** More than the facade gathers for one batch. */
const SIZE = 128 * 1024
/** How many are kept for reuse: a fresh one costs more than what it saves. */
const KEPT = 8

const free: Buffer[] = []

/** Several small chunks as one, in a borrowed buffer. */
export interface Batch {
  readonly bytes: Uint8Array
  /** To be called when nothing refers to the bytes any more. */
  readonly giveBack: () => void
}

/**
 * Gathers chunks so that TLS makes few large records of them instead of many small ones; undefined where that does not pay. Whoever writes
 * the batch must be done with its bytes when the write's callback comes, as node:tls is: it encrypts or copies them.
 */
export function gather(chunks: readonly Uint8Array[]): Batch | undefined {
  let length = 0
  for (const chunk of chunks) length += chunk.length
  if (chunks.length < 2 || length > SIZE) return undefined
  const slab = free.pop() ?? Buffer.allocUnsafeSlow(SIZE)
  let at = 0
  for (const chunk of chunks) {
    slab.set(chunk, at)
    at += chunk.length
  }
  return {
    bytes: slab.subarray(0, length),
    giveBack: () => {
      if (free.length < KEPT) free.push(slab)
    },
  }
}
