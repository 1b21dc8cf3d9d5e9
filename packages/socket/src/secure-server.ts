import { EventEmitter, on } from 'node:events'
import {
  type AddressInfo,
  createServer,
  type ListenOptions as NetListenOptions,
  type Server,
  type Socket,
} from 'node:net'
import { shake } from './handshake.ts'
import type { Prepared } from './options/prepare.ts'
import { forStartTls, type Resolved } from './options/resolve.ts'
import { coreOf, makeSocket, type SecureSocket } from './secure-socket.ts'

export interface SecureServerEvents {
  /** A client whose handshake and checks are done; with `startHandshake: false`, one that is still plain. */
  connection: [socket: SecureSocket]
  /** A connection that ended before it was accepted: the error has code, phase, host and port of the client. */
  tlsClientError: [error: Error, socket: SecureSocket]
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
  readonly #resolved: Resolved
  readonly #prepared: Prepared
  readonly #given: object
  readonly #sockets = new Set<SecureSocket>()

  /** @internal Use `listen`. */
  constructor(given: object, resolved: Resolved, prepared: Prepared) {
    super()
    this.#resolved = resolved
    this.#prepared = prepared
    this.#given = { ...forStartTls(given), isServer: true }
    const { noDelay, keepAlive, keepAliveInitialDelay } = resolved.transport
    this.#server = createServer({
      allowHalfOpen: true, // the facade decides about half-open connections
      ...(noDelay === undefined ? {} : { noDelay }),
      ...(keepAlive === undefined ? {} : { keepAlive }),
      ...(keepAliveInitialDelay === undefined ? {} : { keepAliveInitialDelay }),
    })
    this.#server.on('connection', (transport) => this.#accept(transport))
    this.#server.on('error', (error) => this.emit('error', error)).on('close', () => this.emit('close'))
  }

  /** @internal */
  listen(options: NetListenOptions): Promise<this> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(options, () => {
        this.#server.off('error', reject)
        this.emit('listening')
        resolve(this)
      })
    })
  }

  #accept(transport: Socket): void {
    const { facade } = this.#resolved
    const socket = makeSocket({ ...facade })
    const core = coreOf(socket)
    core.transport = transport
    core.inherited = this.#given
    core.located({
      ...(transport.remoteAddress === undefined ? {} : { host: transport.remoteAddress }),
      ...(transport.remotePort === undefined ? {} : { port: transport.remotePort }),
    })
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    if (facade.timeout !== undefined) socket.setTimeout(facade.timeout)
    if (facade.startHandshake === false) {
      core.adoptPlain(transport)
      this.emit('connection', socket)
      return
    }
    const refuse = (error: unknown): void => {
      socket.on('error', () => undefined) // reported as tlsClientError
      socket.destroy(error as Error)
      this.emit('tlsClientError', core.explained(error as Error), socket)
    }
    let accepted = false
    socket.once('error', (error) => {
      if (!accepted) refuse(error)
    })
    shake(socket, core, { role: 'server', transport, prepared: this.#prepared, resolved: this.#resolved }).then(
      () => {
        accepted = true
        if (!socket.destroyed) this.emit('connection', socket)
      },
      (error: unknown) => {
        if (!socket.destroyed) refuse(error)
      },
    )
  }

  /** Where the server listens; undefined once it is closed. */
  address(): AddressInfo | string | undefined {
    return this.#server.address() ?? undefined
  }

  /** Stops accepting and resolves when every connection has ended. */
  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }

  /** Destroys every connection, those under way too. */
  closeAllConnections(): void {
    for (const socket of this.#sockets) socket.destroy()
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
    for await (const [socket] of on(this, 'connection', { close: ['close'] })) yield socket as SecureSocket
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.closeAllConnections()
    await this.close()
  }
}
