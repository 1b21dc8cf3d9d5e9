import { type ListenOptions as NetListenOptions } from 'node:net'
import { invalidValue } from './errors.ts'
import { prepare } from './options/prepare.ts'
import { resolve } from './options/resolve.ts'
import type { ListenOptions } from './options/types.ts'
import { SecureServer } from './secure-server.ts'

/**
 * Listens for TLS connections and resolves when it does. Rejects with Node's error (EADDRINUSE …), with what is wrong with the
 * credentials, or with a TypeError that names an option.
 */
export async function listen(options: ListenOptions): Promise<SecureServer> {
  const resolved = resolve('listen', options)
  const { context, transport, facade } = resolved
  if (
    facade.startHandshake !== false &&
    context.cert === undefined &&
    context.certFile === undefined &&
    context.pfx === undefined &&
    context.psk === undefined &&
    context.secureContext === undefined
  )
    throw invalidValue('cert', 'is needed by a server')
  const prepared = await prepare('server', resolved)
  const { host, port, path, backlog, exclusive, ipv6Only } = transport
  const where: NetListenOptions = Object.fromEntries(
    Object.entries({
      host,
      port: path === undefined ? Number(port ?? 0) : undefined,
      path,
      backlog,
      exclusive,
      ipv6Only,
      signal: facade.signal,
    }).filter(([, value]) => value !== undefined),
  )
  const { signal: _signal, ...sockets } = facade // the signal closes the server, not each connection by itself
  return new SecureServer(options, { ...resolved, facade: sockets }, prepared).listen(where)
}
