import { invalidType, invalidValue } from '../errors.ts'
import type { Parse } from './parse.ts'

/** A pre-shared key and the name under which both sides know it. */
export interface PskEntry {
  /** 1 to 128 bytes of UTF-8 without NUL. It goes over the wire in clear. */
  readonly identity: string
  /** 1 to 256 bytes. Fewer than 16 random ones can be guessed from one recorded handshake (RFC 9257 section 4.2). */
  readonly key: Uint8Array
}

/**
 * One key, or keys by identity. The entry `''` stands for every other identity: a server takes it for clients that it does not know by name;
 * a client takes it where the server names no key (TLS 1.2's hint) that it has, under the identity `io_socket_ssl`, as the original does.
 */
export type PskOption = PskEntry | { readonly [identity: string]: Uint8Array }

/** The identity of a key that has none. The original's. */
const ANONYMOUS = 'io_socket_ssl'
/** OpenSSL 1.1's PSK_MAX_IDENTITY_LEN and PSK_MAX_PSK_LEN: what every peer takes. */
const MAX_IDENTITY = 128
const MAX_KEY = 256

/** The keys of one side, copied. A Map, so that no identity that a peer names can mean more than a lookup. */
export class PskKeys {
  readonly #keys: ReadonlyMap<string, Uint8Array>

  constructor(keys: ReadonlyMap<string, Uint8Array>) {
    this.#keys = keys
  }

  /** What a client offers. Without a hint (always in TLS 1.3) a sole key, or that of `''`; nothing where the choice is open. */
  offer(hint: string | null): PskEntry | undefined {
    const named = hint === null || hint === '' ? undefined : this.#keys.get(hint)
    if (hint !== null && named !== undefined) return { identity: hint, key: named }
    const anonymous = this.#keys.get('')
    if (anonymous !== undefined) return { identity: ANONYMOUS, key: anonymous }
    const [sole, another] = this.#keys
    return sole === undefined || another !== undefined ? undefined : { identity: sole[0], key: sole[1] }
  }

  /** A server's key for this identity. */
  find(identity: string): Uint8Array | undefined {
    return this.#keys.get(identity) ?? this.#keys.get('')
  }
}

/** One connection's use of the keys, and which identity it came to. */
export class PskExchange {
  readonly #keys: PskKeys
  /** The identity whose key was last handed to OpenSSL. Whether it was used is for the handshake to say. */
  identity: string | undefined

  constructor(keys: PskKeys) {
    this.#keys = keys
  }

  /** Node's `pskCallback` of a client. */
  readonly offer = (hint: string | null): { identity: string; psk: Buffer } | null => {
    const entry = this.#keys.offer(hint)
    this.identity = entry?.identity
    return entry === undefined ? null : { identity: entry.identity, psk: Buffer.from(entry.key) }
  }

  /** Node's `pskCallback` of a server. */
  readonly find = (_socket: unknown, identity: string): Buffer | null => {
    const key = this.#keys.find(identity)
    if (key === undefined) return null
    // in TLS 1.3 several may be asked for; OpenSSL stops at the one that it uses
    this.identity = identity
    return Buffer.from(key)
  }
}

export const parsePsk: Parse<PskKeys> = (value, option) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array)
    throw invalidType(option, 'an object: {identity, key}, or keys by identity')
  const { identity, key, ...others } = value as Partial<PskEntry>
  if (typeof identity === 'string') {
    for (const other of Object.keys(others)) throw invalidValue(`${option}.${other}`, 'is not known')
    if (identity === '') throw invalidValue(`${option}.identity`, 'must not be empty')
    return new PskKeys(new Map([[checkIdentity(identity, option), copyKey(key, `${option}.key`)]]))
  }
  const entries = Object.entries(value as Record<string, unknown>)
  if (entries.length === 0) throw invalidValue(option, 'holds no key')
  return new PskKeys(
    new Map(entries.map(([name, item]) => [checkIdentity(name, option), copyKey(item, `${option}['${name}']`)])),
  )
}

function checkIdentity(identity: string, option: string): string {
  if (identity.includes('\0')) throw invalidValue(option, 'names an identity with a NUL character')
  if (Buffer.byteLength(identity) > MAX_IDENTITY)
    throw invalidValue(option, `names an identity of more than ${MAX_IDENTITY} bytes`)
  return identity
}

/** Bytes only: a string could be meant as text, hex or base64. */
function copyKey(key: unknown, option: string): Uint8Array {
  if (!(key instanceof Uint8Array)) throw invalidType(option, 'a Uint8Array')
  if (key.length === 0 || key.length > MAX_KEY) throw invalidValue(option, `must have 1 to ${MAX_KEY} bytes`)
  return Uint8Array.from(key)
}

/**
 * OpenSSL ties keys given by callback to SHA-256, so those suites come first: with TLS_AES_256_GCM_SHA384 agreed on, the key would go unused.
 * Then forward secrecy; suites without any come last.
 */
const SUITES =
  'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384:' +
  'ECDHE-PSK-CHACHA20-POLY1305:ECDHE-PSK-AES128-CBC-SHA256:ECDHE-PSK-AES256-CBC-SHA384:' +
  'DHE-PSK-AES128-GCM-SHA256:DHE-PSK-AES256-GCM-SHA384:DHE-PSK-CHACHA20-POLY1305:' +
  'PSK-AES128-GCM-SHA256:PSK-AES256-GCM-SHA384:PSK-CHACHA20-POLY1305'

/** Node's default suites (`tls.DEFAULT_CIPHERS`) with those for pre-shared keys before them. */
export function pskCiphers(defaults: string): string {
  const others = defaults.split(':').filter((suite) => suite !== '!PSK' && !suite.startsWith('TLS_'))
  // `!` bars for good what a later HIGH would bring back: unauthenticated, or with keys of other kinds
  return [SUITES, ...others, '!aNULL', '!eNULL', '!SRP', '!kRSAPSK'].join(':')
}

/** An agreed TLS 1.2 suite in which a pre-shared key took part, by its IANA name (RFC 4279, RFC 5487, RFC 5489). */
export function isPskSuite(standardName: string): boolean {
  return /^TLS_(?:DHE_|ECDHE_|RSA_)?PSK_WITH_/.test(standardName)
}
