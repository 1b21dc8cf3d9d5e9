/** Misuse of the API, with Node's codes: the message names the option. */
export function invalidType(option: string, expected: string): TypeError {
  return Object.assign(new TypeError(`${option} must be ${expected}`), { code: 'ERR_INVALID_ARG_TYPE' as const })
}

/** As `invalidType`, where the type is right and the value is not. */
export function invalidValue(option: string, problem: string): TypeError {
  return Object.assign(new TypeError(`${option} ${problem}`), { code: 'ERR_INVALID_ARG_VALUE' as const })
}

/** Throws for an option that is none of `known`, since a misspelt policy must not be ignored, and for an inherited one. */
export function refuseUnknownOptions(options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) throw invalidType('options', 'an object')
  refuseInherited(options)
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw invalidValue(`options.${name}`, 'is not a known option')
  }
}

/** What an options object inherits would be passed over, and with it perhaps a restriction; what every object does is an attacker's. */
export function refuseInherited(options: object, prefix = 'options.'): void {
  for (const key in options)
    if (!Object.hasOwn(options, key)) throw invalidValue(`${prefix}${key}`, 'is inherited: only own properties count')
  const member = memberOfClass(options)
  if (member !== undefined) throw invalidValue(`${prefix}${member}`, 'is inherited: only own properties count')
  // an object without a prototype inherits nothing, but what is made of it does
  for (const key in {}) throw invalidValue(`${prefix}${key}`, 'stands in Object.prototype')
}

/** What the classes of an object give it: their methods and getters, which `for … in` passes over. */
function memberOfClass(given: unknown): string | undefined {
  if (typeof given !== 'object' || given === null) return undefined
  for (let at = prototypeOf(given); at !== null && !isRoot(at); at = prototypeOf(at)) {
    const member = Object.getOwnPropertyNames(at).find((name) => name !== 'constructor')
    if (member !== undefined) return member
  }
  return undefined
}

function prototypeOf(given: object): object | null {
  return Object.getPrototypeOf(given) as object | null
}

/** Object.prototype, of any realm. */
function isRoot(prototype: object): boolean {
  return prototypeOf(prototype) === null && Object.hasOwn(prototype, 'hasOwnProperty')
}

/** `value`, or `fallback` where it is undefined; a whole number of at least 1. */
export function positiveInteger(option: string, value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback
  if (typeof value !== 'number') throw invalidType(option, 'a number')
  if (!Number.isSafeInteger(value) || value < 1) throw invalidValue(option, 'must be a whole number of at least 1')
  return value
}
