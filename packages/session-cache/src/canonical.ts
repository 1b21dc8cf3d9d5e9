import { KeyObject, X509Certificate } from 'node:crypto'
import { SessionCacheError } from './errors.ts'
import { type PemBlock, readPem } from './pem.ts'

const maxDepth = 32

/** Called for each function met; answers bytes that stand for its identity. */
export type IdentifyFunction = (value: object) => Uint8Array

/** Lists under these names are sets wherever they stand: what they decide does not depend on their order. */
const setNames = new Set(['ca', 'crl', 'fingerprints'])

/**
 * Bytes that are equal for equal meaning and differ for any other: each value is written as a tag, its length, and its content, so
 * that no two different values can run into one another.
 */
export function canonicalBytes(value: unknown, identify: IdentifyFunction): Buffer {
  return encode(value, { path: '', depth: 0, identify, ancestors: [] })
}

interface Place {
  readonly path: string
  readonly depth: number
  readonly identify: IdentifyFunction
  readonly ancestors: readonly object[]
}

function encode(value: unknown, place: Place): Buffer {
  switch (typeof value) {
    case 'string':
      return encodeText(value)
    case 'boolean':
      return tagged('b', Buffer.from([value ? 1 : 0]))
    case 'number':
      return encodeNumber(value, place)
    case 'bigint':
      return tagged('i', Buffer.from(value.toString(16)))
    case 'function':
      return tagged('f', place.identify(value))
    case 'object':
      return value === null ? tagged('0') : encodeObject(value, place)
    case 'undefined':
    case 'symbol':
      break
  }
  throw refused(place, typeof value === 'symbol' ? 'is a symbol' : 'is undefined')
}

function encodeObject(value: object, place: Place): Buffer {
  if (place.depth >= maxDepth || place.ancestors.includes(value)) throw refused(place, 'is nested too deep')
  if (value instanceof Uint8Array) return encodeBytes(value)
  if (value instanceof X509Certificate) return tagged('B', rawOf(value))
  if (value instanceof KeyObject) return encodeKey(value)
  if (Array.isArray(value)) return encodeList(value, place)
  if (value instanceof Set) return encodeSet([...value], place)
  if (value instanceof Map) {
    const pairs = [...value].map(([key, item], index) =>
      Buffer.concat([
        encode(key, inside(place, value, `<key ${index}>`)),
        encode(item, inside(place, value, `<value ${index}>`)),
      ]),
    )
    return tagged('m', ...sorted(pairs))
  }
  if (value instanceof Date) return tagged('d', encodeNumber(value.getTime(), place))
  if (value instanceof URL) return tagged('u', Buffer.from(value.href, 'utf16le'))
  if (value instanceof RegExp) return tagged('r', encodeText(value.source), encodeText(value.flags))
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
    throw refused(place, 'is of a class that has no canonical form')
  return encodeRecord(value as Record<string, unknown>, place)
}

function encodeRecord(value: Record<string, unknown>, place: Place): Buffer {
  if (Object.getOwnPropertySymbols(value).length > 0) throw refused(place, 'has a symbol as a key')
  // it would be left out of the key, and may be what the connection is made with
  for (const name in value)
    if (!Object.hasOwn(value, name)) throw refused(inside(place, value, step(place, name)), 'is inherited')
  const parts = Object.keys(value)
    .sort()
    .map((name) => {
      const item = value[name]
      const within = inside(place, value, step(place, name))
      const list = item instanceof Set ? [...item] : Array.isArray(item) ? (item as unknown[]) : [item]
      return Buffer.concat([encodeText(name), setNames.has(name) ? encodeSet(list, within) : encode(item, within)])
    })
  return tagged('o', ...parts)
}

function step({ path }: Place, name: string): string {
  return path === '' ? name : `.${name}`
}

function encodeList(list: readonly unknown[], place: Place): Buffer {
  return tagged('l', ...Array.from(list, (item, index) => encode(item, inside(place, list, `[${index}]`))))
}

