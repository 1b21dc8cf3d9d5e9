import { EventEmitter, getMaxListeners, setMaxListeners } from 'node:events'
import { Socket } from 'node:net'
import { addAbortSignal } from 'node:stream'
import { decodeStrings } from './engine/node-internals.ts'
import { illegalConstructor, SecureSocketError } from './errors.ts'
import { installSurface } from './net-surface.ts'
import { CallerBuffers, type OnReadOptions } from './onread.ts'
import { SocketCore } from './socket-core.ts'

type Done = (error?: Error | null) => void

/** What the facade itself is made with. */
export interface FacadeOptions {
  readonly allowHalfOpen?: boolean
  readonly highWaterMark?: number
  readonly onread?: OnReadOptions
  readonly signal?: AbortSignal
}

/** Node 22's mark for sockets, also on Node 20, whose 16 KiB make four times as many records of small writes. */
const MARK = 65_536
/** Writes of less are gathered until the end of the tick. */
const SMALL = 16_384

/**
 * What net.Socket is made with. It copies its options by spreading, and V8 11 (Node 20) copies up to four shapes of them by a quick way, whose copies share no
 * layout with one another: whatever reads them then searches anew, 20 us for each TLSSocket of the process, ours or not. Of more shapes it copies property by property
 * into a layout that all share. Hence the same options in more shapes, in turn (decision 048).
 */
function streamOptions(allowHalfOpen: boolean, highWaterMark: number | undefined): object {
  if (highWaterMark !== undefined) return { allowHalfOpen, highWaterMark }
  turn = (turn + 1) % SHAPES[0].length
  return SHAPES[allowHalfOpen ? 1 : 0][turn] as object
}

const SHAPES = [shapesOf(false), shapesOf(true)] as const
let turn = 0

/** In every order that turning gives, with the three that net.Socket would add: what grows is slow to copy. */
function shapesOf(allowHalfOpen: boolean): readonly object[] {
  const own = { allowHalfOpen, emitClose: false, autoDestroy: true, decodeStrings: false, writableHighWaterMark: MARK }
  const entries = Object.entries(own)
  return entries.map((_, first) =>
    Object.freeze(Object.fromEntries([...entries.slice(first), ...entries.slice(0, first)])),
  )
}

/** Whoever has it may make a facade. */
export const key: unique symbol = Symbol('SecureSocket')
let readCore: (socket: Facade) => SocketCore
let leaveNow: (socket: Facade) => void
let receive: (socket: Facade, chunk: Uint8Array | null) => boolean

/** What the core tells the facade. */
export interface CoreOutput {
  /** False: no more until the stream asks again. */
  push(chunk: Uint8Array | null): boolean
  emit(event: 'secureConnect' | 'secure' | 'peerShutdown'): void
  destroy(error: Error): void
}

/** An object, since closures cost each connection of a server more. */
class Output implements CoreOutput {
  readonly #socket: Facade

  constructor(socket: Facade) {
    this.#socket = socket
  }

  push(chunk: Uint8Array | null): boolean {
    return receive(this.#socket, chunk)
  }

  emit(event: 'secureConnect' | 'secure' | 'peerShutdown'): void {
    this.#socket.emit(event)
  }

  destroy(error: Error): void {
    this.#socket.destroy(error)
  }
}

/**
 * The stream in front of a core: what is written goes to its gate, and what the gate lets through can be read. A net.Socket without a handle, whose members the
 * core answers.
 */
export class Facade extends Socket {
  readonly #core: SocketCore
  readonly #buffers: CallerBuffers | undefined
  #gathering = false

