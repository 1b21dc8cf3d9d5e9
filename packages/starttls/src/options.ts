import type { Duplex } from 'node:stream'

/** What each dialogue takes. */
export interface StartTlsOptions {
  /** Ends the dialogue; it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds for the whole dialogue. Default 30,000. */
  readonly timeout?: number | undefined
  /**
   * The server's name, for the protocols that say it in clear: the domain in `xmpp` and `host` or `host:port` (443 unless told) in
   * `httpConnect`, which need it. The others ignore it.
   */
  readonly name?: string | undefined
}

/** A plaintext dialogue. When it resolves, the next byte on the stream, in either direction, belongs to TLS. */
export type StartTls = (stream: Duplex, options?: StartTlsOptions) => Promise<void>

const known = ['signal', 'timeout', 'name']

/** The options with their defaults; throws a TypeError for what cannot work. */
export function checkOptions(
  stream: Duplex,
  options: StartTlsOptions,
): { signal: AbortSignal | undefined; timeout: number } {
  if (typeof stream?.read !== 'function' || typeof stream.write !== 'function') throw invalidType('stream', 'a Duplex')
  if (stream.readableFlowing === true) throw invalidValue('stream', 'must not be flowing: somebody else reads it')
  if (stream.readableEncoding !== null || stream.readableObjectMode) throw invalidValue('stream', 'must give bytes')
  if (typeof options !== 'object' || options === null) throw invalidType('options', 'an object')
  refuseInherited(options)
  for (const name of Object.keys(options))
    if (!known.includes(name)) throw invalidValue(`options.${name}`, 'is not a known option')
  const { signal, timeout = 30_000 } = options
  if (signal !== undefined && typeof signal.aborted !== 'boolean') throw invalidType('options.signal', 'an AbortSignal')
  if (typeof timeout !== 'number') throw invalidType('options.timeout', 'a number')
  if (!(timeout > 0 && timeout <= 0x7fff_ffff))
    throw invalidValue('options.timeout', 'must be above 0 and below 2 ** 31')
  return { signal, timeout }
}

/** What an options object inherits would be passed over, and with it perhaps a restriction; what every object does is an attacker's. */
function refuseInherited(options: object): void {
  for (const key in options)
    if (!Object.hasOwn(options, key)) throw invalidValue(`options.${key}`, 'is inherited: only own properties count')
  const member = memberOfClass(options)
  if (member !== undefined) throw invalidValue(`options.${member}`, 'is inherited: only own properties count')
  // an object without a prototype inherits nothing, but what is made of it does
  for (const key in {}) throw invalidValue(`options.${key}`, 'stands in Object.prototype')
}

/** What the classes of an object give it: their methods and getters, which `for … in` passes over. */
function memberOfClass(given: unknown): string | undefined {
  if (typeof given !== 'object' || given === null) return undefined
  for (let at = prototypeOf(given); at !== null && !isRoot(at); at = prototypeOf(at)) {
    const member = Object.getOwnPropertyNames(at).find((name) => name !== 'constructor')
    if (member !== undefined) return member
  }
  return undefined
}

function prototypeOf(given: object): object | null {
  return Object.getPrototypeOf(given) as object | null
}

/** Object.prototype, of any realm. */
function isRoot(prototype: object): boolean {
  return prototypeOf(prototype) === null && Object.hasOwn(prototype, 'hasOwnProperty')
}

/** `options.name`, of the characters that host names, addresses and ports are made of: it is written into the dialogue. */
export function requireName(options: StartTlsOptions): string {
  const { name } = options
  if (name === undefined) throw invalidValue('options.name', 'must be given: the dialogue names the server')
  if (typeof name !== 'string') throw invalidType('options.name', 'a string')
  if (!/^[A-Za-z0-9._:[\]-]{1,260}$/.test(name))
    throw invalidValue('options.name', 'must be a host name in ASCII, or an address')
  return name
}

/** Misuse, with Node's codes. */
export function invalidValue(option: string, problem: string): TypeError {
  return Object.assign(new TypeError(`${option} ${problem}`), { code: 'ERR_INVALID_ARG_VALUE' as const })
}

function invalidType(option: string, expected: string): TypeError {
  return Object.assign(new TypeError(`${option} must be ${expected}`), { code: 'ERR_INVALID_ARG_TYPE' as const })
}
