import { invalidValue } from '../errors.ts'
import { contentKey } from '../options/content-key.ts'
import { isAboutTransport, isConnectOption, resolve } from '../options/resolve.ts'
import type { ConnectOptions } from '../options/types.ts'

/** Options for every connection of an agent or connector; where they go is said by each request. */
export type SharedOptions = Omit<ConnectOptions, 'host' | 'port' | 'path' | 'socket' | 'signal' | 'startHandshake'>

/** Refuses wrong options when the adapter is made, not at the first request. */
export function checkShared(options: SharedOptions): void {
  for (const key of ['host', 'port', 'path', 'socket', 'signal', 'startHandshake'])
    if (key in options) throw invalidValue(key, 'is said by each request')
  resolve('connect', { ...options, host: 'localhost', port: 0 })
}

/**
 * The options among those of a request, which holds many other things: every key that `connect` knows, none dropped. Of `path`, which is the
 * URL's, only a `socketPath` is meant.
 */
export function pick(request: object): ConnectOptions {
  const { session, socketPath } = request as { session?: unknown; socketPath?: string | null }
  if (session !== undefined && session !== null)
    throw invalidValue(
      'session',
      'is refused: only sessions of our own cache resume, since Node resumes without verifying',
    )
  const picked: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(request))
    if (key !== 'path' && value !== undefined && value !== null && isConnectOption(key)) picked[key] = value
  if (socketPath !== undefined && socketPath !== null) {
    picked['path'] = socketPath
    delete picked['host']
    delete picked['port']
  }
  return picked
}

/** What of a request decides about TLS and trust: connections that differ in it must not be shared. */
export function policyKey(request: object): string {
  return contentKey(Object.entries(pick(request)).filter(([key]) => !isAboutTransport(key)))
}
