import { X509Certificate } from 'node:crypto'
import type { Server } from 'node:net'
import type { SecureContext } from 'node:tls'
import { kindOf, type SingleCertificate } from './certificate-choice.ts'
import { type CheckedHello, type ClientHello, normalName, parseClientHello } from './client-hello.ts'
import { type ServerListeners, serverStandIn } from './engine/node-internals.ts'
import { loadCredentials } from './options/credentials.ts'
import { type Prepared, prepare } from './options/prepare.ts'
import type { Resolved, ResolvedHost, ResolvedServer } from './options/resolve.ts'
import type { HelloChoice } from './options/server-types.ts'
import { ServerSessions } from './server-sessions.ts'
import type { TicketKeys } from './ticket-keys.ts'

/** One name's context and policy, ready to be used. */
export interface Host {
  /** As it stands in `hosts`. */
  readonly name: string
  readonly resolved: Resolved
  readonly prepared: Prepared
  /**
   * The same for clients that bring a ticket, where they get another: it asks us about each ticket, which costs full handshakes too much. Made when it
   * is first needed, of what was read for the other.
   */
  readonly renewing: (() => Prepared | Promise<Prepared>) | undefined
  /** Set where clients that ask for a staple are answered. */
  readonly stapling: Server | undefined
  /** Where clients that ask for a staple are shown one of several certificates, the host's own choice: see `certificateFor`. */
  readonly singles: readonly SingleCertificate[]
  /** Beside it, set where sessions known by their id are kept: for the clients that have no others. */
  readonly keeping: Server | undefined
}

/** What all hosts of a server have in common. */
export interface HostServices {
  readonly ticketKeys: TicketKeys | undefined
  /** Told where the session cache fails. */
  readonly onSessionCacheError?: ((error: Error) => void) | undefined
}

/**
 * Everything that a server decides by ClientHello: which certificate, ciphers, protocols and client policy. Replaced as a whole, so that each
 * connection sees one state of it.
 */
export class HostTable {
  readonly server: ResolvedServer
  readonly #hosts: ReadonlyMap<string, Host>
  readonly #services: HostServices

  private constructor(server: ResolvedServer, hosts: readonly Host[], services: HostServices) {
    this.server = server
    this.#hosts = new Map(hosts.map((host) => [host.name, host]))
    this.#services = services
  }

  /** Rejects with what is wrong with the credentials of any host. */
  static async create(server: ResolvedServer, services: HostServices): Promise<HostTable> {
    const hosts = await Promise.all(server.hosts.map((host) => makeHost(host, services)))
    return new HostTable(server, hosts, services)
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
    return makeHost({ ...host, name: `onHello ${hello.servername ?? ''}` }, this.#services)
  }
}

async function makeHost(
  host: ResolvedHost,
  { ticketKeys, onSessionCacheError = () => undefined }: HostServices,
): Promise<Host> {
  const { name, resolved, more } = host
  const { requestCert = false, stapler, sessionCache: store } = resolved.handshake
  const renews = requestCert === false && resolved.context.secureContext === undefined
  const keys = renews ? ticketKeys : ticketKeys?.unrenewed
  const apart = renews && ticketKeys?.isFixed === true
  const loaded = apart ? await inMemory(host) : host
  const prepared = await prepare('server', loaded.resolved, {
    name,
    more: loaded.more,
    ticketKeys: apart ? ticketKeys.unrenewed : keys,
  })
  const { secureContext, scope } = prepared
  let renewed: Prepared | Promise<Prepared> | undefined
  const renewing = (): Prepared | Promise<Prepared> =>
    (renewed ??= prepare('server', loaded.resolved, { name, more: loaded.more, ticketKeys }))
  const toStaple: ServerListeners['OCSPRequest'] = stapler && ((...request) => stapler.onRequest(...request))
  // node:tls asks before OpenSSL has chosen among several certificates, and a staple for the other one would be refused
  const OCSPRequest = more.length > 0 ? undefined : toStaple
  const singles =
    toStaple === undefined || more.length === 0
      ? []
      : await Promise.all(
          [resolved.context, ...more].map(async (context): Promise<SingleCertificate | undefined> => {
            const loaded = await loadCredentials(context)
            const kind = loaded && kindOf(new X509Certificate(loaded.cert))
            const one = await prepare('server', { ...resolved, context }, { name, more: [], ticketKeys: keys })
            const stapling = serverStandIn(one.secureContext, { OCSPRequest: toStaple })
            return kind && stapling && { secureContext: one.secureContext, stapling, kind }
          }),
        )
  // a resumption tells of no pre-shared key, which would have to be used once more
  const mayKeep = scope !== undefined && resolved.context.psk === undefined
  const kept = store && mayKeep ? new ServerSessions(store, scope, onSessionCacheError) : undefined
  const stapling = serverStandIn(secureContext, { OCSPRequest })
  const keeping =
    kept && serverStandIn(secureContext, { OCSPRequest, resumeSession: kept.onResume, newSession: kept.onNew })
  return {
    name,
    resolved,
    prepared,
    renewing: apart && scope !== undefined ? renewing : undefined,
    stapling,
    singles: bySpeed(singles),
    keeping,
  }
}

/** The host with its credentials read, so that a context made later has the same. */
async function inMemory({ resolved, more }: ResolvedHost): Promise<Pick<ResolvedHost, 'resolved' | 'more'>> {
  const read = async (context: Resolved['context']): Promise<Resolved['context']> => {
    const loaded = await loadCredentials(context)
    if (loaded === undefined) return context
    const { certFile: _certFile, keyFile: _keyFile, pfx: _pfx, passphrase: _passphrase, ...others } = context
    return { ...others, ...loaded }
  }
  const context = await read(resolved.context)
  return { resolved: { ...resolved, context }, more: await Promise.all(more.map(read)) }
}

/** RSA signs most slowly: it is for those that take nothing else. */
function bySpeed(singles: readonly (SingleCertificate | undefined)[]): readonly SingleCertificate[] {
  const known = singles.filter((one) => one !== undefined)
  const isRsa = ({ kind }: SingleCertificate): number => Number(kind.schemes.length > 1)
  return known.sort((one, other) => isRsa(one) - isRsa(other))
}

function isContext(choice: unknown): choice is SecureContext {
  return typeof choice === 'object' && choice !== null && 'context' in choice
}
