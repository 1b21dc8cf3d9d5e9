import { inheritedKey } from '@x/der'

/** A `TypeError` as Node's own functions throw it, with the option's name in the message. */
export type MisuseError = TypeError & { readonly code: 'ERR_INVALID_ARG_TYPE' | 'ERR_INVALID_ARG_VALUE' }

/** The option has the wrong type. The value itself is not shown. */
export function wrongType(option: string, expected: string, value: unknown): MisuseError {
  const found = value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value
  return Object.assign(new TypeError(`The "${option}" option must be ${expected}; it is ${found}`), {
    code: 'ERR_INVALID_ARG_TYPE' as const,
  })
}

/** The option has the right type and a value that makes no sense. */
export function wrongValue(option: string, problem: string): MisuseError {
  return Object.assign(new TypeError(`The "${option}" option ${problem}`), { code: 'ERR_INVALID_ARG_VALUE' as const })
}

/** Refuses options that nobody knows, since a misspelled option must not be ignored, and inherited ones. */
export function refuseUnknown(options: object, known: ReadonlySet<string>): void {
  if (typeof options !== 'object' || options === null) throw wrongType('options', 'an object', options)
  refuseInherited(options)
  for (const key of Object.keys(options)) if (!known.has(key)) throw wrongValue(key, 'is not known')
}

/** What an options object inherits would be passed over, and with it perhaps a restriction; what every object does is an attacker's. */
export function refuseInherited(options: object, prefix = ''): void {
  const inherited = inheritedKey(options)
  if (inherited !== undefined) throw wrongValue(`${prefix}${inherited.key}`, inherited.problem)
}

/** A clock reading in milliseconds since 1970; NaN and invalid dates are refused (they would pass comparisons). */
export function readNow(now: Date | number | (() => Date | number) | undefined): number {
  if (now === undefined) return Date.now()
  const reading = typeof now === 'function' ? now() : now
  const at = typeof reading === 'number' ? reading : reading instanceof Date ? reading.getTime() : undefined
  if (at === undefined)
    throw wrongType('now', 'a Date, a number of milliseconds or a function that returns one', reading)
  if (!(Math.abs(at) <= 8.64e15)) throw wrongValue('now', 'is not a valid time')
  return at
}

/** A duration in milliseconds, zero or more. */
export function readDuration(option: string, value: number | undefined, initial: number): number {
  if (value === undefined) return initial
  if (typeof value !== 'number') throw wrongType(option, 'a number of milliseconds', value)
  if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER)) throw wrongValue(option, 'must be zero or more milliseconds')
  return value
}

/** One word of a list. */
export function readWord<Word extends string>(
  option: string,
  value: Word | undefined,
  words: readonly Word[],
  initial: Word,
): Word {
  if (value === undefined) return initial
  if (!words.includes(value)) throw wrongValue(option, `must be one of '${words.join("', '")}'`)
  return value
}

/** A flag; anything but true and false is refused. */
export function readFlag(option: string, value: boolean | undefined, initial: boolean): boolean {
  if (value === undefined) return initial
  if (typeof value !== 'boolean') throw wrongType(option, 'a boolean', value)
  return value
}
