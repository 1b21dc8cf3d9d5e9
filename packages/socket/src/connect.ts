import { connect as connectTcp, isIP, type LookupFunction, type NetConnectOpts, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { dialsItself } from './engine/choose.ts'
import { Dial } from './engine/dial.ts'
import type { TlsEngine } from './engine/engine.ts'
import { guard } from './engine/guard.ts'
import { openTransport } from './engine/transport.ts'
import { invalidValue, SecureSocketError, withDetails } from './errors.ts'
import { withoutBrackets } from './options/policy.ts'
import { prepare, type Prepared } from './options/prepare.ts'
import { originalOf, resolve, type Resolved } from './options/resolve.ts'
import type { ConnectOptions } from './options/types.ts'
import { begin, clientSessions, finish, type Handshake, shake } from './handshake.ts'
import { notConnected, refusePlaintextLeft } from './failures.ts'
import type { ClientSessions } from './sessions.ts'
import type { SocketCore } from './socket-core.ts'
import { giveUp } from './upgrade.ts'
import { coreOf } from './facade.ts'
import { makeSocket, type SecureSocket } from './secure-socket.ts'
import { unlessAborted } from './verify/network-time.ts'

/**
 * Connects to a TLS server and resolves when it is trusted: chain and name verified, TLS 1.2 or newer.
 * `'host:443'` and `'[::1]:443'` are short for `{host, port}`.
 *
 * Rejects with PeerRefusedError (a check refused; `code`, `outcomes`, `hint`), SecureSocketError, or Node's and OpenSSL's own
 * errors, each with `phase`, `host` and `port`. A TypeError names the option that is wrong. The peer sees a completed handshake, and our
 * certificate where it asked for one, before it is refused; it never sees data.
 */
export function connect(options: ConnectOptions): Promise<SecureSocket>
export function connect(address: string, options?: ConnectOptions): Promise<SecureSocket>
export async function connect(target: ConnectOptions | string, more: ConnectOptions = {}): Promise<SecureSocket> {
  const { socket, opened } = start(typeof target === 'string' ? { ...more, ...parseAddress(target) } : target)
  socket.on('error', toldByRejection)
  if (!(await opened))
    throw (
      socket.lastError ??
      new SecureSocketError('ERR_SECURE_SOCKET_CLOSED', 'the socket was closed before it was ready', {
        phase: 'connect',
      })
    )
  socket.off('error', toldByRejection)
  return socket
}

/**
 * The same without waiting: the socket is returned at once and emits 'connect' (TCP), 'secureConnect' and 'ready', or 'error'.
 * What is written before is held until the peer is trusted.
 */
export function dial(options: ConnectOptions): SecureSocket {
  const { socket, opened } = start(options)
  opened.catch(toldByEvent)
  return socket
}

function toldByRejection(): void {
  // of connect()
}

function toldByEvent(): void {
  // 'error'
}

/** `opened`: whether the socket became ready; false where it was closed without an error. */
function start(options: ConnectOptions): { readonly socket: SecureSocket; readonly opened: Promise<boolean> } {
  const resolved = resolve('connect', options)
  const { transport, facade } = resolved
  const { host, port } = transport
  if (transport.socket === undefined && port === undefined && transport.path === undefined)
    throw invalidValue('port', 'is needed')
  const socket = makeSocket(facade)
  const core = coreOf(socket)
  core.inherited = originalOf(resolved, options)
  core.where = { host, port: port === undefined ? undefined : Number(port) }
  if (facade.timeout !== undefined) socket.setTimeout(facade.timeout)
  const opened = open(socket, core, resolved).catch((error: unknown) => {
    throw giveUp(core, error as Error, resolved)
  })
  return { socket, opened }
}

/** As a rule the engine makes the connection, and its hello leaves as soon as there is one. */
async function open(socket: SecureSocket, core: SocketCore, resolved: Resolved): Promise<boolean> {
  const { transport: where, facade } = resolved
  // the context first: wrong credentials are told before anything is sent
  const pending = facade.startHandshake === false ? undefined : prepare('client', resolved)
  const prepared = pending instanceof Promise ? await unlessAborted(pending, core.closing) : pending
  if (socket.destroyed) return false
  if (prepared === undefined) return await openTransportFirst(socket, core, resolved)
  const sessions = clientSessions(prepared, resolved)
  // a store that has to be waited for is, while a transport connects
  if (!dialsItself(resolved) || sessions?.take(prepared.policy, core) instanceof Promise)
    return await openTransportFirst(socket, core, resolved, prepared, sessions)
  const handshake: Handshake = { role: 'client', transport: addressOf(where), prepared, resolved }
  let engine: TlsEngine | undefined
  let lookup: Lookup | undefined
  try {
    engine = begin(core, handshake, sessions)
    core.dialled(engine.tls)
    if (socket.destroyed) {
      sessions?.giveBack()
      return abandon(engine.tls)
    }
    if (isResolved(where)) lookup = new Lookup(engine.tls, socket, core)
    await engine.opened?.()
  } catch (error) {
    sessions?.giveBack()
    throw lookup === undefined ? error : lookup.told(error as Error)
  }
  // from here on the session may be on the wire
  if (socket.destroyed) return false
  socket.emit('connect')
  await finish(socket, core, engine, handshake, sessions)
  socket.emit('ready')
  return true
}

/** Where the transport is given, or wanted back, or to be spoken on in clear, it is connected before there is an engine. */
async function openTransportFirst(
  socket: SecureSocket,
  core: SocketCore,
  resolved: Resolved,
  prepared?: Prepared,
  sessions?: ClientSessions,
): Promise<boolean> {
  const { transport: where } = resolved
  let isUnused = true
  try {
    const transport = where.socket === undefined ? connectTcp(tcpOptions(where)) : openTransport(where.socket)
    if (transport instanceof Socket) core.transport = transport
    if (socket.destroyed) return abandon(transport)
    await connected(transport, socket, core, resolved)
    if (socket.destroyed) return abandon(transport)
    core.unsecured = transport
    socket.emit('connect')
    if (socket.destroyed) return false
    // in the same tick, so that whoever has waited for 'connect' can say startTls()
    if (prepared === undefined) core.adoptPlain(transport)
    else {
      await converse(transport, core, resolved)
      if (socket.destroyed) return false
      isUnused = false
      await shake(socket, core, { role: 'client', transport, prepared, resolved, sessions })
    }
  } finally {
    if (isUnused) sessions?.giveBack()
  }
  socket.emit('ready')
  return true
}

/** The program's `lookup` has closed the socket before the transport was known to it. */
function abandon(transport: Duplex): false {
  transport.on('error', toldByEvent).destroy()
  return false
}

/** The plaintext dialogue, on the transport itself: what the program writes meanwhile waits for TLS. */
async function converse(
  transport: Duplex,
  core: SocketCore,
  { handshake, policy, transport: where }: Resolved,
): Promise<void> {
  const { starttls, handshakeTimeout: timeout = 30_000 } = handshake
  if (starttls === undefined) return
  const name = policy.verify?.name ?? (handshake.servername || where.host)
  try {
    const context = { signal: core.closing, timeout, ...(name === undefined ? {} : { name }) }
    await unlessAborted(starttls(transport, context), core.closing) // it may not look at the signal
    refusePlaintextLeft(transport.readableLength)
  } catch (error) {
    transport.pause()
    throw withDetails(error, { phase: 'starttls' })
  }
}

function tcpOptions({ host, path, socket: _socket, lookup, ...rest }: Resolved['transport']): NetConnectOpts {
  const address = path === undefined ? (host === undefined ? {} : { host: withoutBrackets(host) }) : { path }
  // the facade decides about half-open connections
  const later = lookup === undefined ? {} : { lookup: answeringLater(lookup) }
  return { ...rest, ...address, ...later, allowHalfOpen: true } as NetConnectOpts
}

/**
 * As dns.lookup answers: later, since a failure to connect would come before anybody can listen for it; once; and, where it was asked for all addresses, with
 * a list of them: of anything else Node throws where nobody can catch it.
 */
function answeringLater(lookup: LookupFunction): LookupFunction {
  return (name, options, done) => {
    let isAnswered = false
    const answer = (given: unknown, ...addresses: unknown[]): void => {
      if (isAnswered) return
      isAnswered = true
      const error = given ? withError(given) : isAnswer(addresses[0], options.all) ? null : misanswered()
      process.nextTick(done, error, ...addresses)
    }
    try {
      lookup(name, options, answer)
    } catch (error) {
      answer(withError(error))
    }
  }
}

function isAnswer(address: unknown, all: boolean | undefined): boolean {
  if (all !== true) return true // Node looks at it
  const isAddress = (entry: unknown): boolean => typeof (Object(entry) as { address?: unknown }).address === 'string'
  return Array.isArray(address) && address.length > 0 && address.every(isAddress)
}

function misanswered(): Error {
  return invalidValue('lookup', 'must answer with an Error, or with addresses')
}

function withError(error: unknown): Error {
  return error instanceof Error ? error : Object.assign(misanswered(), { cause: error })
}

/** The same object for options that came before: the engine knows by it what it has put together already. */
function addressOf(where: Resolved['transport']): Dial {
  let address = addresses.get(where)
  if (address === undefined) {
    address = new Dial(tcpOptions(where))
    addresses.set(where, address)
  }
  return address
}

const addresses = new WeakMap<Resolved['transport'], Dial>()

/** Resolves once the transport is connected, and guarded; destroys it when the facade closes first. */
function connected(
  transport: Duplex,
  socket: SecureSocket,
  core: SocketCore,
  { transport: where, handshake: { starttls } }: Resolved,
): Promise<void> {
  const next = starttls === undefined ? 'handshake' : 'starttls'
  if (!(transport instanceof Socket) || !transport.connecting) {
    if (transport.destroyed || transport.readableEnded)
      return Promise.reject(
        new SecureSocketError('ERR_SECURE_SOCKET_CLOSED', "option 'socket' is closed", { phase: 'connect' }),
      )
    guard(core, transport, next)
    return Promise.resolve()
  }
  const lookup = isResolved(where) ? new Lookup(transport, socket, core) : undefined
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      transport.off('connect', onConnect).off('error', onError).off('close', onClose)
    }
    const onConnect = (): void => {
      stop()
      guard(core, transport, next)
      resolve()
    }
    const onError = (error: Error): void => {
      stop()
      transport.on('error', () => undefined)
      reject(lookup === undefined ? error : lookup.told(error))
    }
    const onClose = (): void => onError(notConnected())
    transport.on('connect', onConnect).on('error', onError).on('close', onClose)
  })
}

/** Whether a name has to be looked up; the program's own transport may be about to. */
function isResolved({ socket, path, host = '' }: Resolved['transport']): boolean {
  return socket !== undefined || (path === undefined && isIP(host) === 0)
}

/** Tells the program of a lookup, as net.Socket does, and of an error whether it comes of one. */
class Lookup {
  #failed = false

  constructor(transport: Socket, socket: SecureSocket, core: SocketCore) {
    transport.on('lookup', (...args: unknown[]) => {
      if (!core.connecting) return // the program's lookup may answer late, or twice
      this.#failed = args[0] instanceof Error
      socket.emit('lookup', ...args)
    })
  }

  told(error: Error): Error {
    return this.#failed ? withDetails(error, { phase: 'resolve' }) : error
  }
}

/** `host:port` and `[v6]:port`. */
export function parseAddress(address: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([^\][]+)\]|([^:\][\s]+)):([0-9]{1,5})$/.exec(address)
  const host = match?.[1] ?? match?.[2]
  if (host === undefined || Number(match?.[3]) > 65535)
    throw invalidValue('address', `must be 'host:port' or '[IPv6]:port', not '${address.slice(0, 200)}'`)
  return { host, port: Number(match?.[3]) }
}
