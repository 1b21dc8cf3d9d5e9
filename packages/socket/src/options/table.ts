import { Duplex } from 'node:stream'
import type { LookupFunction } from 'node:net'
import type { SecureContext, SecureVersion } from 'node:tls'
import type { CaStore } from '@x/ca-store'
import type { OcspStore } from '@x/ocsp'
import type { SessionStore } from '@x/session-cache'
import { parseFingerprint } from '@x/utils'
import { invalidType, invalidValue } from '../errors.ts'
import type { OnReadOptions } from '../onread.ts'
import { hosts } from './hosts.ts'
import {
  boolean,
  bytes,
  callable,
  certificates,
  milliseconds,
  nonEmptyString,
  nonNegativeInteger,
  oneOf,
  type Parse,
  port,
  positiveInteger,
  privateKey,
  record,
  string,
  stringOrBytes,
} from './parse.ts'
import { parsePsk, type PskKeys } from './psk.ts'
import type { ListenOptions, TicketKeyFunction } from './server-types.ts'
import type { ConnectOptions, StartTlsOptions } from './types.ts'
import type { RevocationOptions, VerifyOptions } from './verify-types.ts'

/** Who may give an option. */
export type Entry = 'connect' | 'listen' | 'startTls'
/** Which of the five frozen parts an option lands in. */
export type Part = 'transport' | 'context' | 'handshake' | 'policy' | 'facade'

export interface Row<T> {
  readonly entries: readonly Entry[]
  readonly part: Part
  readonly parse: Parse<unknown>
  readonly initial?: T
}

export type AnyOptions = ConnectOptions & ListenOptions & StartTlsOptions

/** What an option is below the table, where that is not what the program gives. */
export interface ParsedForms {
  readonly psk: PskKeys
}

const client = ['connect', 'startTls'] as const
const dialling = ['connect'] as const
const server = ['listen', 'startTls'] as const
const listening = ['listen'] as const
const both = ['connect', 'listen', 'startTls'] as const

const object = (option: string, expected: string, is: (value: object) => boolean): Parse<object> => {
  return (value) => {
    if (typeof value !== 'object' || value === null || !is(value)) throw invalidType(option, expected)
    return value
  }
}

const version = oneOf<SecureVersion>('TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3')

/** Pins are parsed here so that a malformed one is misuse, not a pin that never matches. */
const fingerprints: Parse<readonly string[]> = (value, option) => {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  return Object.freeze(
    list.map((item) => {
      const text = nonEmptyString(item, option)
      if (algorithmOf(text, option) === 'sha1' && !/^sha-?1\$/i.test(text.trim()))
        throw invalidValue(option, "holds a SHA-1 digest, which must be named: 'sha1$…'")
      return text
    }),
  )
}

function algorithmOf(text: string, option: string): string {
  try {
    return parseFingerprint(text).algorithm
  } catch (error) {
    throw Object.assign(invalidValue(option, `holds '${text.slice(0, 80)}', which is no fingerprint`), { cause: error })
  }
}

const scheme: Parse<NonNullable<VerifyOptions['scheme']>> = (value, option) => {
  if (typeof value === 'string') return nonEmptyString(value, option) as NonNullable<VerifyOptions['scheme']>
  if (typeof value === 'function' || (typeof value === 'object' && value !== null)) return value
  throw invalidType(option, "a scheme's name, a scheme or a function")
}

const publicSuffix: Parse<NonNullable<VerifyOptions['publicSuffix']>> = (value, option) => {
  if (value === 'icann' || value === 'none') return value
  if (typeof value === 'object' && value !== null && 'publicSuffix' in value)
    return value as NonNullable<VerifyOptions['publicSuffix']>
  throw invalidValue(option, "must be 'icann', 'none' or a PublicSuffixList")
}

const verify = record<VerifyOptions>({
  name: nonEmptyString,
  scheme,
  publicSuffix,
  fingerprints,
  forceFingerprints: boolean,
  callback: callable<NonNullable<VerifyOptions['callback']>>,
  callbackTimeout: milliseconds,
})

const revocation = record<RevocationOptions>({
  staple: oneOf('off', 'try', 'must'),
  online: boolean,
  failure: oneOf('soft', 'hard'),
  depth: oneOf('leaf', 'chain'),
  cache: object(
    'revocation.cache',
    'an OcspStore',
    (value) => 'get' in value && 'put' in value,
  ) as unknown as Parse<OcspStore>,
  onStaple: callable<NonNullable<RevocationOptions['onStaple']>>,
  crlFile: nonEmptyString,
  crlDepth: oneOf('leaf', 'chain'),
  timeout: milliseconds,
  fetch: callable<typeof globalThis.fetch>,
})

const lists: Parse<readonly (string | Uint8Array)[]> = (value, option) => {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  return Object.freeze(list.map((item) => stringOrBytes(item, option)))
}

