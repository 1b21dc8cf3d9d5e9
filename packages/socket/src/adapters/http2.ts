import { dial } from '../connect.ts'
import { withoutBrackets } from '../options/policy.ts'
import type { SecureSocket } from '../secure-socket.ts'
import { checkShared, type SharedOptions } from './pick.ts'

/** `http2.connect(url, {createConnection: createConnection({verify: {scheme: 'http'}})})`; offers `h2` by ALPN unless told otherwise. */
export function createConnection(options: SharedOptions = {}): (authority: URL) => SecureSocket {
  checkShared(options)
  return (authority) =>
    dial({
      ALPNProtocols: ['h2'],
      ...options,
      host: withoutBrackets(authority.hostname),
      port: Number(authority.port || 443),
    })
}
