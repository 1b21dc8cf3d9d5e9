import { isIP, type Server } from 'node:net'
import type { Duplex } from 'node:stream'
import type { SecureContext } from 'node:tls'
import { withoutBrackets } from '../options/policy.ts'
import { PskExchange, type PskKeys } from '../options/psk.ts'
import type { Resolved } from '../options/resolve.ts'
import type { ClientSessions } from '../sessions.ts'
import type { TlsEngine } from './engine.ts'
import { Dial } from './dial.ts'
import { NativeTls } from './native.ts'
import type { NativeSettings } from './settings.ts'
import { hasHandle } from './node-internals.ts'
import { type RecordObserver, RecordTls } from './record.ts'

export interface TlsStart {
  readonly role: 'client' | 'server'
  /** Connected; or, for an engine that makes the connection (see `dialsItself`), where to. */
  readonly transport: Duplex | Dial
  readonly secureContext: SecureContext
  readonly handshake: Resolved['handshake']
  /** Our pre-shared keys; the context is then one without tickets. */
  readonly psk?: PskKeys | undefined
  /** The host that was connected to, for the name sent to the server. */
  readonly host: string | undefined
  readonly sessions?: ClientSessions | undefined
  /** Whether the server is asked to staple. */
  readonly staple: boolean
  /** Sees records and secrets, for `onMessage`. */
  readonly observer?: RecordObserver | undefined
  /** A server's: whom Node asks for staples. */
  readonly stapling?: Server | undefined
}

/** The engine for this connection: the only place where one is chosen. */
export function startTlsEngine(start: TlsStart): TlsEngine {
  const { transport, observer, handshake } = start
  const settings = start.role === 'client' ? clientSettings(start) : serverSettings(start)
  const stoppable = handshake.stoppable === true
  if (transport instanceof Dial) return new NativeTls(transport, settings)
  const byRecord = needsRecords(handshake) || observer !== undefined || !hasHandle(transport)
  return byRecord ? new RecordTls(transport, settings, { stoppable, observer }) : new NativeTls(transport, settings)
}

/** Only record by record does the transport outlive TLS, or need not be one of Node's own, and is an end told from a cut. */
function needsRecords({ stoppable, onHandshakeError, truncation }: Resolved['handshake']): boolean {
  return stoppable === true || onHandshakeError !== undefined || truncation === 'refuse'
}

/**
 * Whether a client's engine is to make the connection itself: with a transport of its own node:tls needs one object less, and decodes a session
 * once instead of twice. Not where the transport is the program's, is spoken on in clear first, or is wanted back; nor for the key log, which Node ends with the first
 * address that does not answer.
 */
export function dialsItself({ transport, handshake, facade }: Resolved): boolean {
  const { starttls, onMessage, keylog } = handshake
  return (
    transport.socket === undefined &&
    starttls === undefined &&
    onMessage === undefined &&
    keylog !== true &&
    facade.startHandshake !== false &&
    !needsRecords(handshake)
  )
}

function clientSettings(start: TlsStart): NativeSettings {
  const { sessions, psk } = start
  return {
    role: 'client',
    sessions,
    psk: psk === undefined ? undefined : new PskExchange(psk),
    options: clientOptions(start),
  }
}

type ClientOptions = Extract<NativeSettings, { role: 'client' }>['options']

/** A client says the same to each server that it connects to with the same options, so it is put together once. */
function clientOptions({ handshake, secureContext, host, staple, transport }: TlsStart): ClientOptions {
  const dial = transport instanceof Dial ? transport : undefined
  const known = said.get(secureContext)
  if (known?.handshake === handshake && known.dial === dial && known.host === host && known.staple === staple)
    return known.options
  const options: ClientOptions = {
    secureContext,
    requestOCSP: staple,
    // node:tls would fall back to "localhost" and put it on the wire; '' sends no name
    servername: handshake.servername ?? serverNameFor(host),
    minDHSize: handshake.minDHSize ?? MIN_DH_SIZE,
    ...(handshake.ALPNProtocols === undefined ? {} : { ALPNProtocols: [...handshake.ALPNProtocols] }),
    ...dial?.options,
    rejectUnauthorized: false,
    checkServerIdentity: accept,
  }
  said.set(secureContext, { handshake, dial, host, staple, options })
  return options
}

/** Bits; Node's own least, where the program's defaults have none. */
const MIN_DH_SIZE = 1_024

/** By context: what was said with it last. */
const said = new WeakMap<
  SecureContext,
  Pick<TlsStart, 'handshake' | 'host' | 'staple'> & {
    readonly dial: Dial | undefined
    readonly options: ClientOptions
  }
>()

/** Names are checked by ours. */
function accept(): undefined {
  return undefined
}

/** A server says the same of each client of a host, so it is said once. */
function serverSettings(start: TlsStart): NativeSettings {
  const { handshake, secureContext, psk, stapling } = start
  const known = settled.get(secureContext)
  if (known?.handshake === handshake && known.stapling === stapling && psk === undefined) return known.settings
  const settings: NativeSettings = {
    role: 'server',
    psk: psk === undefined ? undefined : new PskExchange(psk),
    options: {
      isServer: true,
      rejectUnauthorized: false,
      secureContext,
      ...(stapling === undefined ? {} : { server: stapling }),
      requestCert: handshake.requestCert !== undefined && handshake.requestCert !== false,
      ...(handshake.ALPNProtocols === undefined ? {} : { ALPNProtocols: [...handshake.ALPNProtocols] }),
    },
  }
  if (psk === undefined) settled.set(secureContext, { handshake, stapling, settings })
  return settings
}

/** By context: what a host's clients were told last. A pre-shared key has an exchange for each connection. */
const settled = new WeakMap<
  SecureContext,
  { readonly handshake: object; readonly stapling: Server | undefined; readonly settings: NativeSettings }
>()

/** The name to send (RFC 6066 section 3): the host without a trailing dot, and none for an IP address. */
export function serverNameFor(host: string | undefined): string {
  if (host === undefined) return ''
  const name = withoutBrackets(host)
  return isIP(name) === 0 ? name.replace(/\.$/, '') : ''
}
