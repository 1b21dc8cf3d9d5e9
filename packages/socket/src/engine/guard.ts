import type { Duplex } from 'node:stream'
import { type Phase, withDetails } from '../errors.ts'

/** What closes with an error of its transport. */
export interface Guarded {
  closeWith(error: Error): Error
  /** Ends the guard; undefined where there is none. */
  unguard: (() => void) | undefined
}

/**
 * While no engine has the transport (a session, a host or the dialogue in clear is waited for), nobody else listens to it, and an error of a stream that nobody
 * listens to ends the process: by a peer's reset. From now on its error closes the socket, until an engine has it or the program gets it.
 */
export function guard(core: Guarded, transport: Duplex, phase: Phase): void {
  core.unguard?.()
  const onError = (error: Error): void => void core.closeWith(withDetails(error, { phase }))
  transport.on('error', onError)
  core.unguard = () => {
    core.unguard = undefined
    transport.off('error', onError)
  }
}
