/** Misuse of the API, with Node's codes: the message names the option. */
export function invalidType(option: string, expected: string): TypeError {
  return Object.assign(new TypeError(`${option} must be ${expected}`), { code: 'ERR_INVALID_ARG_TYPE' as const })
}

/** As `invalidType`, where the type is right and the value is not. */
export function invalidValue(option: string, problem: string): TypeError {
  return Object.assign(new TypeError(`${option} ${problem}`), { code: 'ERR_INVALID_ARG_VALUE' as const })
}

/** Throws for an option that is none of `known`: a misspelt policy must not be ignored. */
export function refuseUnknownOptions(options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) throw invalidType('options', 'an object')
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw invalidValue(`options.${name}`, 'is not a known option')
  }
}

/** `value`, or `fallback` where it is undefined; a whole number of at least 1. */
export function positiveInteger(option: string, value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback
  if (typeof value !== 'number') throw invalidType(option, 'a number')
  if (!Number.isSafeInteger(value) || value < 1) throw invalidValue(option, 'must be a whole number of at least 1')
  return value
}
