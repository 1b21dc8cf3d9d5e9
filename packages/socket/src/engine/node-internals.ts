import { randomBytes } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { type Server, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type SecureContext, TLSSocket } from 'node:tls'

/*
 * Everything undocumented of Node that this package relies on: one function each, with a feature test and with what
 * happens where the feature is absent. Nothing else in the package names an underscore property of Node's, but for `node-client.ts`, which
 * has how a client's TLSSocket comes to be.
 */

/**
 * Lets a server-side TLSSocket made with `new` report its errors as 'error' after the handshake, as tls.Server does for its own.
 * Without the method, errors come as '_tlsError' only, which the native engine listens for in any case.
 */
export function releaseControl(socket: TLSSocket): void {
  const target = socket as TLSSocket & { _releaseControl?: () => unknown }
  if (typeof target._releaseControl === 'function') target._releaseControl()
}

/** Restarts the idle timer of `socket.setTimeout()`. Without the method the timer counts from when it was set. */
export function restartIdleTimer(socket: Socket): void {
  const target = socket as Socket & { _unrefTimer?: () => void }
  if (socket.timeout !== undefined && typeof target._unrefTimer === 'function') target._unrefTimer()
}

/**
 * OpenSSL's verdict on the peer's chain: code and sentence, or undefined for none. What was made with `new` has no `authorizationError`, and what tls.connect
 * made (`isReported`) lacks the sentence. Where the handle cannot be asked, that report counts, and without one the peer counts as not verified.
 */
export function verifyError(
  socket: TLSSocket,
  isReported: boolean,
): { readonly code: string; readonly reason: string | undefined } | undefined {
  const handle = (
    socket as TLSSocket & { _handle?: { verifyError?: () => (Error & { code?: string }) | null | undefined } | null }
  )._handle
  if (typeof handle?.verifyError === 'function') {
    const error = handle.verifyError()
    if (error === null || error === undefined)
      return isReported && !socket.authorized ? unexplained(socket.authorizationError) : undefined
    return { code: error.code ?? UNKNOWN, reason: error.message }
  }
  if (isReported) return socket.authorized ? undefined : unexplained(socket.authorizationError)
  return unexplained(undefined)
}

/**
 * Has Node read (node:tls: decrypt) into these buffers from now on, as its own `onread` does, which node:tls does not take beside `socket` and
 * which would begin before the verdict. `deliver` answers false to pause. Called again, it changes who is delivered to. False where the program has
 * given the socket an `onread` of its own, or where Node's fields are not what they were: the ordinary way then goes on.
 */
export function readInto(
  socket: Socket,
  buffers: { readonly current: Uint8Array },
  deliver: (chunk: Uint8Array) => boolean,
): boolean {
  const target = socket as Socket & { _handle?: { useUserBuffer?: (buffer: Uint8Array) => void } | null } & Record<
      symbol,
      unknown
    >
  const field = (name: string): symbol | undefined =>
    Object.getOwnPropertySymbols(target).find(({ description }) => description === name)
  const [buffer, callback, next] = [field('kBuffer'), field('kBufferCb'), field('kBufferGen')]
  if (buffer === undefined || callback === undefined || next === undefined) return false
  if (typeof target._handle?.useUserBuffer !== 'function') return false
  const { current } = buffers
  const before = target[buffer] ?? undefined
  if (before !== undefined && before !== current) return false
  target[buffer] = current
  let view = current
  target[callback] = (bytes: number, filled: Uint8Array): boolean => {
    // most reads fill as much of the same buffer as the one before
    if (view.length !== bytes || view.byteOffset !== filled.byteOffset || view.buffer !== filled.buffer)
      view = filled.subarray(0, bytes)
    return deliver(view)
  }
  target[next] = (): Uint8Array => buffers.current
  if (before === undefined) target._handle.useUserBuffer(current)
  return true
}

const UNKNOWN = 'ERR_SECURE_SOCKET_CHECK_FAILED'

function unexplained(report: unknown): { readonly code: string; readonly reason: undefined } {
  return { code: typeof report === 'string' ? report : UNKNOWN, reason: undefined }
}

/**
 * Has strings written to a net.Socket turned into bytes by the stream, so that `writableLength` counts bytes: net.Socket
 * switches that off for its own handle's sake. Where the state is out of reach, strings still arrive and are converted later.
 */
export function decodeStrings(socket: Socket): void {
  const state = (socket as Socket & { _writableState?: { decodeStrings?: boolean } })._writableState
  if (state !== undefined) state.decodeStrings = true
}

/** Undoes `setEncoding()`, for which Node has no other way; nothing may be unread. */
export function giveBytes(stream: Duplex): void {
  const state = (stream as Duplex & { _readableState?: { decoder?: unknown; encoding?: unknown } })._readableState
  if (state !== undefined) Object.assign(state, { decoder: null, encoding: null })
}

/** What a stream that gives text holds back: the bytes of a character that has begun. None where Node does not tell them. */
export function undecoded(stream: Duplex): Uint8Array {
  const { decoder } =
    (stream as Duplex & { _readableState?: { decoder?: Partial<Undecoded> | null } })._readableState ?? {}
  const { lastChar, lastTotal = 0, lastNeed = 0 } = decoder ?? {}
  return lastChar instanceof Uint8Array
    ? Uint8Array.from(lastChar.subarray(0, lastTotal - lastNeed))
    : new Uint8Array(0)
}

