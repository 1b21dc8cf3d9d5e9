import { constants, fchmodSync, openSync, writeSync } from 'node:fs'
import type { TLSSocket } from 'node:tls'

const files = new Map<string, number>()
const WARNED: unique symbol = Symbol.for('@x/socket:keylog')

/**
 * Appends the connection's secrets to the file that SSLKEYLOGFILE names, for Wireshark; does nothing where it names none. Only called where the
 * program says `keylog: true`, since a variable of the environment alone must not give secrets away (rule 24). The file gets mode 0600, and one warning
 * is emitted. Throws Node's error where the file cannot be had, so that nobody looks for keys in vain.
 */
export function logKeys(tls: TLSSocket): void {
  const path = process.env['SSLKEYLOGFILE']
  if (path === undefined || path === '') return
  const file = fileFor(path)
  warnOnce(path)
  tls.on('keylog', (line: Buffer) => void writeSync(file, line))
}

function fileFor(path: string): number {
  let file = files.get(path)
  if (file === undefined) {
    // a link could lead to a file that others read; Windows has no such flag
    const flags = constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | (constants.O_NOFOLLOW ?? 0)
    file = openSync(path, flags, 0o600)
    fchmodSync(file, 0o600) // one that was there before
    files.set(path, file)
  }
  return file
}

function warnOnce(path: string): void {
  const holder: typeof globalThis & { [WARNED]?: boolean } = globalThis
  if (holder[WARNED] === true) return
  holder[WARNED] = true
  process.emitWarning(`the secrets of TLS connections are written to ${path}: whoever reads it can decrypt them`, {
    type: 'SecurityWarning',
    code: 'X_SOCKET_KEYLOG',
  })
}
