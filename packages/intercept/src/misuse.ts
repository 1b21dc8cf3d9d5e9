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
  for (const key in options)
    if (!Object.hasOwn(options, key)) throw wrongValue(key, 'is inherited: only own properties count')
  const member = memberOfClass(options)
  if (member !== undefined) throw wrongValue(member, 'is inherited: only own properties count')
  // an object without a prototype inherits nothing, but what is made of it does
  for (const key in {}) throw wrongValue(key, 'stands in Object.prototype')
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

function misuse(code: MisuseError['code'], message: string): MisuseError {
  return Object.assign(new TypeError(message), { code })
}
