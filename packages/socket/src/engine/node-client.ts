import type { NetConnectOpts } from 'node:net'
import { type ConnectionOptions, connect, TLSSocket, type TLSSocketOptions } from 'node:tls'

/*
 * How a client's TLSSocket comes to be. What is undocumented of it is here and in `node-internals.ts`, with a feature test and with what happens where
 * the feature is absent.
 */

/** What tls.connect is told. */
export type ClientOptions = ConnectionOptions & { readonly requestOCSP: boolean; readonly minDHSize: number }

/**
 * A client that connects by itself, as tls.connect makes it, but for what tls.connect does for a verdict of its own (it reads all options anew, looks at the
 * peer's chain, and listens for each step): a twentieth of a full handshake. Its handshake is done with 'secure', after which `completeClient` is
 * to be called. Undefined where Node's fields are not what they were, or are not known yet: they are learned of what tls.connect has made (`connectClient`).
 *
 * `options` are those for tls.connect; no pre-shared key, and an address that is no path. `onError` hears of errors from the start.
 */
export function dialClient(
  options: ClientOptions,
  address: NetConnectOpts,
  session: Buffer | undefined,
  onError: (error: Error) => void,
): TLSSocket | undefined {
  if (fields === undefined || 'path' in address) return undefined
  const socket = new TLSSocket(
    undefined as never,
    {
      allowHalfOpen: true,
      isServer: false,
      requestCert: true,
      rejectUnauthorized: false,
      secureContext: options.secureContext,
      requestOCSP: options.requestOCSP,
      ALPNProtocols: options.ALPNProtocols,
    } as TLSSocketOptions,
  ) as Client
  socket.on('error', onError)
  // read where a second address is tried, and where a session is bound to its name (Node 24 and later)
  socket[fields.options] = options
  try {
    socket.connect(address, socket._start)
    socket._releaseControl()
    // a lookup of the program's may have answered already, and with what cannot be connected to
    if (socket.destroyed) return socket
    if (options.servername) socket.setServername(options.servername)
  } catch (error) {
    socket.destroy()
    throw error
  }
  if (session !== undefined) setSession(socket, session)
  return socket
}

/**
 * To be called at 'secure' of what `dialClient` has made: its sessions are reported from now on, as tls.connect does it after its verdict. Returns the error
 * where the peer's Diffie-Hellman group has fewer bits than `minDHSize`.
 */
export function completeClient(socket: TLSSocket, { minDHSize }: ClientOptions): Error | undefined {
  const client = socket as Client
  const { type, size = 0 } = (client.getEphemeralKeyInfo() ?? {}) as { readonly type?: string; readonly size?: number }
  if (type === 'DH' && !(size >= minDHSize))
    return Object.assign(new Error(`DH parameter size ${size} is less than ${minDHSize}`), {
      code: 'ERR_TLS_DH_PARAM_SIZE',
    })
  client.secureConnecting = false
  return undefined
}

/** Has the sessions that came before, and those that come from now on, reported as 'session'. */
export function reportSessions(socket: TLSSocket): void {
  if (fields === undefined) return
  const client = socket as Client
  client[fields.verified] = true
  const session = client[fields.pending]
  client[fields.pending] = null
  if (session instanceof Uint8Array) client.emit('session', session as Buffer)
}

/** The error that node:tls has for a connection that ends before its handshake: programs retry by its code. */
export function endedEarly({ host, port }: ClientOptions): Error {
  const sentence = 'Client network socket disconnected before secure TLS connection was established'
  return Object.assign(new Error(sentence), { code: 'ECONNRESET', host, port })
}

/** What a TLSSocket has that @types/node does not tell. */
type Client = TLSSocket & {
  readonly _start: () => void
  readonly _releaseControl: () => unknown
  secureConnecting: boolean
  setServername(name: string): void
  setSession(session: Buffer): void
} & Record<symbol, unknown>

/** By which symbols a TLSSocket keeps what `tls.connect` was told, whether its sessions are reported, and one that is not yet. */
interface Fields {
  readonly options: symbol
  readonly verified: symbol
  readonly pending: symbol
}

let fields: Fields | undefined
let hasLooked = false

/** What tls.connect has made, the first time, with all that `dialClient` and `completeClient` use of it; undefined where something is missing. */
function fieldsOf(client: Client): Fields | undefined {
  const symbols = Object.getOwnPropertySymbols(client)
  const named = (name: string): symbol | undefined => symbols.find(({ description }) => description === name)
  const [options, verified, pending] = [named('connect-options'), named('verified'), named('pendingSession')]
  if (options === undefined || verified === undefined || pending === undefined) return undefined
  const isAsExpected =
    typeof client[options] === 'object' &&
    client[verified] === false &&
    client[pending] === null &&
    METHODS.every(has, client)
  return isAsExpected ? { options, verified, pending } : undefined
}

const METHODS = ['_start', '_releaseControl', 'setServername', 'setSession', 'getEphemeralKeyInfo'] as const

function has(this: object, method: string): boolean {
  return typeof (this as Record<string, unknown>)[method] === 'function'
}

/**
 * tls.connect, spared the decoding of the whole peer chain that it does for its own name check (ours runs after it): until `restore()`, the instance's
 * getPeerCertificate() answers with an empty object. Where Node does not call it, nothing changes. What `dialClient` has to know is learned of the first.
 */
export function connectClient(options: ClientOptions): { readonly tls: TLSSocket; readonly restore: () => void } {
  const tls = connect(options)
  if (!hasLooked) {
    hasLooked = true
    fields = fieldsOf(tls as Client)
  }
  let skips = true
  // not taken off again: an object that loses a property is slow from then on
  tls.getPeerCertificate = ((detailed?: boolean) =>
    skips ? {} : getPeerCertificate.call(tls, detailed)) as TLSSocket['getPeerCertificate']
  return { tls, restore: () => void (skips = false) }
}

const getPeerCertificate = TLSSocket.prototype.getPeerCertificate as (this: TLSSocket, detailed?: boolean) => object

/** Whether a session can be set apart from the options of tls.connect; otherwise it goes with them. */
export const canSetSession: boolean = typeof (TLSSocket.prototype as { setSession?: unknown }).setSession === 'function'

/**
 * Has a client that is to connect offer this session, or destroys it and throws where OpenSSL does not take the session. Where a first address does not answer, Node
 * begins anew and may forget it.
 */
export function setSession(socket: TLSSocket, session: Buffer): void {
  const target = socket as Client
  try {
    target.setSession(session)
  } catch (error) {
    target.destroy()
    throw error
  }
  target.on('connectionAttempt', () => {
    if ((target.autoSelectFamilyAttemptedAddresses?.length ?? 0) > 1) target.setSession(session)
  })
}
