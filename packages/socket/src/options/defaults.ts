import type { SecureContext } from 'node:tls'
import type { SessionStore } from '@x/session-cache'
import { invalidType, invalidValue } from '../errors.ts'
import { refuseInherited } from './parse.ts'
import { type AnyOptions, type Entry, type Row, table } from './table.ts'
import type { ListenOptions } from './server-types.ts'
import { defined, isRecord } from './records.ts'
import type { ConnectOptions } from './types.ts'

/** Where a connection goes, and what belongs to one connection or server alone: no defaults for these. */
type Particular = (typeof particular)[number]
const particular = [
  'host',
  'port',
  'path',
  'socket',
  'signal',
  'isServer',
  'head',
  'hosts',
  'onHello',
  'startHandshake',
  'sessionKey',
] as const

/** Options that can have defaults. `undefined` takes a default away. */
export type DefaultOptions = {
  readonly [K in Exclude<keyof (ConnectOptions & ListenOptions), Particular | 'secureContext' | 'sessionCache'>]?:
    | AnyOptions[K]
    | undefined
}

/**
 * Sees the options of every connection and server after the defaults, as a copy, and returns those that count. They are read like any others: an unknown
 * or contradictory option is a TypeError. A throw, a Promise or nothing returned refuses.
 */
export type OptionsFilter = (role: 'client' | 'server', options: Record<string, unknown>) => object

interface State {
  both: Readonly<Record<string, unknown>>
  client: Readonly<Record<string, unknown>>
  server: Readonly<Record<string, unknown>>
  context: SecureContext | undefined
  sessions: SessionStore | undefined
  filter: OptionsFilter | 'useDefaults' | undefined
}

const none: Readonly<Record<string, unknown>> = Object.freeze({})
const SLOT: unique symbol = Symbol.for('@x/socket:defaults')

/** One for the process, however many copies of this package are loaded (rule 15). It holds what was given; each copy reads it. */
function state(): State {
  const holder: typeof globalThis & { [SLOT]?: State } = globalThis
  return (holder[SLOT] ??= {
    both: none,
    client: none,
    server: none,
    context: undefined,
    sessions: undefined,
    filter: undefined,
  })
}

const rows: Readonly<Record<string, Row<unknown>>> = table

/**
 * Options that every connection and server of this process takes where it is not told otherwise. Added to earlier defaults by key, `verify` and `revocation`
 * by theirs. A connection's own options win by key too, but CAs, and credentials, count all together: its `ca` replaces a default `caFile`.
 * Wrong values are told at once. `rejectUnauthorized: false` warns at every connection. The original's set_defaults.
 */
export function setDefaults(options: DefaultOptions): void {
  add('both', options)
}

/** The same for clients only; wins over `setDefaults`. The original's set_client_defaults. */
export function setClientDefaults(options: DefaultOptions): void {
  add('client', options)
}

/** The same for servers only; wins over `setDefaults`. The original's set_server_defaults. */
export function setServerDefaults(options: DefaultOptions): void {
  add('server', options)
}

/**
 * A context for every connection and server that gives no option of its own about contexts; any such option disables it. `undefined`: none.
 * The original's set_default_context.
 */
export function setDefaultContext(secureContext: SecureContext | undefined): void {
  if (secureContext !== undefined) table.secureContext.parse(secureContext, 'secureContext')
  state().context = secureContext
}

/** The `sessionCache` of every client that gives none. `undefined`: none. The original's set_default_session_cache. */
export function setDefaultSessionCache(sessionCache: SessionStore | undefined): void {
  if (sessionCache !== undefined) table.sessionCache.parse(sessionCache, 'sessionCache')
  state().sessions = sessionCache
}

/**
 * Has the last word about the options of every connection and server: for programs whose libraries ask for too little. `'useDefaults'` ignores what
 * they say about TLS and trust, but for name, credentials, `requestCert` and ALPN, so that the defaults count. `undefined`: none.
 * The original's set_args_filter_hack.
 */
export function setOptionsFilter(filter: OptionsFilter | 'useDefaults' | undefined): void {
  if (filter !== undefined && filter !== 'useDefaults' && typeof filter !== 'function')
    throw invalidType('filter', "a function or 'useDefaults'")
  state().filter = filter
}

function add(to: 'both' | 'client' | 'server', options: object): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw invalidType('options', 'an object')
  refuseInherited(options, '')
  for (const [key, value] of Object.entries(options)) {
    const row = Object.hasOwn(rows, key) ? rows[key] : undefined
    if (row === undefined) throw invalidValue(key, 'is not known')
    if (key === 'secureContext') throw invalidValue(key, 'is set by setDefaultContext()')
    if (key === 'sessionCache') throw invalidValue(key, 'is set by setDefaultSessionCache()')
    if ((particular as readonly string[]).includes(key)) throw invalidValue(key, 'cannot have a default')
    if (value !== undefined) row.parse(value, key)
  }
  const slot = state()
  const merged = over(slot[to], options)
  slot[to] = Object.freeze(defined(merged))
}