/** Of node:string_decoder's StringDecoder. */
interface Undecoded {
  readonly lastChar: Uint8Array
  readonly lastTotal: number
  readonly lastNeed: number
}

/**
 * Whether a transport is a net.Socket with a handle of its own, on which node:tls can work in C++. A SecureSocket (of any copy of this
 * package) is a net.Socket without one. Where Node keeps the handle elsewhere, TLS goes record by record, which always works.
 */
export function hasHandle(transport: object): transport is Socket {
  if (!(transport instanceof Socket)) return false
  const { _handle: handle } = transport as Socket & { _handle?: unknown }
  return typeof handle === 'object' && handle !== null
}

/** The TCP connection below a TLSSocket that has made its own. */
export interface TcpHandle {
  readonly bytesRead: number
  readonly bytesWritten: number
  reset?(done: () => void): number
}

/**
 * What is below a TLSSocket that was not given a transport: it counts plaintext, and cannot reset. Undefined where Node keeps it elsewhere: then
 * the TLSSocket's own counters are reported, and a reset is a close.
 */
export function tcpHandle(socket: TLSSocket): TcpHandle | undefined {
  const { _handle: handle } = socket as TLSSocket & { _handle?: { _parent?: Partial<TcpHandle> | null } | null }
  const below = handle?._parent
  return typeof below?.bytesRead === 'number' && typeof below.bytesWritten === 'number'
    ? (below as TcpHandle)
    : undefined
}

/** What is to be done with a ticket. Name and key have 16 and 32 bytes. */
export type TicketKeyAnswer =
  | { readonly verdict: 'reject' }
  | { readonly verdict: 'accept' | 'renew'; readonly name: Uint8Array; readonly key: Uint8Array }

/**
 * Has this context ask for its ticket keys: without a name for a new ticket, with one for a ticket that a client has brought. Node aborts on
 * buffers that are missing or too short, and on exceptions it gives the handshake up, so `ask` must not throw. False where Node has no
 * such callback.
 */
export function onTicketKey(
  secureContext: SecureContext,
  ask: (name: Uint8Array | undefined) => TicketKeyAnswer,
): boolean {
  const native = secureContext.context as TicketKeyCallback
  if (typeof native.enableTicketKeyCallback !== 'function') return false
  native.enableTicketKeyCallback()
  native.onticketkeycallback = (name, iv, encrypt) => {
    const answer = ask(encrypt ? undefined : name)
    if (answer.verdict === 'reject') return [0, Buffer.alloc(16), Buffer.alloc(16), name, iv]
    const key = Buffer.from(answer.key)
    const result = answer.verdict === 'renew' ? 2 : 1
    return [result, key.subarray(0, 16), key.subarray(16), Buffer.from(answer.name), encrypt ? randomBytes(16) : iv]
  }
  return true
}

/**
 * Has this context, whose ticket keys are these 48 bytes, give a new ticket with each resumption; Node's own answer never does. Where Node has no such
 * callback, its answer stays.
 */
export function renewTickets(secureContext: SecureContext, keys: Uint8Array): void {
  const native = secureContext.context as TicketKeyCallback
  if (typeof native.enableTicketKeyCallback !== 'function') return
  const own = Buffer.from(keys)
  const [ownName, hmac, aes] = [own.subarray(0, 16), own.subarray(16, 32), own.subarray(32, 48)]
  let random = Buffer.alloc(0)
  native.enableTicketKeyCallback()
  native.onticketkeycallback = (name, iv, encrypt) => {
    if (!encrypt) return ownName.equals(name) ? [2, hmac, aes, ownName, iv] : [0, hmac, aes, name, iv]
    if (random.length === 0) random = randomBytes(4_096)
    const fresh = random.subarray(0, 16)
    random = random.subarray(16)
    return [1, hmac, aes, ownName, fresh]
  }
}

interface TicketKeyCallback {
  enableTicketKeyCallback?: () => void
  onticketkeycallback?: (name: Buffer, iv: Buffer, encrypt: boolean) => readonly [number, ...Buffer[]]
}

/** What node:tls asks its server about. */
export interface ServerListeners {
  readonly OCSPRequest?:
    | ((...args: [Uint8Array, Uint8Array | null, (error: Error | null, response: Buffer | null) => void]) => void)
    | undefined
  readonly resumeSession?: ((id: Uint8Array, answer: (error: null, session: Buffer | null) => void) => void) | undefined
  readonly newSession?: ((id: Uint8Array, session: Uint8Array, done: () => void) => void) | undefined
}

/**
 * What a server-side TLSSocket made with `new` takes as its `server` so that clients' requests for a staple, and sessions known by their id, come to us:
 * it has the context whose certificate a staple is about. Undefined where nobody listens. Where Node looks for it elsewhere, nothing is stapled or resumed.
 */
export function serverStandIn(secureContext: SecureContext, listeners: ServerListeners): Server | undefined {
  const server = Object.assign(new EventEmitter(), { _sharedCreds: secureContext })
  for (const [event, listener] of Object.entries(listeners)) if (listener !== undefined) server.on(event, listener)
  return server.eventNames().length === 0 ? undefined : (server as unknown as Server)
}