const alpn: Parse<readonly string[]> = (value, option) => {
  if (!Array.isArray(value)) throw invalidType(option, 'an array of strings')
  return Object.freeze(
    value.map((item) => {
      const name = nonEmptyString(item, option)
      if (Buffer.byteLength(name) > 255) throw invalidValue(option, 'holds a name of more than 255 bytes')
      return name
    }),
  )
}

const secureContext = object('secureContext', 'a SecureContext', (value) => 'context' in value) as Parse<SecureContext>
const caStore = object(
  'caStore',
  'a CaStore',
  (value) => 'findIssuer' in value && 'certificates' in value,
) as unknown as Parse<CaStore>
const sessionStore = object(
  'sessionCache',
  'a SessionStore',
  (value) => 'get' in value && 'add' in value,
) as unknown as Parse<SessionStore>
const abortSignal = object('signal', 'an AbortSignal', (value) => 'aborted' in value)
const stream = object(
  'socket',
  'a Duplex stream or a file descriptor',
  (value) => value instanceof Duplex || ('write' in value && 'read' in value),
) as Parse<Duplex>
const duplex: Parse<Duplex | number> = (value, option) =>
  typeof value === 'number' ? nonNegativeInteger(value, option) : stream(value, option)

const stapler = object('stapler', 'what createStapler() returns', (value) => 'onRequest' in value) as Parse<
  NonNullable<ListenOptions['stapler']>
>
const ticketKeys: Parse<NonNullable<ListenOptions['ticketKeys']>> = (value, option) => {
  if (typeof value === 'function') return value as TicketKeyFunction
  if (!(value instanceof Uint8Array)) throw invalidType(option, 'a Uint8Array or a function')
  if (value.length !== 48) throw invalidValue(option, 'must have 48 bytes')
  return Uint8Array.from(value)
}

const buffer: Parse<OnReadOptions['buffer']> = (value, option) => {
  if (typeof value === 'function') return value as () => Uint8Array
  if (!(value instanceof Uint8Array)) throw invalidType(option, 'a Uint8Array or a function that returns one')
  if (value.length === 0) throw invalidValue(option, 'must not be empty')
  return value // not copied: it is for the program to read from
}
const onreadKeys = record<OnReadOptions>({ buffer, callback: callable<OnReadOptions['callback']> })
const onread: Parse<OnReadOptions> = (value, option) => {
  const options = onreadKeys(value, option)
  for (const key of ['buffer', 'callback'] as const)
    if (options[key] === undefined) throw invalidValue(`${option}.${key}`, 'is needed')
  return options
}

const passphrase: Parse<unknown> = (value, option) => {
  if (typeof value === 'string' || typeof value === 'function') return value
  throw invalidType(option, 'a string or a function')
}