const anchorKeys = ['ca', 'caFile', 'caPath', 'caStore'] as const
const credentialKeys = ['cert', 'certFile', 'key', 'keyFile', 'pfx', 'passphrase'] as const
const contextKeys = Object.keys(rows).filter((key) => rows[key]?.part === 'context')

/** What is above wins by key; where it gives one of a group, all of the group below goes. */
function over(below: object, above: object): Record<string, unknown> {
  // without a prototype, so that a key '__proto__' is one like others
  const merged: Record<string, unknown> = Object.assign(Object.create(null) as Record<string, unknown>, below)
  const gives = (key: string): boolean => (above as Record<string, unknown>)[key] !== undefined
  const groups: readonly (readonly string[])[] = [anchorKeys, credentialKeys]
  for (const group of groups) if (group.some(gives)) for (const key of group) delete merged[key]
  if (gives('secureContext')) for (const key of contextKeys) delete merged[key]
  for (const [key, value] of Object.entries(above)) {
    const lower = merged[key]
    const inner = (key === 'verify' || key === 'revocation') && isRecord(lower) && isRecord(value)
    merged[key] = inner ? { ...lower, ...value } : value
  }
  return merged
}

/** What 'useDefaults' leaves to the program: who it is, whom it wants, and what it speaks. */
const kept: readonly string[] = [
  ...credentialKeys,
  'psk',
  'servername',
  'ALPNProtocols',
  'sessionCache',
  'sessionKey',
  'requestCert',
  'hosts',
  'isServer',
  'head',
  'starttls',
  'stoppable',
]

/** Whether the options of a call count as they are. */
export function isWithoutDefaults(): boolean {
  const { both, client, server, context, sessions, filter } = state()
  return isEmpty(both) && isEmpty(client) && isEmpty(server) && (context ?? sessions ?? filter) === undefined
}

function isEmpty(options: object): boolean {
  for (const _key in options) return false
  return true
}

/** The options that count for this call: defaults, the program's, the filter, in this order. The same object where nothing is set. */
export function effectiveOptions(entry: Entry, given: object): object {
  refuseInherited(given, '')
  const { both, client, server, context, sessions, filter } = state()
  if (isWithoutDefaults()) return given
  const role = entry === 'listen' || (given as AnyOptions).isServer === true ? 'server' : 'client'
  const own = filter === 'useDefaults' ? withoutOpinions(given) : given
  const merged = over(applicable(entry, over(both, role === 'client' ? client : server)), defined(own))
  if (context !== undefined && !contextKeys.some((key) => key in defined(own))) {
    for (const key of contextKeys) delete merged[key]
    merged['secureContext'] = context
  }
  if (sessions !== undefined && role === 'client' && merged['sessionCache'] === undefined)
    merged['sessionCache'] = sessions
  const result = typeof filter === 'function' ? filtered(filter, role, merged) : merged
  if ((result as AnyOptions).rejectUnauthorized === false && (given as AnyOptions).rejectUnauthorized !== false)
    warnOfDefault()
  return result
}

function filtered(filter: OptionsFilter, role: 'client' | 'server', merged: Record<string, unknown>): object {
  const copy = Object.fromEntries(
    Object.entries(merged).map(([key, value]) => [
      key,
      key === 'verify' || key === 'revocation' ? { ...(value as object) } : value,
    ]),
  )
  const result: unknown = filter(role, copy)
  if (!isRecord(result) || 'then' in result)
    throw invalidType('filter', 'a function that returns the options, and not a Promise')
  refuseInherited(result, '')
  return result
}

function applicable(entry: Entry, options: Record<string, unknown>): object {
  return Object.fromEntries(Object.entries(options).filter(([key]) => rows[key]?.entries.includes(entry)))
}

function withoutOpinions(given: object): object {
  const { verify } = given as AnyOptions
  const rest = Object.entries(given).filter(([key]) => {
    const part = Object.hasOwn(rows, key) ? rows[key]?.part : undefined
    return part === 'transport' || part === 'facade' || part === undefined || kept.includes(key)
  })
  const name = isRecord(verify) ? (verify as { name?: unknown }).name : undefined
  return { ...Object.fromEntries(rest), ...(name === undefined ? {} : { verify: { name } }) }
}

/** Each time, since nothing at the place where the connection is made says it (rule 15). */
function warnOfDefault(): void {
  process.emitWarning("a default or filter says 'rejectUnauthorized: false': this peer is not verified", {
    type: 'SecurityWarning',
    code: 'X_SOCKET_UNVERIFIED_BY_DEFAULT',
  })
}
