import { channel } from 'node:diagnostics_channel'
import { debuglog } from 'node:util'
import type { SecureSocket } from './secure-socket.ts'

/** What the channels `x.socket.handshake.start`, `.end` and `.error` of node:diagnostics_channel carry. */
export interface HandshakeMessage {
  readonly socket: SecureSocket
  readonly role: 'client' | 'server'
  readonly host: string | undefined
  readonly port: number | undefined
  /** Of `.error`: why it failed; the peer may have been refused after a handshake without fault. */
  readonly error?: unknown
}

const start = channel('x.socket.handshake.start')
const end = channel('x.socket.handshake.end')
const failed = channel('x.socket.handshake.error')
/** `NODE_DEBUG=x-socket`: one line for each start, end and error; never keys, tickets or passphrases (rule 24). */
const debug = debuglog('x-socket')

let count = 0

/** Whether anybody listens. */
export function isTraced(): boolean {
  return start.hasSubscribers || end.hasSubscribers || failed.hasSubscribers || debug.enabled
}

/** Runs a handshake with its checks, and tells whoever listens. `.end` means that the peer is trusted. */
export async function traced<T>(message: HandshakeMessage, run: () => Promise<T>): Promise<T> {
  if (!isTraced()) return await run()
  const { role, host = '?', port = '?' } = message
  const name = `#${++count} ${role} ${host}:${port}`
  start.publish(message)
  debug('%s: handshake starts', name)
  try {
    const result = await run()
    end.publish(message)
    debug('%s: %s', name, summary(message.socket))
    return result
  } catch (error) {
    failed.publish({ ...message, error } satisfies HandshakeMessage)
    debug('%s: %s', name, reason(error))
    throw error
  }
}

function summary(socket: SecureSocket): string {
  const { verification } = socket
  if (verification === undefined) return 'closed'
  const outcomes = Object.entries(verification.outcomes).map(([check, { result }]) => `${check} ${result}`)
  return `trusted${verification.resumed ? ', resumed' : ''}; ${outcomes.join(', ')}`
}

function reason(error: unknown): string {
  const { code = 'error', message } = error as { code?: string; message?: string }
  return `${code}: ${message}`
}
