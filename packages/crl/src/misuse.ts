import { inheritedKey } from '@x/der'

/** A `TypeError` as Node's own functions throw it, with the option's name in the message. */
export function wrongType(option: string, expected: string, value: unknown): TypeError {
  const found = value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value
  return misuse('ERR_INVALID_ARG_TYPE', `The "${option}" option must be ${expected}; it is ${found}`)
}

/** The option has the right type and a value that makes no sense. */
export function wrongValue(option: string, problem: string): TypeError {
  return misuse('ERR_INVALID_ARG_VALUE', `The "${option}" option ${problem}`)
}

function misuse(code: 'ERR_INVALID_ARG_TYPE' | 'ERR_INVALID_ARG_VALUE', message: string): TypeError {
  return Object.assign(new TypeError(message), { code })
}

/** Refuses options that nobody knows, since a misspelled option must not be ignored, and inherited ones. */
export function refuseUnknown(options: object, known: ReadonlySet<string>, prefix = ''): void {
  if (typeof options !== 'object' || options === null) throw wrongType(prefix || 'options', 'an object', options)
  refuseInherited(options, prefix)
  for (const key of Object.keys(options)) if (!known.has(key)) throw wrongValue(`${prefix}${key}`, 'is not known')
}

/** What an options object inherits would be passed over, and with it perhaps a restriction; what every object does is an attacker's. */
export function refuseInherited(options: object, prefix = ''): void {
  const inherited = inheritedKey(options)
  if (inherited !== undefined) throw wrongValue(`${prefix}${inherited.key}`, inherited.problem)
}

/** Milliseconds since 1970 of a time given as such or as a Date; NaN is refused, since no comparison with it holds. */
export function toMilliseconds(time: Date | number, option: string): number {
  if (!(time instanceof Date) && typeof time !== 'number') throw wrongType(option, 'a Date or a number', time)
  const at = Number(time)
  if (!Number.isFinite(at)) throw wrongValue(option, 'is not a valid time')
  return at
}

/** A number within limits, or its default. */
export function numberWithin(
  value: number | undefined,
  initial: number,
  least: number,
  most: number,
  option: string,
): number {
  if (value === undefined) return initial
  if (typeof value !== 'number') throw wrongType(option, 'a number', value)
  if (!(value >= least && value <= most)) throw wrongValue(option, `must be from ${least} to ${most}; it is ${value}`)
  return value
}
