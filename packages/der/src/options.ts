/** A key that an options object has without owning it, and the words of a refusal that follow the key's name. */
export interface InheritedKey {
  readonly key: string
  readonly problem: 'is inherited: only own properties count' | 'stands in Object.prototype'
}

/**
 * What an options object inherits: a copy of it would be without that, and with it perhaps without a restriction; what every
 * object inherits (a polluted Object.prototype) is an attacker's. Undefined where its own properties are all there is.
 */
export function inheritedKey(options: unknown, harmless: readonly string[] = []): InheritedKey | undefined {
  for (const key in options as object)
    if (!Object.hasOwn(options as object, key)) return { key, problem: 'is inherited: only own properties count' }
  const member = memberOfClass(options, harmless)
  if (member !== undefined) return { key: member, problem: 'is inherited: only own properties count' }
  // an object without a prototype inherits nothing, but what is made of it does
  for (const key in {}) return { key, problem: 'stands in Object.prototype' }
  return undefined
}

/** The first member but `harmless` ones that an object's classes give it: a method or getter, which `for … in` passes over. */
export function memberOfClass(given: unknown, harmless: readonly string[] = []): string | undefined {
  if (typeof given !== 'object' || given === null) return undefined
  for (let at = prototypeOf(given); at !== null && !isRoot(at); at = prototypeOf(at)) {
    const member = Object.getOwnPropertyNames(at).find((name) => name !== 'constructor' && !harmless.includes(name))
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
