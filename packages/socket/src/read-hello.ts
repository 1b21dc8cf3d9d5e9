import type { Duplex } from 'node:stream'
import { type CheckedHello, readFirstBytes } from './client-hello.ts'
import { SecureSocketError } from './errors.ts'
import { handshakeTimeout } from './failures.ts'

/** What a client began with. The bytes are back in the transport, which is paused. */
export type FirstMessage =
  | { readonly kind: 'hello'; readonly hello: CheckedHello }
  | { readonly kind: 'plaintext'; readonly bytes: Uint8Array }

export interface HelloLimits {
  /** Bytes that a hello may have, record headers included. */
  readonly maxHelloSize: number
  /** Milliseconds; undefined where the caller destroys the transport when its time is over. */
  readonly timeout: number | undefined
  /** Called once, when the client has said anything at all. */
  readonly onFirstByte?: (() => void) | undefined
}

/**
 * Reads the ClientHello off a connection before TLS starts, and puts it back. A hello may come in any number of segments and records.
 *
 * Rejects with ERR_SECURE_SOCKET_CLIENT_HELLO (malformed, or more than `maxHelloSize`), ERR_SECURE_SOCKET_HANDSHAKE_INTERRUPTED (the client
 * closed), ERR_SECURE_SOCKET_HANDSHAKE_TIMEOUT and the transport's error. Destroying the transport ends it.
 */
export function readHello(
  transport: Duplex,
  { maxHelloSize, timeout, onFirstByte }: HelloLimits,
): Promise<FirstMessage> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    let need = 1
    const stop = (): void => {
      transport.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', onFailure)
      clearTimeout(timer)
      transport.pause()
    }
    const onFailure = (error: unknown): void => {
      stop()
      reject(error)
    }
    const onEnd = (): void => onFailure(interrupted(size))
    const onData = (chunk: Buffer): void => {
      if (size === 0) onFirstByte?.()
      chunks.push(chunk)
      size += chunk.length
      if (size < need && size < maxHelloSize) return
      const bytes = chunks.length === 1 ? chunk : Buffer.concat(chunks, size)
      if (bytes !== chunk) chunks.splice(0, chunks.length, bytes)
      try {
        const first = readFirstBytes(size > maxHelloSize ? bytes.subarray(0, maxHelloSize) : bytes)
        if (first.kind === 'incomplete') {
          if (size >= maxHelloSize) throw tooLarge(maxHelloSize)
          need = first.need
          return
        }
        stop()
        transport.unshift(bytes)
        resolve(first.kind === 'hello' ? first : { kind: 'plaintext', bytes: Uint8Array.from(bytes) })
      } catch (error) {
        onFailure(error)
      }
    }
    const timer = timeout === undefined ? undefined : setTimeout(() => onFailure(handshakeTimeout(timeout)), timeout)
    if (transport.readableEnded || transport.destroyed) return onEnd()
    transport.on('data', onData).on('end', onEnd).on('close', onEnd).on('error', onFailure)
    transport.resume()
  })
}

function interrupted(size: number): SecureSocketError {
  return new SecureSocketError(
    'ERR_SECURE_SOCKET_HANDSHAKE_INTERRUPTED',
    `the client closed the connection after ${size} bytes, before TLS started`,
    { phase: 'handshake' },
  )
}

function tooLarge(limit: number): SecureSocketError {
  return new SecureSocketError(
    'ERR_SECURE_SOCKET_CLIENT_HELLO',
    `the client's first message has more than ${limit} bytes`,
    { phase: 'handshake', hint: "allow more with 'maxHelloSize'" },
  )
}
