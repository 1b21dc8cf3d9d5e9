import { type ListenOptions as NetListenOptions } from 'node:net'
import { invalidValue } from './errors.ts'
import { type HostServices, HostTable } from './hosts.ts'
import { resolveServer } from './options/resolve.ts'
import type { ListenOptions } from './options/server-types.ts'
import { SecureServer } from './secure-server.ts'
import { TicketKeys } from './ticket-keys.ts'

/**
 * Listens for TLS connections and resolves when it does. Rejects with Node's error (EADDRINUSE …), with what is wrong with the
 * credentials, or with a TypeError that names an option.
 */
export async function listen(options: ListenOptions): Promise<SecureServer> {
  const given = { ...options }
  const server = resolveServer('listen', given)
  const { transport, facade, handshake } = server.resolved
  if (facade.startHandshake !== false && server.hosts.length === 0 && handshake.onHello === undefined)
    throw invalidValue('cert', 'is needed by a server')
  const { host, port, path, backlog, exclusive, ipv6Only, reusePort } = transport
  const where: NetListenOptions = Object.fromEntries(
    Object.entries({
      host,
      port: path === undefined ? Number(port ?? 0) : undefined,
      path,
      backlog,
      exclusive,
      ipv6Only,
      reusePort,
      signal: facade.signal,
    }).filter(([, value]) => value !== undefined),
  )
  let secureServer: SecureServer | undefined
  const services: HostServices = {
    ticketKeys: new TicketKeys(handshake.ticketKeys, (error) => secureServer?.emit('ticketKeyError', error)),
    onSessionCacheError: (error) => secureServer?.emit('sessionCacheError', error),
  }
  secureServer = new SecureServer(given, await HostTable.create(server, services), services)
  return secureServer.listen(where)
}
