import { type KeyObject, X509Certificate } from 'node:crypto'
import { certificateToPem, privateKeyToPem } from '@x/utils'
import { InterceptError } from './errors.ts'

/** A cloned certificate with its key; can be given to node:tls as it is (`cert`, `key`). */
export interface Clone {
  /** Built when it is first read; ERR_INTERCEPT_CERTIFICATE_INVALID where OpenSSL is stricter than we are. */
  readonly certificate: X509Certificate
  readonly privateKey: KeyObject
  /** DER of the certificate. */
  readonly raw: Uint8Array
  /** PEM of the certificate and of the intermediates behind it. */
  readonly cert: string
  /** PEM of the private key, PKCS#8, not encrypted. */
  readonly key: string
  /** What it was made from and by: a cache entry with another `origin` than the one asked for is not used. */
  readonly origin: string
  /** When it must be made anew because its validity was cut, in milliseconds since 1970; else Infinity. */
  readonly renewAt: number
}

/** What a {@link Clone} is made of. */
export interface CloneParts {
  readonly raw: Uint8Array
  readonly privateKey: KeyObject
  readonly chain: readonly Uint8Array[]
  readonly origin: string
  readonly renewAt: number
}

/** Decoding a certificate costs five times its creation, so X509Certificate and PEM are made when they are asked for. */
class CloneOf implements Clone {
  readonly raw: Uint8Array
  readonly privateKey: KeyObject
  readonly origin: string
  readonly renewAt: number
  readonly #chain: readonly Uint8Array[]
  #certificate: X509Certificate | undefined

  constructor({ raw, privateKey, chain, origin, renewAt }: CloneParts) {
    this.raw = raw
    this.privateKey = privateKey
    this.origin = origin
    this.renewAt = renewAt
    this.#chain = chain
  }

  get certificate(): X509Certificate {
    try {
      this.#certificate ??= new X509Certificate(this.raw)
      return this.#certificate
    } catch (cause) {
      throw new InterceptError('ERR_INTERCEPT_CERTIFICATE_INVALID', 'OpenSSL cannot read the clone', { cause })
    }
  }

  get cert(): string {
    return certificateToPem([this.raw, ...this.#chain])
  }

  get key(): string {
    return keyPem(this.privateKey)
  }
}

export function makeClone(parts: CloneParts): Clone {
  return new CloneOf(parts)
}

/** Whether a cache gave back what it was given. Its content is trusted as far as the cache is. */
export function isClone(value: unknown): value is Clone {
  const { raw, privateKey, origin, renewAt } = (value ?? {}) as Partial<Record<keyof Clone, unknown>>
  return (
    raw instanceof Uint8Array &&
    typeof origin === 'string' &&
    typeof renewAt === 'number' &&
    (privateKey as { type?: unknown } | undefined)?.type === 'private'
  )
}

/** PEM of a clone's key in the form that OpenSSL reads fastest: one that its label names (RFC 5915), where there is one. */
export function contextKey({ privateKey, key }: Clone): string {
  if (privateKey.asymmetricKeyType !== 'ec') return key
  const known = sec1Pems.get(privateKey) ?? privateKey.export({ type: 'sec1', format: 'pem' }).toString()
  sec1Pems.set(privateKey, known)
  return known
}

const sec1Pems = new WeakMap<KeyObject, string>()
const pems = new WeakMap<KeyObject, string>()

/** Exporting costs more than a clone, and most clones share their key. */
function keyPem(key: KeyObject): string {
  const known = pems.get(key) ?? privateKeyToPem(key)
  pems.set(key, known)
  return known
}
