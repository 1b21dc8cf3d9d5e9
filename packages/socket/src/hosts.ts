import type { Server } from 'node:net'
import type { SecureContext } from 'node:tls'
import { type CheckedHello, type ClientHello, normalName, parseClientHello } from './client-hello.ts'
import { staplingServer } from './engine/node-internals.ts'
import { type Prepared, prepare } from './options/prepare.ts'
import type { Resolved, ResolvedHost, ResolvedServer } from './options/resolve.ts'
import type { HelloChoice } from './options/server-types.ts'
import type { TicketKeys } from './ticket-keys.ts'

/** One name's context and policy, ready to be used. */
export interface Host {
  /** As it stands in `hosts`. */
  readonly name: string
  readonly resolved: Resolved
  readonly prepared: Prepared
  /** Set where clients that ask for a staple are answered. */
  readonly stapling: Server | undefined
}

/**
 * Everything that a server decides by ClientHello: which certificate, ciphers, protocols and client policy. Replaced as a whole, so that each
 * connection sees one state of it.
 */
export class HostTable {
  readonly server: ResolvedServer
  readonly #hosts: ReadonlyMap<string, Host>
  readonly #ticketKeys: TicketKeys | undefined

  private constructor(server: ResolvedServer, hosts: readonly Host[], ticketKeys: TicketKeys | undefined) {
    this.server = server
    this.#hosts = new Map(hosts.map((host) => [host.name, host]))
    this.#ticketKeys = ticketKeys
  }

  /** Rejects with what is wrong with the credentials of any host. */
  static async create(server: ResolvedServer, ticketKeys: TicketKeys | undefined): Promise<HostTable> {
    const hosts = await Promise.all(server.hosts.map((host) => makeHost(host, ticketKeys)))
    return new HostTable(server, hosts, ticketKeys)
  }

  get names(): readonly string[] {
    return [...this.#hosts.keys()]
  }

  /** The exact name, else a wildcard for its first label, else `''`; undefined where nothing fits. */
  find(servername: string | undefined): Host | undefined {
    const hosts = this.#hosts
    if (servername === undefined) return hosts.get('')
    const name = normalName(servername)
    const dot = name.indexOf('.')
    return hosts.get(name) ?? (dot > 0 ? hosts.get(`*${name.slice(dot)}`) : undefined) ?? hosts.get('')
  }

  /** The host for this client: what `onHello` says, else what `find` says. A Promise only where `onHello` is asked. */
  choose({ servername, raw }: CheckedHello): Host | undefined | Promise<Host | undefined> {
    const { onHello } = this.server.resolved.handshake
    if (onHello === undefined) return this.find(servername)
    const hello = parseClientHello(raw)
    return this.#asked(hello, onHello(hello))
  }

  async #asked(hello: ClientHello, answer: HelloChoice | Promise<HelloChoice>): Promise<Host | undefined> {
    const choice = await answer
    if (choice === undefined) return this.find(hello.servername)
    if (choice === null) return undefined
    const options = isContext(choice) ? { secureContext: choice } : choice
    const host = this.server.hostOf(options)
    return makeHost({ ...host, name: `onHello ${hello.servername ?? ''}` }, this.#ticketKeys)
  }
}

async function makeHost(host: ResolvedHost, ticketKeys: TicketKeys | undefined): Promise<Host> {
  const { name, resolved, more } = host
  const { requestCert = false } = resolved.handshake
  const keys = requestCert === false ? ticketKeys : ticketKeys?.unrenewed
  const prepared = await prepare('server', resolved, { name, more, ticketKeys: keys })
  const { stapler } = resolved.handshake
  // node:tls asks before OpenSSL has chosen among several certificates, and a staple for the other one would be refused
  const stapling =
    stapler === undefined || more.length > 0
      ? undefined
      : staplingServer(prepared.secureContext, (...request) => stapler.onRequest(...request))
  return { name, resolved, prepared, stapling }
}

function isContext(choice: unknown): choice is SecureContext {
  return typeof choice === 'object' && choice !== null && 'context' in choice
}
