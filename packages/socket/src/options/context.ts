import { constants, createHash } from 'node:crypto'
import { createSecureContext, DEFAULT_CIPHERS, type SecureContext, type SecureContextOptions } from 'node:tls'
import { invalidType } from '../errors.ts'
import type { Anchors } from './ca.ts'
import { BoundedMap, contentKey, fileKey } from './content-key.ts'
import { type Credentials, loadCredentials } from './credentials.ts'
import { pskCiphers } from './psk.ts'
import type { Resolved } from './resolve.ts'

/** A ready context. `identity` is the digest of our own certificate, '' where we show none. */
export interface BuiltContext {
  readonly secureContext: SecureContext
  readonly identity: string
}

const contexts = new BoundedMap<BuiltContext | Promise<BuiltContext>>(128)

/**
 * The secure context that these options mean, made once for equal content: building one costs 0.15 to 17 ms. `sessionIdContext` keeps a
 * server's sessions apart from those of another policy (rule 9).
 * A Promise only where a passphrase function or PKCS#12 makes it one.
 */
export function buildContext(
  context: Resolved['context'],
  anchors: Anchors,
  sessionIdContext: string,
): BuiltContext | Promise<BuiltContext> {
  const key = `${keyOf(context, anchors)}\n${sessionIdContext}`
  let made = contexts.get(key)
  if (made === undefined) {
    made = build(context, anchors, sessionIdContext)
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

function build(
  context: Resolved['context'],
  anchors: Anchors,
  sessionIdContext: string,
): BuiltContext | Promise<BuiltContext> {
  const credentials = loadCredentials(context)
  if (credentials instanceof Promise)
    return credentials.then((loaded) => create(context, anchors, loaded, sessionIdContext))
  return create(context, anchors, credentials, sessionIdContext)
}

function create(
  context: Resolved['context'],
  anchors: Anchors,
  credentials: Credentials | undefined,
  sessionIdContext: string,
): BuiltContext {
  const { psk } = context
  const ciphers = context.ciphers ?? (psk === undefined ? undefined : pskCiphers(DEFAULT_CIPHERS))
  // without tickets, "resumed" can only mean the key (see PskExchange)
  const secureOptions =
    psk === undefined ? context.secureOptions : (context.secureOptions ?? 0) | constants.SSL_OP_NO_TICKET
  const {
    sigalgs,
    ecdhCurve,
    minVersion,
    maxVersion,
    dhparam,
    honorCipherOrder,
    allowPartialTrustChain,
  } = context
  const options: SecureContextOptions & { allowPartialTrustChain?: boolean } = {
    ...anchors.contextOptions,
    ...credentials,
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
    ...(sessionIdContext === '' ? {} : { sessionIdContext }),
  }
  const identity = credentials === undefined ? '' : createHash('sha256').update(credentials.cert).digest('base64url')
  return { secureContext: createSecureContext(options), identity }
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

function defined<T extends object>(record: T): Defined<T> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as Defined<T>
}
