import { Agent, type AgentOptions, type RequestOptions } from 'node:https'
import type { Duplex } from 'node:stream'
import type { ConnectionOptions } from 'node:tls'
import { refuseInherited } from './misuse.ts'
import { policyKey } from './policy.ts'
import { checkSharing, connect, type SharingOptions } from './tls.ts'

/** What a request says of HTTP, of its agent, or of bookkeeping in Node; none of it reaches TLS. `path` is the request's. */
const httpOptions = new Set(
  [
    '_agentKey _defaultAgent agent agentKeepAliveTimeoutBuffer auth createConnection defaultPort encoding hash headers hostname href',
    'insecureHTTPParser joinDuplicateHeaders keepAliveMsecs maxCachedSessions maxFreeSockets maxHeaderSize maxSockets maxTotalSockets',
    'method password path pathname protocol proxyEnv query scheduling search searchParams setDefaultHeaders setHost socketPath',
    'uniqueHeaders username',
  ].flatMap((line) => line.split(' ')),
)

type Created = (error: Error | null, socket?: Duplex) => void

/**
 * An `https.Agent` that resumes sessions as `connect` of `@x/session-cache/tls` does, instead of by Node's own cache, which on Node 20
 * passes by `checkServerIdentity` at the second request. Kept-alive connections, too, are shared only by requests of equal policy.
 */
export class SessionAgent extends Agent {
  readonly #sharing: SharingOptions

  /**
   * @param options as `https.Agent` takes them
   * @throws TypeError for options of `sharing` that are unknown or wrong. Requests whose options cannot be part of a trust key throw
   * SessionCacheError ERR_SESSION_PARAMETER.
   */
  constructor(options: AgentOptions, sharing: SharingOptions) {
    super({ ...options, maxCachedSessions: 0 })
    checkSharing(sharing)
    refuseInherited(options)
    this.#sharing = sharing
  }

  /** Node's name for a pool of connections, and the trust key. */
  override getName(options: RequestOptions = {}): string {
    const name = super.getName(options)
    return `${name}:${policyKey(tlsOptions(options))}`
  }

  /** Called by Node for each new connection. */
  override createConnection(
    options: RequestOptions,
    created?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    void this.#create(options, (created ?? (() => undefined)) as Created)
  }

  async #create(options: RequestOptions, created: Created): Promise<void> {
    let socket: Duplex
    try {
      refuseInherited(options)
      socket = await connect(tlsOptions(options), this.#sharing)
    } catch (error) {
      created(error as Error)
      return
    }
    created(null, socket)
  }
}

function tlsOptions(options: RequestOptions): ConnectionOptions {
  const rest = Object.fromEntries(Object.entries(options).filter(([name]) => !httpOptions.has(name)))
  const path = options.socketPath === undefined || options.socketPath === null ? {} : { path: options.socketPath }
  return { ...rest, ...path }
}
