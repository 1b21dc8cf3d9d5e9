import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** The stream to work on: a file descriptor becomes a net.Socket, which owns it from then on. */
export function openTransport(given: Duplex | number): Duplex {
  return typeof given === 'number'
    ? new Socket({ fd: given, readable: true, writable: true, allowHalfOpen: true })
    : given
}