  static {
    readCore = (socket) => socket.#core
    leaveNow = (socket) => socket.#leave()
    receive = (socket, chunk) => socket.#receive(chunk)
    installSurface(this.prototype, (socket) => (#core in socket ? socket.#core : undefined))
  }

  /** @internal Use `connect`, `listen` or `startTls`. */
  constructor(options: FacadeOptions, secret: symbol) {
    if (secret !== key) throw illegalConstructor('a SecureSocket is made by connect(), listen() or startTls()')
    const { signal, onread, allowHalfOpen = false, highWaterMark } = options
    super(streamOptions(allowHalfOpen, highWaterMark))
    decodeStrings(this)
    this.#core = new SocketCore(this, new Output(this))
    if (onread !== undefined) {
      const end = (): void => {
        this.push(null)
        this.read(0) // nobody else reads
      }
      this.#buffers = new CallerBuffers(onread, end, (error) => void this.destroy(error))
      this.#core.buffers = this.#buffers
      this.#core.gate.pull()
    }
    if (signal !== undefined) {
      allowMany(signal)
      addAbortSignal(signal, this) // not before: an aborted one destroys at once
    }
  }

  /** Refused: it would open a connection in clear behind the socket's back. Use the function `connect`. */
  override connect(): never {
    throw new SecureSocketError('ERR_SECURE_SOCKET_STATE', 'a SecureSocket is connected when it is made')
  }

  /** As net.Socket has it. What one tick writes in small pieces leaves together at its end, in few records. */
  override write(chunk: Uint8Array | string, done?: (error?: Error | null) => void): boolean
  override write(chunk: Uint8Array | string, encoding?: BufferEncoding, done?: (error?: Error | null) => void): boolean
  override write(chunk: Uint8Array | string, ...rest: never[]): boolean {
    if (!this.#gathering && isSmall(chunk) && !this.destroyed) {
      this.#gathering = true
      this.cork()
      process.nextTick(leaveNow, this)
    }
    return super.write(chunk, ...rest)
  }

  #leave(): void {
    if (!this.#gathering) return
    this.#gathering = false
    this.uncork()
  }

  /** As net.Socket has it: what was written before has been handed to TLS. */
  override destroy(error?: Error): this {
    // an error may be a refusal: nothing leaves behind it
    if (error === undefined && #gathering in this) this.#leave()
    if (this.timeout !== undefined && !this.destroyed) this.#stopIdleTimer(this.timeout)
    return super.destroy(error)
  }

  /** A net.Socket does it with its handle. */
  #stopIdleTimer(timeout: number): void {
    this.setTimeout(0)
    Object.assign(this, { timeout }) // it is still told
  }

  #receive(chunk: Uint8Array | null): boolean {
    const buffers = this.#buffers
    if (buffers === undefined) return this.push(chunk)
    if (chunk !== null) return buffers.take(chunk)
    buffers.end()
    return false
  }

  /** As net.Socket has it, `onread` included. */
  override pause(): this {
    this.#buffers?.pause()
    return super.pause()
  }

  /** As net.Socket has it, `onread` included. */
  override resume(): this {
    if (this.#buffers?.resume() === true) this.#core.gate.pull()
    return super.resume()
  }

  override _read(): void {
    this.#core.gate.pull()
  }

  override _write(chunk: Uint8Array | string, encoding: BufferEncoding, done: Done): void {
    this.#core.gate.write([typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk], done)
  }

  override _writev(
    entries: readonly { readonly chunk: Uint8Array | string; readonly encoding: BufferEncoding }[],
    done: Done,
  ): void {
    this.#core.gate.write(
      entries.map(({ chunk, encoding }) => (typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk)),
      done,
    )
  }

  override _final(done: Done): void {
    this.#core.gate.finish(done)
  }

  override _destroy(error: Error | null, done: Done): void {
    const explained = error === null ? null : this.#core.explained(error)
    this.#core.close(explained)
    done(explained)
    // net.Socket turns the stream's own 'close' off and emits it with its handle, which a facade has not; 'error' comes first
    process.nextTick(() => this.emit('close', error !== null))
  }
}

/** One signal for all sockets of a program is not the leak that Node would warn of. A limit of the program's own stays. */
function allowMany(signal: AbortSignal): void {
  try {
    if (getMaxListeners(signal) !== EventEmitter.defaultMaxListeners) return
  } catch {
    return // Node 20 cannot say that there is none
  }
  setMaxListeners(Infinity, signal)
}

/** Anything else than a string or bytes is for the stream to refuse. */
function isSmall(chunk: unknown): boolean {
  return (typeof chunk === 'string' || chunk instanceof Uint8Array) && chunk.length < SMALL
}

/** The socket's core, for the package's own modules. */
export function coreOf(socket: Facade): SocketCore {
  return readCore(socket)
}
