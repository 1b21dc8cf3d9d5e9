import { inheritedKey } from '@x/der'

/** A `TypeError` as Node's own functions throw it, with the option's name in the message. */
export type MisuseError = TypeError & { readonly code: 'ERR_INVALID_ARG_TYPE' | 'ERR_INVALID_ARG_VALUE' }

/** The option has the wrong type. The value itself is not shown: it may be a secret. */
export function wrongType(option: string, expected: string, value: unknown): MisuseError {
  const found = value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value
  return misuse('ERR_INVALID_ARG_TYPE', `The "${option}" option must be ${expected}; it is ${found}`)
}

/** The option has the right type and a value that makes no sense. */
export function wrongValue(option: string, problem: string): MisuseError {
  return misuse('ERR_INVALID_ARG_VALUE', `The "${option}" option ${problem}`)
}

/** Refuses options that nobody knows, since a misspelled option must not be ignored, and inherited ones. */
export function refuseUnknown(options: unknown, known: ReadonlySet<string>): asserts options is object {
  if (typeof options !== 'object' || options === null) throw wrongType('options', 'an object', options)
  refuseInherited(options)
  for (const key of Object.keys(options)) if (!known.has(key)) throw wrongValue(key, 'is not known')
}

/** What an options object inherits would be passed over, and with it perhaps a restriction; what every object does is an attacker's. */
function refuseInherited(options: object): void {
  const inherited = inheritedKey(options)
  if (inherited !== undefined) throw wrongValue(inherited.key, inherited.problem)
}

function misuse(code: MisuseError['code'], message: string): MisuseError {
  return Object.assign(new TypeError(message), { code })
}
