import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { refusePlaintextLeft } from '../failures.ts'
import { giveBytes, undecoded } from './node-internals.ts'
import { ignore } from './plain.ts'

/**
 * The stream to work on: a file descriptor becomes a net.Socket, which owns it from then on. A stream that gave text, because the program read its lines after
 * `setEncoding()`, gives bytes from now on. @throws ERR_SECURE_SOCKET_PLAINTEXT_LEFT where text of it is unread, after closing it: the bytes are gone.
 */
export function openTransport(given: Duplex | number): Duplex {
  if (typeof given === 'number') return new Socket({ fd: given, readable: true, writable: true, allowHalfOpen: true })
  if (given.readableEncoding === null) return given
  const unread = given.readableLength + undecoded(given).length
  if (unread > 0) given.on('error', ignore).destroy()
  refusePlaintextLeft(unread)
  giveBytes(given)
  return given
}