/** Every option there is: who may give it, where it goes, how it is read. A missing row does not compile. */
export const table = {
  // transport
  host: { entries: ['connect', 'listen', 'startTls'], part: 'transport', parse: nonEmptyString },
  port: { entries: ['connect', 'listen'], part: 'transport', parse: port },
  path: { entries: ['connect', 'listen'], part: 'transport', parse: nonEmptyString },
  family: { entries: dialling, part: 'transport', parse: oneOf(0, 4, 6) },
  localAddress: { entries: dialling, part: 'transport', parse: nonEmptyString },
  localPort: { entries: dialling, part: 'transport', parse: port },
  lookup: { entries: dialling, part: 'transport', parse: callable<LookupFunction> },
  hints: { entries: dialling, part: 'transport', parse: nonNegativeInteger },
  autoSelectFamily: { entries: dialling, part: 'transport', parse: boolean },
  autoSelectFamilyAttemptTimeout: { entries: dialling, part: 'transport', parse: milliseconds },
  noDelay: { entries: both, part: 'transport', parse: boolean, initial: true },
  keepAlive: { entries: both, part: 'transport', parse: boolean },
  keepAliveInitialDelay: { entries: both, part: 'transport', parse: nonNegativeInteger },
  socket: { entries: dialling, part: 'transport', parse: duplex },
  backlog: { entries: listening, part: 'transport', parse: nonNegativeInteger },
  exclusive: { entries: listening, part: 'transport', parse: boolean },
  ipv6Only: { entries: listening, part: 'transport', parse: boolean },
  reusePort: { entries: listening, part: 'transport', parse: boolean },
  // context
  ca: { entries: both, part: 'context', parse: certificates },
  caFile: { entries: both, part: 'context', parse: nonEmptyString },
  caPath: { entries: both, part: 'context', parse: nonEmptyString },
  caStore: { entries: both, part: 'context', parse: caStore },
  cert: { entries: both, part: 'context', parse: certificates },
  certFile: { entries: both, part: 'context', parse: nonEmptyString },
  key: { entries: both, part: 'context', parse: privateKey },
  keyFile: { entries: both, part: 'context', parse: nonEmptyString },
  pfx: { entries: both, part: 'context', parse: bytes },
  passphrase: { entries: both, part: 'context', parse: passphrase },
  ciphers: { entries: both, part: 'context', parse: nonEmptyString },
  sigalgs: { entries: both, part: 'context', parse: nonEmptyString },
  ecdhCurve: { entries: both, part: 'context', parse: nonEmptyString },
  minVersion: { entries: both, part: 'context', parse: version, initial: 'TLSv1.2' },
  maxVersion: { entries: both, part: 'context', parse: version },
  secureOptions: { entries: both, part: 'context', parse: nonNegativeInteger },
  dhparam: { entries: both, part: 'context', parse: stringOrBytes },
  honorCipherOrder: { entries: both, part: 'context', parse: boolean, initial: true },
  allowPartialTrustChain: { entries: both, part: 'context', parse: boolean, initial: true },
  psk: { entries: both, part: 'context', parse: parsePsk },
  clientCaNames: { entries: server, part: 'context', parse: certificates },
  onContext: { entries: both, part: 'context', parse: callable<NonNullable<ConnectOptions['onContext']>> },
  secureContext: { entries: both, part: 'context', parse: secureContext },
  // handshake
  servername: { entries: client, part: 'handshake', parse: string },
  ALPNProtocols: { entries: both, part: 'handshake', parse: alpn },
  sessionCache: { entries: both, part: 'handshake', parse: sessionStore },
  sessionKey: { entries: client, part: 'handshake', parse: nonEmptyString },
  tickets: { entries: client, part: 'handshake', parse: oneOf('once', 'again'), initial: 'once' },
  minDHSize: { entries: client, part: 'handshake', parse: nonNegativeInteger, initial: 2048 },
  handshakeTimeout: { entries: both, part: 'handshake', parse: milliseconds, initial: 30_000 },
  requestCert: {
    entries: server,
    part: 'handshake',
    parse: oneOf<boolean | string>(true, false, 'required', 'optional'),
  },
  hosts: { entries: server, part: 'handshake', parse: hosts },
  onHello: { entries: server, part: 'handshake', parse: callable<NonNullable<ListenOptions['onHello']>> },
  maxHelloSize: { entries: server, part: 'handshake', parse: positiveInteger, initial: 16_384 },
  stapler: { entries: server, part: 'handshake', parse: stapler },
  ticketKeys: { entries: server, part: 'handshake', parse: ticketKeys },
  isServer: { entries: ['startTls'], part: 'handshake', parse: boolean },
  head: { entries: ['startTls'], part: 'handshake', parse: bytes },
  starttls: { entries: dialling, part: 'handshake', parse: callable<NonNullable<ConnectOptions['starttls']>> },
  keylog: { entries: both, part: 'handshake', parse: boolean, initial: false },
  stoppable: { entries: both, part: 'handshake', parse: boolean, initial: false },
  truncation: { entries: both, part: 'handshake', parse: oneOf('refuse', 'allow') },
  onMessage: { entries: both, part: 'handshake', parse: callable<NonNullable<ConnectOptions['onMessage']>> },
  onPeerShutdown: { entries: both, part: 'handshake', parse: callable<() => void> },
  onHandshakeError: {
    entries: both,
    part: 'handshake',
    parse: callable<NonNullable<ConnectOptions['onHandshakeError']>>,
  },
  // server
  onPlaintext: { entries: listening, part: 'facade', parse: callable<NonNullable<ListenOptions['onPlaintext']>> },
  maxConnections: { entries: listening, part: 'facade', parse: positiveInteger },
  maxHandshakes: { entries: listening, part: 'facade', parse: positiveInteger, initial: 10_000 },
  watch: { entries: listening, part: 'facade', parse: boolean, initial: false },
  // policy
  verify: { entries: both, part: 'policy', parse: verify },
  revocation: { entries: both, part: 'policy', parse: revocation },
  crl: { entries: both, part: 'policy', parse: lists },
  rejectUnauthorized: { entries: both, part: 'policy', parse: boolean, initial: true },
  checkServerIdentity: {
    entries: client,
    part: 'policy',
    parse: callable<NonNullable<ConnectOptions['checkServerIdentity']>>,
  },
  now: { entries: both, part: 'policy', parse: callable<() => number> },
  // facade
  signal: { entries: both, part: 'facade', parse: abortSignal },
  allowHalfOpen: { entries: both, part: 'facade', parse: boolean, initial: false },
  timeout: { entries: both, part: 'facade', parse: nonNegativeInteger },
  startHandshake: { entries: ['connect', 'listen'], part: 'facade', parse: boolean, initial: true },
  highWaterMark: { entries: both, part: 'facade', parse: nonNegativeInteger },
  onread: { entries: client, part: 'facade', parse: onread },
} as const satisfies { readonly [K in keyof AnyOptions]-?: Row<AnyOptions[K]> }
