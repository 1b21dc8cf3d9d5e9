import { isIP } from 'node:net'
import { invalidType, invalidValue } from '../errors.ts'
import { effectiveOptions, isWithoutDefaults } from './defaults.ts'
import { type HostRecord, hostRecord, mergeHost } from './hosts.ts'
import { contextOptionsOf } from './made-contexts.ts'
import { refuseInherited } from './parse.ts'
import { Recall } from './recall.ts'
import { isRecord } from './records.ts'
import { type AnyOptions, type Entry, type ParsedForms, type Part, type Row, table } from './table.ts'

type OfPart<P extends Part> = {
  [K in keyof AnyOptions as (typeof table)[K]['part'] extends P ? K : never]?: K extends keyof ParsedForms
    ? ParsedForms[K]
    : AnyOptions[K]
}

/** The options, parsed, with defaults, in five frozen parts: nothing below sees what the program passed. */
export type Resolved = { readonly [P in Part]: Readonly<OfPart<P>> }

/** A server's options for one host, and the further certificates of that host. */
export interface ResolvedHost {
  readonly name: string
  readonly resolved: Resolved
  readonly more: readonly Resolved['context'][]
}

/** A server's hosts: those of the option, and how another one is read (for `onHello`). */
export interface ResolvedServer {
  readonly resolved: Resolved
  readonly hosts: readonly ResolvedHost[]
  readonly hostOf: (options: unknown) => ResolvedHost
}

/**
 * The options of a server with those of each host over them. The server's own certificate stands under `''` where no host does.
 * @throws TypeError as `resolve` does.
 */
export function resolveServer(entry: Entry, given: object): ResolvedServer {
  const resolved = resolve(entry, given)
  const hostOf = ({ name, options, more }: HostRecord): ResolvedHost => ({
    name,
    resolved: resolve(entry, mergeHost(given, options)),
    more: more.map((one) => resolve(entry, mergeHost(given, { ...options, ...one })).context),
  })
  const hosts = ((resolved.handshake.hosts ?? []) as readonly HostRecord[]).map(hostOf)
  const { cert, certFile, pfx, secureContext, psk } = resolved.context
  const isServed = [cert, certFile, pfx, secureContext, psk].some((value) => value !== undefined)
  if (isServed && !hosts.some(({ name }) => name === '')) hosts.push({ name: '', resolved, more: [] })
  return { resolved, hosts, hostOf: (options) => hostOf({ name: '', ...hostRecord(options, 'onHello') }) }
}

const rows: Readonly<Record<string, Row<unknown>>> = table
const initial = Object.entries(rows).filter(([, row]) => row.initial !== undefined)

/**
 * The program's defaults and filter, unknown keys, parse, conflicts, our defaults, in this order.
 * @throws TypeError ERR_INVALID_ARG_TYPE or ERR_INVALID_ARG_VALUE, naming the option.
 */
export function resolve(entry: Entry, given: object): Resolved {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw invalidType('options', 'an object')
  if (!isWithoutDefaults()) return read(entry, effectiveOptions(entry, given))
  if (Object.getPrototypeOf(given) !== Object.prototype) refuseInherited(given, '')
  const known = recalled.get(entry, given)
  if (known !== undefined) return known
  const values = { ...given } // a getter may answer otherwise when it is asked again
  refuseInherited(given, '') // of a polluted Object.prototype
  const resolved = read(entry, values)
  recalled.add(entry, values, resolved)
  originals.set(resolved, values)
  return resolved
}

const recalled = new Recall<Resolved>(16)
const originals = new WeakMap<Resolved, object>()

/** What was given, as it was then; not to be changed. */
export function originalOf(resolved: Resolved, given: object): object {
  return originals.get(resolved) ?? { ...given }
}

/** Whether these options may come back as the same object, so that it is worth while to keep what was made of them. */
export function mayComeAgain(resolved: Resolved): boolean {
  return recalled.has(resolved)
}

/** The same without the program's defaults and filter, for options that have been through them. */
export function read(entry: Entry, given: object): Resolved {
  const parts: { [P in Part]: Record<string, unknown> } = {
    transport: {},
    context: {},
    handshake: {},
    policy: {},
    facade: {},
  }
  const present = new Set<string>()
  for (const [key, value] of Object.entries(given)) {
    const row = Object.hasOwn(rows, key) ? rows[key] : undefined
    if (row === undefined) throw invalidValue(key, unknownReason[key] ?? 'is not known')
    if (!row.entries.includes(entry)) throw invalidValue(key, `does not apply to ${entry}()`)
    if (value === undefined) continue
    parts[row.part][key] = row.parse(value, key)
    present.add(key)
  }
  for (const conflict of conflicts) conflict(present, given, entry)
  for (const [key, row] of initial)
    if (!present.has(key) && row.entries.includes(entry)) parts[row.part][key] = row.initial
  const made = contextOptionsOf(parts.context['secureContext'])
  if (made !== undefined) parts.context = { ...made, secureContext: parts.context['secureContext'] }
  for (const part of Object.values(parts)) Object.freeze(part)
  return Object.freeze(parts) as Resolved
}

