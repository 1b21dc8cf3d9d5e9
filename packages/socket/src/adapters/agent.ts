import { Agent, type AgentOptions } from 'node:https'
import type { Duplex } from 'node:stream'
import { dial } from '../connect.ts'
import { mergeOptions } from '../options/resolve.ts'
import { checkShared, pick, policyKey, type SharedOptions } from './pick.ts'

/** How an agent keeps its connections: the options of http.Agent that are not about TLS. */
export type PoolOptions = Pick<
  AgentOptions,
  'keepAlive' | 'keepAliveMsecs' | 'maxSockets' | 'maxTotalSockets' | 'maxFreeSockets' | 'scheduling' | 'timeout'
>

/**
 * An https.Agent whose connections are SecureSockets: `https.get(url, {agent: createAgent({verify: {scheme: 'http'}})})`.
 * What a request says about TLS counts as in `connect`, and requests that differ in it never share a connection. Node's own session
 * cache is off: on Node 20 the second request of an https.Agent passes an identity check that rejects (rule 8); give `sessionCache`.
 */
export function createAgent(options: SharedOptions = {}, pool: PoolOptions = {}): Agent {
  checkShared(options)
  return new SecureAgent(options, pool)
}

class SecureAgent extends Agent {
  readonly #shared: SharedOptions

  constructor(shared: SharedOptions, pool: PoolOptions) {
    super({ ...pool, maxCachedSessions: 0 })
    this.#shared = shared
  }

  override createConnection(request: object): Duplex {
    return dial(mergeOptions(this.#shared, { ...servernameOf(request), ...pick(request) }))
  }

  override getName(request: object = {}): string {
    return `${super.getName(request)}:${policyKey(request)}`
  }
}

/** https sends '' for an IP address; an agent's own `servername` must not be lost to it. */
function servernameOf(request: object): { servername?: string } {
  const { servername } = request as { servername?: unknown }
  return servername === '' ? { servername: '' } : {}
}