/** Each block of a bundle counts as an element of its own, and what comes twice counts once. */
function encodeSet(list: readonly unknown[], place: Place): Buffer {
  const parts = Array.from(list).flatMap((item, index) => {
    const blocks = pemOf(item)
    return blocks === undefined ? [encode(item, inside(place, list, `[${index}]`))] : blocks.map(encodeBlock)
  })
  return tagged(
    's',
    ...sorted(parts).filter((part, index, all) => index === 0 || !part.equals(all[index - 1] as Buffer)),
  )
}

/** PEM of one block is the block, of several the list of them; all else is text. UTF-16, since UTF-8 has no lone surrogates. */
function encodeText(text: string): Buffer {
  const blocks = readPem(text)
  if (blocks === undefined) return tagged('t', Buffer.from(text, 'utf16le'))
  return blocks.length === 1 ? encodeBlock(blocks[0] as PemBlock) : tagged('l', ...blocks.map(encodeBlock))
}

function encodeBytes(bytes: Uint8Array): Buffer {
  const blocks = pemOf(bytes)
  if (blocks === undefined) return tagged('B', bytes)
  return blocks.length === 1 ? encodeBlock(blocks[0] as PemBlock) : tagged('l', ...blocks.map(encodeBlock))
}

/** Certificates and CRLs are equal to their DER. Of other blocks the label counts too. */
function encodeBlock(block: PemBlock): Buffer {
  const plain = block.label === 'CERTIFICATE' || block.label === 'X509 CRL'
  return plain ? tagged('B', block.der) : tagged('p', encodeText(block.label), block.der)
}

function pemOf(value: unknown): PemBlock[] | undefined {
  if (typeof value === 'string') return readPem(value)
  const isText =
    value instanceof Uint8Array &&
    value[0] !== 0x30 &&
    Buffer.from(value.buffer, value.byteOffset, value.length).includes('-----BEGIN ')
  return isText ? readPem(Buffer.from(value).toString('latin1')) : undefined
}

function encodeKey(key: KeyObject): Buffer {
  if (key.type === 'secret') return tagged('k', Buffer.from(key.type), key.export())
  const der = key.export(key.type === 'public' ? { format: 'der', type: 'spki' } : { format: 'der', type: 'pkcs8' })
  return tagged('k', Buffer.from(key.type), der)
}

function encodeNumber(value: number, place: Place): Buffer {
  if (!Number.isFinite(value)) throw refused(place, `is ${value}`)
  if (Object.is(value, -0)) throw refused(place, 'is -0')
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value)
  return tagged('n', bytes)
}

const raws = new WeakMap<X509Certificate, Buffer>()

/** `raw` copies the certificate at each call. */
function rawOf(certificate: X509Certificate): Buffer {
  let raw = raws.get(certificate)
  if (raw === undefined) {
    raw = certificate.raw
    raws.set(certificate, raw)
  }
  return raw
}

/** Tag, number of parts, and each part behind its length. */
function tagged(tag: string, ...parts: readonly Uint8Array[]): Buffer {
  const head = Buffer.alloc(5 + 4 * parts.length)
  head.write(tag, 'latin1')
  head.writeUInt32BE(parts.length, 1)
  for (const [index, part] of parts.entries()) head.writeUInt32BE(part.length, 5 + 4 * index)
  return Buffer.concat([head, ...parts])
}

function sorted(parts: Buffer[]): Buffer[] {
  return parts.sort(Buffer.compare)
}

function inside(place: Place, parent: object, step: string): Place {
  return { ...place, path: place.path + step, depth: place.depth + 1, ancestors: [...place.ancestors, parent] }
}

function refused(place: Place, problem: string): SessionCacheError {
  const path = place.path === '' ? 'parameters' : place.path
  return new SessionCacheError('ERR_SESSION_PARAMETER', `${path} ${problem}, so it cannot be part of a trust key`, {
    path,
  })
}
