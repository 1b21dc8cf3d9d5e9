import { createPrivateKey, type KeyObject } from 'node:crypto'
import { InterceptError } from './errors.ts'
import type { LeafKeyType } from './leaf-keys.ts'

/** One cached clone. `key`: the shared key's type, or the clone's own key. */
export interface SavedClone {
  readonly ident: string
  readonly raw: Uint8Array
  readonly origin: string
  readonly renewAt: number
  readonly key: LeafKeyType | KeyObject
}

/** All that makes an interceptor, but for functions. */
export interface State {
  /** DER: the CA, and its intermediates. */
  readonly certificates: readonly Uint8Array[]
  readonly privateKey: KeyObject
  readonly leafKey: 'shared' | 'own' | 'given'
  readonly leafKeys: ReadonlyMap<LeafKeyType, KeyObject>
  /** 'function': the policy must be given again. */
  readonly serial: 'digest' | 'function' | bigint
  readonly cacheSize: number
  readonly maxValidityDays: number | undefined
  readonly mirrorInvalidity: boolean
  readonly clones: readonly SavedClone[]
}

/** As JSON; only ever written into a sealed envelope. */
export function encodeState(state: State): Buffer {
  return Buffer.from(
    JSON.stringify({
      ...state,
      certificates: state.certificates.map(base64),
      privateKey: pkcs8(state.privateKey),
      leafKeys: Object.fromEntries([...state.leafKeys].map(([type, key]) => [type, pkcs8(key)])),
      serial: typeof state.serial === 'bigint' ? `${state.serial}` : state.serial,
      clones: state.clones.map(({ ident, raw, origin, renewAt, key }) => ({
        ident,
        raw: base64(raw),
        origin,
        renewAt: renewAt === Number.POSITIVE_INFINITY ? null : renewAt,
        key: typeof key === 'string' ? key : pkcs8(key),
      })),
    }),
  )
}

/**
 * The reverse. The bytes are authentic, so what is wrong with them was written by another version: the shape is checked all
 * the same, and what the CA and its key must be is checked by the constructor.
 */
export function decodeState(bytes: Buffer): State {
  try {
    return readState(JSON.parse(bytes.toString('utf8')))
  } catch (cause) {
    throw new InterceptError('ERR_INTERCEPT_SERIALIZED_INVALID', 'the serialized interceptor is incomplete', { cause })
  }
}

function readState(json: unknown): State {
  const fields = record(json)
  const serial = text(fields['serial'])
  const leafKey = text(fields['leafKey'])
  const maxValidityDays = fields['maxValidityDays']
  return {
    certificates: list(fields['certificates']).map(bytesOf),
    privateKey: keyOf(fields['privateKey']),
    leafKey: oneOf(leafKey, ['shared', 'own', 'given']),
    leafKeys: new Map(
      Object.entries(record(fields['leafKeys'])).map(([type, key]) => [oneOf(type, ['rsa', 'ec']), keyOf(key)]),
    ),
    serial: serial === 'digest' || serial === 'function' ? serial : BigInt(serial),
    cacheSize: number(fields['cacheSize']),
    maxValidityDays: maxValidityDays === undefined ? undefined : number(maxValidityDays),
    mirrorInvalidity: fields['mirrorInvalidity'] !== false,
    clones: list(fields['clones']).map(readClone),
  }
}

function readClone(json: unknown): SavedClone {
  const { ident, raw, origin, renewAt, key } = record(json)
  return {
    ident: text(ident),
    raw: bytesOf(raw),
    origin: text(origin),
    renewAt: renewAt === null ? Number.POSITIVE_INFINITY : number(renewAt),
    key: key === 'rsa' || key === 'ec' ? key : keyOf(key),
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

function pkcs8(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'der' }).toString('base64')
}

function bytesOf(value: unknown): Buffer {
  return Buffer.from(text(value), 'base64')
}

function keyOf(value: unknown): KeyObject {
  return createPrivateKey({ key: bytesOf(value), format: 'der', type: 'pkcs8' })
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw shape('an object')
  return value as Readonly<Record<string, unknown>>
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw shape('a list')
  return value
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw shape('text')
  return value
}

function number(value: unknown): number {
  if (typeof value !== 'number') throw shape('a number')
  return value
}

function oneOf<const T extends string>(value: string, words: readonly T[]): T {
  const found = words.find((word) => word === value)
  if (found === undefined) throw shape(words.join(' or '))
  return found
}

function shape(expected: string): InterceptError {
  return new InterceptError('ERR_INTERCEPT_SERIALIZED_INVALID', `expected ${expected}`)
}
