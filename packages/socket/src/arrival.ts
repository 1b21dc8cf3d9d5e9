import type { Socket } from 'node:net'
import { acceptTls } from './accept.ts'
import type { HostTable } from './hosts.ts'
import type { Evictable, Pending, PendingHandshake } from './pending.ts'
import type { Place, Queue } from './queue.ts'
import { coreOf, type FacadeOptions } from './facade.ts'
import { makeSocket, type SecureSocket } from './secure-socket.ts'
import type { SocketCore } from './socket-core.ts'

/** What a server is to its arrivals. */
export interface Reception {
  /** As it is when they come. */
  readonly table: HostTable
  readonly hosts: () => HostTable
  readonly facade: FacadeOptions
  readonly inherited: object
  readonly pending: Pending
  readonly sockets: Queue<SecureSocket>
  accepted(socket: SecureSocket): void
  refused(error: Error, socket: SecureSocket): void
}

/** One client, from its TCP connection until it is accepted or refused; among the server's sockets until it is closed. */
export class Arrival implements Evictable {
  readonly #reception: Reception
  readonly #transport: Socket
  readonly #socket: SecureSocket
  readonly #core: SocketCore
  readonly #place: Place<SecureSocket>
  #handshake: PendingHandshake | undefined
  #settled = false

  constructor(transport: Socket, reception: Reception) {
    const socket = makeSocket(reception.facade)
    const core = coreOf(socket)
    this.#reception = reception
    this.#transport = transport
    this.#socket = socket
    this.#core = core
    core.transport = transport
    core.inherited = reception.inherited
    core.hosts = reception.hosts
    core.keeper = this
    const { remoteAddress: host, remotePort: port } = transport
    if (host !== undefined && port !== undefined) core.where = { host, port }
    this.#place = reception.sockets.add(socket)
  }

  /** Accepts or refuses the client, once it is known which. */
  receive(): void {
    const { table, pending } = this.#reception
    const { timeout, startHandshake, onPlaintext } = table.server.resolved.facade
    const socket = this.#socket
    if (timeout !== undefined) socket.setTimeout(timeout)
    if (startHandshake === false) {
      this.#core.adoptPlain(this.#transport)
      this.#reception.accepted(socket)
      return
    }
    socket.on('error', toldByRefusal)
    this.#handshake = pending.add(this)
    if (this.#handshake === undefined) return
    acceptTls(socket, this.#core, {
      transport: this.#transport,
      table,
      isTimed: true,
      onFirstByte: () => this.#spoken(),
      onPlaintext: onPlaintext === undefined ? undefined : (bytes) => this.#plain(bytes, onPlaintext),
    }).then(
      (what) => what === 'secure' && this.#accepted(),
      (error: Error) => {
        // `onPlaintext` has thrown
        if (this.#settled) socket.destroy(error)
        else this.evict(error)
      },
    )
  }

  /** The client is refused with this error. */
  evict(error: Error): void {
    if (this.#settled) return
    this.#settle()
    const explained = this.#core.closeWith(error)
    this.#reception.refused(explained, this.#socket)
  }

  closed(): void {
    this.#reception.sockets.remove(this.#place)
    if (this.#handshake !== undefined) this.#reception.pending.settled(this.#handshake)
  }

  #spoken(): void {
    if (this.#handshake !== undefined) this.#reception.pending.spoken(this.#handshake)
  }

  #plain(bytes: Uint8Array, onPlaintext: (socket: SecureSocket, bytes: Uint8Array) => void): void {
    this.#pass()
    this.#core.adoptPlain(this.#transport)
    onPlaintext(this.#socket, bytes)
  }

  #accepted(): void {
    if (this.#settled) return
    this.#pass()
    if (!this.#socket.destroyed) this.#reception.accepted(this.#socket)
  }

  #pass(): void {
    this.#settle()
    this.#socket.off('error', toldByRefusal)
  }

  #settle(): void {
    this.#settled = true
    if (this.#handshake !== undefined) this.#reception.pending.settled(this.#handshake)
  }
}

function toldByRefusal(): void {
  // as 'tlsClientError'
}
