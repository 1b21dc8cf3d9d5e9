import { EventEmitter, on } from 'node:events'
import {
  type AddressInfo,
  createServer,
  type DropArgument,
  type ListenOptions as NetListenOptions,
  type Server,
} from 'node:net'
import { Arrival, type Reception } from './arrival.ts'
import { type HostServices, HostTable } from './hosts.ts'
import { ignore } from './engine/plain.ts'
import { forStartTls, resolveServer } from './options/resolve.ts'
import type { HostsOption } from './options/server-types.ts'
import { Pending } from './pending.ts'
import { Queue } from './queue.ts'
import type { SecureSocket } from './secure-socket.ts'
import { filesOf, watchFiles } from './watch.ts'

export interface SecureServerEvents {
  /** A client whose handshake and checks are done; with `startHandshake: false`, one that is still plain. */
  connection: [socket: SecureSocket]
  /** A connection that ended before it was accepted: the error has code, phase, host and port of the client. */
  tlsClientError: [error: Error, socket: SecureSocket]
  /** More connections than `maxConnections`. */
  drop: [addresses: DropArgument | undefined]
  /** `setHosts()` or `watch` has replaced certificates; connections from now on see them. */
  reload: []
  /** `watch` has found files that cannot be used; the old ones stay. */
  reloadError: [error: Error]
  /** `ticketKeys` threw or gave no key; the ticket was rejected. */
  ticketKeyError: [error: Error]
  /** `sessionCache` failed or was too slow; the handshake was a full one, or its session is not kept. */
  sessionCacheError: [error: Error]
  listening: []
  error: [error: Error]
  close: []
}

/**
 * A TLS server: an EventEmitter and an async iterator over accepted connections. Made by `listen`.
 * A client that is slow or silent delays no other: each has its own deadline (`handshakeTimeout`).
 */
export class SecureServer
  extends EventEmitter<SecureServerEvents>
  implements AsyncIterable<SecureSocket>, AsyncDisposable
{
  readonly #server: Server
  readonly #pending: Pending
  readonly #sockets = new Queue<SecureSocket>()
  readonly #services: HostServices
  readonly #stop = new AbortController()
  #given: object
  #table: HostTable
  #reception: Reception

  /** @internal Use `listen`. */
  constructor(given: object, table: HostTable, services: HostServices) {
    super()
    const { transport, facade, handshake } = table.server.resolved
    this.#given = given
    this.#table = table
    this.#services = services
    this.#pending = new Pending(facade.maxHandshakes ?? 10_000, handshake.handshakeTimeout ?? 30_000)
    this.#reception = this.#receptionFor(given, table)
    const { noDelay, keepAlive, keepAliveInitialDelay } = transport
    this.#server = createServer({
      allowHalfOpen: true, // the facade decides about half-open connections
      ...(noDelay === undefined ? {} : { noDelay }),
      ...(keepAlive === undefined ? {} : { keepAlive }),
      ...(keepAliveInitialDelay === undefined ? {} : { keepAliveInitialDelay }),
    })
    if (facade.maxConnections !== undefined) this.#server.maxConnections = facade.maxConnections
    this.#server.on('connection', (transport) => new Arrival(transport, this.#reception).receive())
    this.#server.on('drop', (addresses) => this.emit('drop', addresses))
    this.#server.on('error', (error) => this.emit('error', error))
    this.#server.on('close', () => {
      this.#stop.abort()
      this.emit('close')
    })
    if (facade.watch === true)
      watchFiles(
        () => filesOf(this.#table.server),
        () => this.#reload(),
        this.#stop.signal,
      )
  }

  /** @internal */
  listen(options: NetListenOptions): Promise<this> {
    return new Promise((resolve, reject) => {
      const onError = (error: Error): void => {
        this.#stop.abort()
        reject(error)
      }
      this.#server.removeAllListeners('error').once('error', onError)
      this.#server.listen(options, () => {
        this.#server.off('error', onError).on('error', (error) => this.emit('error', error))
        this.emit('listening')
        resolve(this)
      })
    })
  }

  #receptionFor(given: object, table: HostTable): Reception {
    const { allowHalfOpen, highWaterMark } = table.server.resolved.facade
    return {
      table,
      hosts: () => this.#table,
      facade: {
        ...(allowHalfOpen === undefined ? {} : { allowHalfOpen }),
        ...(highWaterMark === undefined ? {} : { highWaterMark }),
      },
      inherited: { ...forStartTls(given), isServer: true },
      pending: this.#pending,
      sockets: this.#sockets,
      accepted: (socket) => void this.emit('connection', socket),
      refused: (error, socket) => void this.emit('tlsClientError', error, socket),
    }
  }

  /**
   * Replaces all hosts at once, as the option `hosts` has them. Connections under way keep what they have. Rejects, and nothing changes, with what is
   * wrong with any of them.
   */
  async setHosts(hosts: HostsOption): Promise<void> {
    await this.#replace({ ...this.#given, hosts })
  }

  async #replace(given: object): Promise<void> {
    const table = await HostTable.create(resolveServer('listen', given), this.#services)
    this.#given = given
    this.#table = table
    this.#reception = this.#receptionFor(given, table)
    this.emit('reload')
  }

  async #reload(): Promise<void> {
    try {
      await this.#replace(this.#given)
    } catch (error) {
      this.emit('reloadError', error as Error)
    }
  }

  /** Where the server listens; undefined once it is closed. */
  address(): AddressInfo | string | undefined {
    return this.#server.address() ?? undefined
  }

  /** How many connections are open, handshakes under way included. */
  get connections(): number {
    return this.#sockets.size
  }

  /** How many handshakes are under way. */
  get handshakes(): number {
    return this.#pending.size
  }

  /** Stops accepting and resolves when every connection has ended. */
  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }

  /** Destroys every connection, those under way too. */
  closeAllConnections(): void {
    for (const socket of this.#sockets.list()) socket.destroy()
  }

  ref(): this {
    this.#server.ref()
    return this
  }

  unref(): this {
    this.#server.unref()
    return this
  }

  /** Accepted connections, until the server closes. */
  async *[Symbol.asyncIterator](): AsyncGenerator<SecureSocket, void, undefined> {
    // nobody else listens to those that wait for their turn
    const hold = (socket: SecureSocket): void => void socket.on('error', ignore)
    this.on('connection', hold)
    try {
      for await (const [socket] of on(this, 'connection', { close: ['close'] }) as AsyncIterable<[SecureSocket]>)
        yield socket.off('error', ignore)
    } finally {
      this.off('connection', hold)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.closeAllConnections()
    await this.close()
  }
}
