import { SessionCacheError } from './errors.ts'
import { checkEntry, type SessionEntry } from './session-entry.ts'

type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

/**
 * Entries as JSON text, with the kinds that JSON lacks written as a list behind a letter. What could not come back as it was
 * (functions, instances of classes, symbols, cycles) is ERR_SESSION_EVIDENCE rather than lost.
 */
export function writeEntries(entries: readonly (readonly [key: string, entry: SessionEntry])[]): Buffer {
  const plain = entries.map(([key, { session, protocol, expires, chain, name, evidence }]) => [
    key,
    { session, protocol, expires, chain: [...chain], name, evidence },
  ])
  return Buffer.from(JSON.stringify(toJson(plain, 'sessions', 0)))
}

/** Reads what `writeEntries` wrote. Only for bytes that were authenticated; anything else is still ERR_SESSION_TAMPERED, never a wrong entry. */
export function readEntries<E>(bytes: Uint8Array): (readonly [key: string, entry: SessionEntry<E>])[] {
  try {
    const list = fromJson(JSON.parse(Buffer.from(bytes).toString()) as Json) as [string, SessionEntry<E>][]
    for (const [key, entry] of list) {
      if (typeof key !== 'string') throw new TypeError('key')
      checkEntry(entry)
    }
    return list
  } catch (cause) {
    throw new SessionCacheError('ERR_SESSION_TAMPERED', 'stored sessions have another form than this version writes', {
      cause,
    })
  }
}

function toJson(value: unknown, path: string, depth: number): Json {
  if (depth > 64) throw notStorable(path, 'is nested too deep')
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
  if (typeof value === 'number')
    return Number.isFinite(value) && !Object.is(value, -0) ? value : ['n', Object.is(value, -0) ? '-0' : String(value)]
  if (value === undefined) return ['u']
  if (typeof value === 'bigint') return ['i', value.toString()]
  if (typeof value !== 'object') throw notStorable(path, `is a ${typeof value}`)
  if (value instanceof Uint8Array)
    return ['b', Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64')]
  if (value instanceof Date) return ['d', toJson(value.getTime(), path, depth)]
  const items = (tag: string, list: readonly unknown[]): Json => [
    tag,
    ...list.map((item, i) => toJson(item, `${path}[${i}]`, depth + 1)),
  ]
  if (Array.isArray(value)) return items('a', value as unknown[])
  if (value instanceof Set) return items('s', [...value])
  if (value instanceof Map) return items('m', [...value])
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
    throw notStorable(path, 'is an instance of a class')
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, toJson(item, `${path}.${name}`, depth + 1)]),
  )
}

function fromJson(value: Json): unknown {
  if (value === null || typeof value !== 'object') return value
  if (!Array.isArray(value))
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, fromJson(item)]))
  const [tag, ...items] = value as [string, ...Json[]]
  switch (tag) {
    case 'a':
      return items.map(fromJson)
    case 's':
      return new Set(items.map(fromJson))
    case 'm':
      return new Map(items.map(fromJson) as [unknown, unknown][])
    case 'b':
      return new Uint8Array(Buffer.from(items[0] as string, 'base64'))
    case 'd':
      return new Date(fromJson(items[0] as Json) as number)
    case 'i':
      return BigInt(items[0] as string)
    case 'n':
      return Number(items[0])
    case 'u':
      return undefined
    default:
      throw new TypeError('tag')
  }
}

function notStorable(path: string, problem: string): SessionCacheError {
  return new SessionCacheError('ERR_SESSION_EVIDENCE', `${path} ${problem} and cannot be stored outside the process`, {
    path,
  })
}
