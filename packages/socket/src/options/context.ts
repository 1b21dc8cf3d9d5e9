import { constants, createHash } from 'node:crypto'
import { createSecureContext, DEFAULT_CIPHERS, type SecureContext, type SecureContextOptions } from 'node:tls'
import type { TicketKeys } from '../ticket-keys.ts'
import { invalidType } from '../errors.ts'
import type { Anchors } from './ca.ts'
import { BoundedMap, contentKey, fileKey } from './content-key.ts'
import { type Credentials, loadCredentials } from './credentials.ts'
import { pskCiphers } from './psk.ts'
import { defined } from './records.ts'
import type { Resolved } from './resolve.ts'

/** A ready context. `identity` is the digest of our own certificate, '' where we show none. */
export interface BuiltContext {
  readonly secureContext: SecureContext
  readonly identity: string
}

const contexts = new BoundedMap<BuiltContext | Promise<BuiltContext>>(128)

/** What only servers have. */
export interface ServerContext {
  /** Keeps sessions apart from those of another host or policy (rule 9). */
  readonly sessionIdContext: string
  /** Further certificates of the same host. */
  readonly more: readonly Resolved['context'][]
  readonly ticketKeys: TicketKeys | undefined
  /** False: no tickets are accepted. */
  readonly resumable: boolean
  /** The CAs named to clients, where they are not those that are trusted. */
  readonly names: Anchors | undefined
}

/** Forward secrecy and authenticated encryption: what RFC 9325 section 4.2 recommends, and scanners find nothing in. */
const SERVER_CIPHERS =
  'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:' +
  'ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:!aNULL:!PSK'

/**
 * The secure context that these options mean, made once for equal content: building one costs 0.15 to 17 ms.
 * A Promise only where a passphrase function or PKCS#12 makes it one.
 */
export function buildContext(
  context: Resolved['context'],
  anchors: Anchors,
  server: ServerContext | undefined,
): BuiltContext | Promise<BuiltContext> {
  const key = `${keyOf(context, anchors)}\n${serverKey(server)}`
  let made = contexts.get(key)
  if (made === undefined) {
    made = build(context, anchors, server)
    contexts.set(key, made)
    if (made instanceof Promise)
      made.then(
        (built) => contexts.set(key, built),
        () => contexts.delete(key),
      )
  }
  return made
}

/** A new context, shared with nobody: what its owner does to it concerns no other connection. */
export function createContext(context: Resolved['context'], anchors: Anchors): BuiltContext | Promise<BuiltContext> {
  return build(context, anchors, undefined)
}

/** The program's own hand on a new context. Nobody waits for it, so a Promise is a mistake. */
function shown(onContext: Resolved['context']['onContext'], secureContext: SecureContext): SecureContext {
  const answer: unknown = onContext?.(secureContext)
  if (typeof answer === 'object' && answer !== null && 'then' in answer)
    throw invalidType('onContext', 'a function that returns nothing: a Promise is not waited for')
  return secureContext
}

function keyOf(context: Resolved['context'], anchors: Anchors): string {
  const { ca: _ca, caFile: _caFile, caPath: _caPath, caStore: _caStore, certFile, keyFile, psk, ...rest } = context
  const parts: string[] = [anchors.key, psk === undefined ? '' : 'psk'] // the keys themselves are asked for at each handshake
  if (certFile !== undefined) parts.push(fileKey(certFile))
  if (keyFile !== undefined) parts.push(fileKey(keyFile))
  for (const [name, value] of Object.entries(rest)) parts.push(name, contentKey(value))
  return parts.join('\n')
}

function serverKey(server: ServerContext | undefined): string {
  if (server === undefined) return ''
  const { sessionIdContext, more, ticketKeys, resumable, names } = server
  const none = { key: '', contextOptions: {}, store: undefined }
  const others = more.map((one) => keyOf(one, none))
  return [sessionIdContext, contentKey(others), contentKey(ticketKeys), resumable, names?.key].join('\n')
}

function build(
  context: Resolved['context'],
  anchors: Anchors,
  server: ServerContext | undefined,
): BuiltContext | Promise<BuiltContext> {
  const loaded = [context, ...(server?.more ?? [])].map(loadCredentials)
  const ready = loaded.filter((one): one is Exclude<typeof one, Promise<unknown>> => !(one instanceof Promise))
  if (ready.length === loaded.length) return create(context, anchors, ready, server)
  return Promise.all(loaded.map((one) => Promise.resolve(one))).then((all) => create(context, anchors, all, server))
}

function create(
  context: Resolved['context'],
  anchors: Anchors,
  loaded: readonly (Credentials | undefined)[],
  server: ServerContext | undefined,
): BuiltContext {
  const credentials = loaded.filter((one) => one !== undefined)
  const { psk } = context
  const usual = psk === undefined ? (server === undefined ? undefined : SERVER_CIPHERS) : pskCiphers(DEFAULT_CIPHERS)
  const ciphers = context.ciphers ?? usual
  // without tickets, "resumed" can only mean the key (see PskExchange)
  const ticketless = psk !== undefined || server?.resumable === false
  const secureOptions =
    (context.secureOptions ?? 0) |
    (ticketless ? constants.SSL_OP_NO_TICKET : 0) |
    (server === undefined ? 0 : SSL_OP_NO_RENEGOTIATION)
  const { sigalgs, ecdhCurve, minVersion, maxVersion, dhparam, honorCipherOrder, allowPartialTrustChain } = context
  const options: SecureContextOptions & { allowPartialTrustChain?: boolean } = {
    ...(server?.names ?? anchors).contextOptions,
    ...(credentials.length === 0
      ? {}
      : { cert: credentials.map(({ cert }) => cert), key: credentials.map((one) => one.key) }),
    ...defined({
      ciphers,
      sigalgs,
      ecdhCurve,
      minVersion,
      maxVersion,
      secureOptions,
      honorCipherOrder,
      allowPartialTrustChain,
    }),
    ...(dhparam === undefined ? {} : { dhparam: typeof dhparam === 'string' ? dhparam : Buffer.from(dhparam) }),
    ...(server === undefined
      ? {}
      : { sessionIdContext: server.sessionIdContext, ...server.ticketKeys?.contextOptions }),
  }
  const [first] = credentials
  const identity = first === undefined ? '' : createHash('sha256').update(first.cert).digest('base64url')
  const secureContext = shown(context.onContext, createSecureContext(options))
  server?.ticketKeys?.install(secureContext)
  return { secureContext, identity }
}

/** A client must not make us do handshake after handshake; TLS 1.3 has no renegotiation. Not among Node's older typings. */
const SSL_OP_NO_RENEGOTIATION = 1 << 30