/** Options of node:tls that are refused on purpose, each with the way that is open instead. */
const unknownReason: Readonly<Record<string, string>> = Object.assign(Object.create(null) as Record<string, string>, {
  session: 'is refused: only sessions of our own cache resume, since Node resumes without verifying',
  pskCallback: "is not known; see 'psk'",
  SNICallback: 'is not known: certificates are chosen by host before TLS starts',
  privateKeyEngine: 'is not supported',
  clientCertEngine: 'is not supported',
  secureProtocol: "is not supported; use 'minVersion' and 'maxVersion', or protocolVersions()",
  NPNProtocols: "is not supported by Node (see features()); use 'ALPNProtocols'",
})

const contextKeys = Object.entries(rows)
  .filter(([key, row]) => row.part === 'context' && key !== 'secureContext')
  .map(([key]) => key)

type Conflict = (present: ReadonlySet<string>, given: object, entry: Entry) => void

/** Combinations that would silently mean less than they say. */
const conflicts: readonly Conflict[] = [
  (present) => {
    // rule 12: Node takes the context and ignores the others. The CAs of a ready context are unknown to the checks.
    if (!present.has('secureContext')) return
    const other = contextKeys.find((key) => present.has(key))
    if (other !== undefined) throw invalidValue(other, "cannot be combined with 'secureContext', which would win")
  },
  (present) => {
    if (present.has('sessionKey') && !present.has('sessionCache'))
      throw invalidValue('sessionKey', "needs 'sessionCache'")
  },
  (present, given) => {
    // rule 13
    if ((given as AnyOptions).rejectUnauthorized !== false) return
    for (const key of ['verify', 'revocation', 'crl', 'checkServerIdentity', 'now'])
      if (present.has(key))
        throw invalidValue(key, "cannot be combined with 'rejectUnauthorized: false', which would win")
  },
  (_present, given, entry) => {
    const { isServer, revocation } = given as AnyOptions
    if ((entry === 'listen' || isServer === true) && revocation?.staple === 'must')
      throw invalidValue('revocation.staple', "is for clients: TLS has no staple for a client's certificate in Node")
  },
  (present, given) => {
    if (!present.has('checkServerIdentity')) return
    const { verify } = given as AnyOptions
    for (const key of ['name', 'scheme', 'publicSuffix'] as const)
      if (verify?.[key] !== undefined)
        throw invalidValue(`verify.${key}`, "cannot be combined with 'checkServerIdentity', which replaces it")
  },
  (present) => {
    if (present.has('path') && (present.has('port') || present.has('host')))
      throw invalidValue('path', "cannot be combined with 'host' or 'port'")
    if (present.has('pfx'))
      for (const key of ['cert', 'key', 'certFile', 'keyFile'])
        if (present.has(key)) throw invalidValue(key, "cannot be combined with 'pfx'")
    for (const [one, file] of [
      ['cert', 'certFile'],
      ['key', 'keyFile'],
    ] as const)
      if (present.has(one) && present.has(file)) throw invalidValue(file, `cannot be combined with '${one}'`)
    if ((present.has('key') || present.has('keyFile')) && !present.has('cert') && !present.has('certFile'))
      throw invalidValue('key', "needs a certificate: give 'cert' or 'certFile' too")
  },
  (present, given) => {
    if (present.has('head') && (given as AnyOptions).isServer !== true)
      throw invalidValue('head', 'is for servers: nothing may have come from a server before the handshake')
    if (present.has('starttls') && (given as AnyOptions).startHandshake === false)
      throw invalidValue('starttls', "cannot be combined with 'startHandshake: false', which starts no TLS")
    if (present.has('onPeerShutdown') && (given as AnyOptions).stoppable !== true)
      throw invalidValue('onPeerShutdown', "needs 'stoppable: true'; otherwise the peer's end is the event 'end'")
  },
  (_present, given) => {
    const { servername } = given as AnyOptions
    if (servername !== undefined && isIP(servername) !== 0)
      throw invalidValue(
        'servername',
        'must be a name: an IP address is not sent (RFC 6066 section 3); use verify.name',
      )
  },
]

/**
 * Options over others: `verify` and `revocation` by key, so that a name given for one connection does not drop the pins that are
 * there for all.
 */
export function mergeOptions(base: object, over: object): object {
  const merged: Record<string, unknown> = { ...base, ...over }
  for (const key of ['verify', 'revocation'] as const) {
    const [below, above] = [(base as AnyOptions)[key], (over as AnyOptions)[key]]
    if (below !== undefined && above === undefined) merged[key] = below
    else if (isRecord(below) && isRecord(above)) merged[key] = { ...below, ...above }
  }
  return merged
}

/** The options among these that `startTls` takes too. */
export function forStartTls(given: object): object {
  return Object.fromEntries(Object.entries(given).filter(([key]) => rows[key]?.entries.includes('startTls')))
}

/** Whether `createSecureContext` takes it. */
export function isContextOption(key: string): boolean {
  return contextKeys.includes(key)
}

export function isConnectOption(key: string): boolean {
  return Object.hasOwn(rows, key) && (rows[key] as Row<unknown>).entries.includes('connect')
}

/** Whether an option says only how bytes are carried, not whom they may reach. */
export function isAboutTransport(key: string): boolean {
  return rows[key]?.part === 'transport' || rows[key]?.part === 'facade'
}
