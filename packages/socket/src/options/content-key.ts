import { createHash } from 'node:crypto'
import { type BigIntStats, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { invalidType } from '../errors.ts'

const identities = new WeakMap<object, number>()
let nextIdentity = 0

/** A number for an immutable object (KeyObject, X509Certificate, CaStore), the same for the same object. */
export function identityOf(value: object): number {
  let identity = identities.get(value)
  if (identity === undefined) {
    identity = nextIdentity++
    identities.set(value, identity)
  }
  return identity
}

/**
 * A text that is equal for two option records exactly when they mean the same context: strings by their text, bytes by digest,
 * arrays and plain records by what is in them, functions and other objects by identity.
 */
export function contentKey(value: unknown): string {
  if (typeof value === 'string') return `"${value.length}:${value}`
  if (value === null || value === undefined || typeof value === 'number' || typeof value === 'boolean')
    return String(value)
  if (typeof value === 'bigint' || typeof value === 'symbol')
    throw invalidType('value', 'a value that options can have')
  if (Array.isArray(value)) return `[${value.map(contentKey).join(',')}]`
  if (value instanceof Uint8Array) return `b${createHash('sha256').update(value).digest('base64')}`
  if (!isPlain(value)) return `#${identityOf(value)}`
  return `{${Object.entries(value)
    .map(([name, item]) => `${contentKey(name)}:${contentKey(item)}`)
    .join(',')}}`
}

function isPlain(value: object): boolean {
  const prototype: unknown = typeof value === 'object' ? Object.getPrototypeOf(value) : undefined
  return prototype === Object.prototype || prototype === null
}

/**
 * A file's identity and version; a changed file gives another key. Of a directory the files in it count, since one that is
 * written anew in place leaves the directory as it was. Throws Node's own error where there is no such file.
 */
export function fileKey(path: string): string {
  const stats = statSync(path, { bigint: true })
  if (!stats.isDirectory()) return versionOf(path, stats)
  const inside = readdirSync(path).sort()
  const versions = inside.map((name) => {
    const entry = statSync(join(path, name), { bigint: true, throwIfNoEntry: false }) // a link may lead nowhere
    return entry === undefined ? name : versionOf(name, entry)
  })
  return `${versionOf(path, stats)}:${createHash('sha256').update(versions.join('\n')).digest('base64url')}`
}

function versionOf(name: string, { dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${name}:${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`
}

/** A map that forgets what was used longest ago. */
export class BoundedMap<V> {
  readonly #entries = new Map<string, V>()
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  get(key: string): V | undefined {
    const value = this.#entries.get(key)
    if (value !== undefined) {
      this.#entries.delete(key)
      this.#entries.set(key, value)
    }
    return value
  }

  set(key: string, value: V): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    if (this.#entries.size > this.#limit) this.#entries.delete(this.#entries.keys().next().value as string)
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }
}
