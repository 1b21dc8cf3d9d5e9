import type { X509Certificate } from 'node:crypto'
import type { CertificateDescription, CertificateListInput, PrivateKeyInput } from '@x/utils'
import type { Clone } from './clone.ts'
import { refuseUnknown, wrongType, wrongValue } from './misuse.ts'

/**
 * Serial numbers of clones: 'digest' (default) derives 16 octets from the origin's certificate and the clone's key, so that the
 * same clone made again has the same number and no two different ones share it; a number is where a counter starts (the first
 * clone gets the next one, as with the original); a function decides itself, and must not give two clones the same number.
 */
export type SerialPolicy =
  | 'digest'
  | bigint
  | number
  | ((origin: X509Certificate, description: CertificateDescription) => bigint | number | Uint8Array)

/** A synchronous store by ident: a Map, or the npm package lru-cache, will do. */
export interface CloneStore {
  get(ident: string): Clone | undefined
  set(ident: string, clone: Clone): unknown
}

/** Returns the clone it has for this ident, or calls `create`, keeps what that returns, and returns it. */
export type CloneCacheFunction = (ident: string, create: () => Clone) => Clone

/** Options of `new Interceptor`. */
export interface InterceptorOptions {
  /** The CA that signs clones, and behind it, in a bundle, the intermediates that clients need to find their way to the root. */
  readonly certificate: CertificateListInput
  readonly privateKey: PrivateKeyInput
  /** For an encrypted `privateKey`. */
  readonly passphrase?: string
  /**
   * Keys of clones: 'shared', 'own' or a key. 'shared' (default): one per interceptor and type (RSA-2048 where the origin has RSA, else P-256), made at first
   * use. 'own': a new one for each clone. A private key (RSA of 2048 bits or more, P-256 or P-384): that one for all.
   */
  readonly leafKey?: PrivateKeyInput
  readonly serial?: SerialPolicy
  /** Default: a cache of its own, of `cacheSize` clones. */
  readonly cache?: CloneStore | CloneCacheFunction
  /** How many clones the interceptor's own cache holds; the least recently used goes first. Default 1000. */
  readonly cacheSize?: number
  /** The longest validity of a clone, in days. Default: as long as the origin's. Apple's clients accept 398, soon fewer. */
  readonly maxValidityDays?: number
  /**
   * Whether what is wrong with the origin's certificate stays wrong in the clone: expired or not yet valid, self-signed, unusable
   * for TLS, with critical extensions that nobody knows. Default true. With false, a client cannot see any of that.
   */
  readonly mirrorInvalidity?: boolean
  /** The clock, in milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number
}

const KNOWN: ReadonlySet<string> = new Set(
  Object.keys({
    certificate: 1,
    privateKey: 1,
    passphrase: 1,
    leafKey: 1,
    serial: 1,
    cache: 1,
    cacheSize: 1,
    maxValidityDays: 1,
    mirrorInvalidity: 1,
    now: 1,
  } satisfies { [K in keyof Required<InterceptorOptions>]: 1 }),
)

/** Checks what can be checked without decoding keys and certificates. */
export function checkOptions(options: InterceptorOptions): void {
  refuseUnknown(options, KNOWN)
  const { certificate, privateKey, passphrase, serial = 'digest', cache, cacheSize = 1 } = options
  const { maxValidityDays = 1, mirrorInvalidity = true, now = Date.now } = options
  if (certificate === undefined) throw wrongType('certificate', 'a certificate', certificate)
  if (privateKey === undefined) throw wrongType('privateKey', 'a private key', privateKey)
  if (passphrase !== undefined && typeof passphrase !== 'string') throw wrongType('passphrase', 'a string', passphrase)
  if (typeof serial !== 'bigint' && typeof serial !== 'function' && typeof serial !== 'number' && serial !== 'digest')
    throw wrongType('serial', "'digest', an integer or a function", serial)
  if ((typeof serial === 'number' && !Number.isSafeInteger(serial)) || (typeof serial === 'bigint' && serial < 0n))
    throw wrongValue('serial', 'must be a whole number that is not negative')
  if (typeof serial === 'number' && serial < 0) throw wrongValue('serial', 'must not be negative')
  if (cache !== undefined && typeof cache !== 'function' && !isStore(cache))
    throw wrongType('cache', 'a function or an object with get and set', cache)
  if (!Number.isSafeInteger(cacheSize) || cacheSize < 1) throw wrongValue('cacheSize', 'must be a whole number above 0')
  if (!(maxValidityDays > 0 && maxValidityDays < 1e6)) throw wrongValue('maxValidityDays', 'must be a number above 0')
  if (typeof mirrorInvalidity !== 'boolean') throw wrongType('mirrorInvalidity', 'a boolean', mirrorInvalidity)
  if (typeof now !== 'function') throw wrongType('now', 'a function', now)
}

function isStore(cache: unknown): cache is CloneStore {
  const { get, set } = (cache ?? {}) as Partial<Record<'get' | 'set', unknown>>
  return typeof get === 'function' && typeof set === 'function'
}
