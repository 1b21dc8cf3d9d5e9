import { inheritedKey } from '@x/der'
import { KeyObject, X509Certificate } from 'node:crypto'
import { invalidType, invalidValue } from '../errors.ts'

/** Turns one option's value into what the package works with, or throws a TypeError naming it. */
export type Parse<T> = (value: unknown, option: string) => T

export const boolean: Parse<boolean> = (value, option) => {
  if (typeof value !== 'boolean') throw invalidType(option, 'a boolean')
  return value
}

export const string: Parse<string> = (value, option) => {
  if (typeof value !== 'string') throw invalidType(option, 'a string')
  if (value.includes('\0')) throw invalidValue(option, 'must not hold a NUL character')
  return value
}

/** A file, path or list: '' is a mistake, not a default (rule 12). */
export const nonEmptyString: Parse<string> = (value, option) => {
  const text = string(value, option)
  if (text === '') throw invalidValue(option, 'must not be empty')
  return text
}

export const nonNegativeInteger: Parse<number> = (value, option) => {
  if (typeof value !== 'number') throw invalidType(option, 'a number')
  if (!(Number.isSafeInteger(value) && value >= 0)) throw invalidValue(option, 'must be a whole number of at least 0')
  return value
}

export const positiveInteger: Parse<number> = (value, option) => {
  const number = nonNegativeInteger(value, option)
  if (number === 0) throw invalidValue(option, 'must be at least 1')
  return number
}

/** Milliseconds for a timer: 1 to 2^31 - 1, since Node turns larger ones into 1. */
export const milliseconds: Parse<number> = (value, option) => {
  const number = nonNegativeInteger(value, option)
  if (number < 1 || number > 0x7fffffff) throw invalidValue(option, 'must be from 1 to 2147483647 milliseconds')
  return number
}

export const port: Parse<number> = (value, option) => {
  if (typeof value !== 'number' && typeof value !== 'string') throw invalidType(option, 'a number or a string')
  const number = typeof value === 'string' && /^[0-9]+$/.test(value) ? Number(value) : value
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number > 65535)
    throw invalidValue(option, 'must be a port, 0 to 65535')
  return number
}

export function oneOf<const T extends string | number | boolean>(...choices: readonly T[]): Parse<T> {
  return (value, option) => {
    const found = choices.find((choice) => choice === value)
    if (found === undefined)
      throw invalidValue(option, `must be one of ${choices.map((choice) => JSON.stringify(choice)).join(', ')}`)
    return found
  }
}

export function callable<F>(value: unknown, option: string): F {
  if (typeof value !== 'function') throw invalidType(option, 'a function')
  return value as F
}

/** A string or bytes; bytes are copied, so that later changes by the caller do not matter. */
export const stringOrBytes: Parse<string | Uint8Array> = (value, option) => {
  if (typeof value === 'string') return nonEmptyString(value, option)
  if (value instanceof Uint8Array) return Uint8Array.from(value)
  throw invalidType(option, 'a string or a Uint8Array')
}

export const bytes: Parse<Uint8Array> = (value, option) => {
  if (value instanceof Uint8Array) return Uint8Array.from(value)
  throw invalidType(option, 'a Uint8Array')
}

export const certificates: Parse<readonly (string | Uint8Array | X509Certificate)[]> = (value, option) => {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  return list.map((item) => {
    if (item instanceof X509Certificate || typeof item === 'string') return item
    if (item instanceof Uint8Array) return Uint8Array.from(item)
    throw invalidType(option, 'a string, a Uint8Array, an X509Certificate or an array of them')
  })
}

export const privateKey: Parse<string | Uint8Array | KeyObject> = (value, option) => {
  if (value instanceof KeyObject) return value
  if (typeof value === 'string' || value instanceof Uint8Array) return stringOrBytes(value, option)
  throw invalidType(option, 'a string, a Uint8Array or a KeyObject')
}

/** What an option object inherits would be passed over, and with it perhaps a restriction; what every object does is an attacker's. */
export function refuseInherited(given: object, prefix: string): void {
  const inherited = inheritedKey(given)
  if (inherited !== undefined) throw invalidValue(`${prefix}${inherited.key}`, inherited.problem)
}

/** A plain record whose keys are all known. */
export function record<T extends object>(rows: { readonly [K in keyof T]-?: Parse<NonNullable<T[K]>> }): Parse<T> {
  return (value, option) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalidType(option, 'an object')
    const result: Record<string, unknown> = {}
    refuseInherited(value, `${option}.`)
    for (const [key, entry] of Object.entries(value)) {
      if (!Object.hasOwn(rows, key)) throw invalidValue(`${option}.${key}`, 'is not known')
      if (entry === undefined) continue
      result[key] = rows[key as keyof T](entry, `${option}.${key}`)
    }
    return Object.freeze(result) as T
  }
}
