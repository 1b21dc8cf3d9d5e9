import { connect as connectPlain, isIP, type Socket } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { SessionCacheError } from './errors.ts'
import { invalidValue, refuseInherited } from './misuse.ts'
import { checkSharing, connect, type SharingOptions } from './tls.ts'

/** What undici passes to a connector (`buildConnector.Options`), as far as it counts here. */
export interface UndiciTarget {
  readonly hostname: string
  readonly host?: string | undefined
  readonly protocol: string
  readonly port: string
  readonly servername?: string | undefined
  readonly localAddress?: string | null | undefined
  readonly httpSocket?: Socket | undefined
}

/** undici's `buildConnector.Callback`. */
export type UndiciCallback = (...result: [error: null, socket: Socket] | [error: Error, socket: null]) => void

/**
 * A connector for undici: `new Agent({ connect: connector(tlsOptions, { store }) })`. Sessions survive undici's pools, which on Node 24
 * take their own session cache with them when an origin's last connection closes. Rules as for `connect` of `@x/session-cache/tls`;
 * origins with `http:` are connected without TLS, as undici asks.
 *
 * @param options as `tls.connect` takes them, but for `host`, `port`, `path` and `socket`, which come from the request. For HTTP/2 give
 * `ALPNProtocols: ['h2', 'http/1.1']` and undici's `allowH2`. Default: `['http/1.1']`.
 */
export function connector(
  options: ConnectionOptions,
  sharing: SharingOptions,
): (target: UndiciTarget, callback: UndiciCallback) => void {
  checkSharing(sharing)
  refuseInherited(options)
  for (const name of ['host', 'port', 'path', 'socket', 'session'] as const) {
    if (options[name] !== undefined)
      throw invalidValue(`options.${name}`, 'comes from the request and must not be given')
  }
  return (target, callback) => {
    const port = Number(target.port || (target.protocol === 'https:' ? 443 : 80))
    const host = target.hostname.replace(/^\[(.*)\]$/, '$1')
    const from = typeof target.localAddress === 'string' ? { localAddress: target.localAddress } : {}
    if (target.protocol !== 'https:') {
      connectWithoutTls(connectPlain({ host, port, ...from }), sharing, callback)
      return
    }
    const servername = target.servername || options.servername || (isIP(host) === 0 ? host : undefined)
    const name = servername === undefined ? {} : { servername }
    const over = target.httpSocket === undefined ? {} : { socket: target.httpSocket }
    void settle(
      connect({ ALPNProtocols: ['http/1.1'], ...options, ...name, ...from, ...over, host, port }, sharing),
      callback,
    )
  }
}

async function settle(connecting: Promise<Socket>, callback: UndiciCallback): Promise<void> {
  let socket: Socket
  try {
    socket = await connecting
  } catch (error) {
    callback(error as Error, null)
    return
  }
  callback(null, socket)
}

function connectWithoutTls(socket: Socket, sharing: SharingOptions, callback: UndiciCallback): void {
  const limit = sharing.timeout ?? 30_000
  const onTimeout = (): unknown =>
    socket.destroy(new SessionCacheError('ERR_SESSION_CONNECT_TIMEOUT', `no connection within ${limit} ms`))
  const timer = setTimeout(onTimeout, limit)
  const done = (error?: Error): void => {
    clearTimeout(timer)
    socket.off('connect', done).off('error', done)
    if (error === undefined) callback(null, socket)
    else callback(error, null)
  }
  socket.once('connect', done).once('error', done)
}
