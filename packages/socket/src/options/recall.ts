import type { Entry } from './table.ts'

/**
 * Options that came before, so that a program which connects again and again with the same ones has them read once.
 *
 * They are the same where every value is: by content for strings, numbers and booleans, by identity for functions and for the objects
 * named below, which do not change. With any other object (an array, a Buffer, a record), which may have been changed since, they are read anew.
 */
export class Recall<R> {
  readonly #known: Known<R>[] = []
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Each value is asked for once in each comparison, and only what has been compared is answered for. */
  get(entry: Entry, given: object): R | undefined {
    for (let at = 0; at < this.#known.length; at++) {
      const known = this.#known[at]
      if (known === undefined || known.entry !== entry || !isSame(known, given)) continue
      if (at > 0) this.#known.unshift(...this.#known.splice(at, 1))
      return known.result
    }
    return undefined
  }

  add(entry: Entry, given: object, result: R): void {
    const now = snapshot(given)
    if (now === undefined) return
    this.#known.unshift({ ...now, entry, result })
    if (this.#known.length > this.#limit) this.#known.pop()
  }

  has(result: R): boolean {
    return this.#known.some((known) => known.result === result)
  }
}

interface Snapshot {
  readonly keys: readonly string[]
  readonly values: readonly unknown[]
}

interface Known<R> extends Snapshot {
  readonly entry: Entry
  readonly result: R
}

/** What is in these does not change, or (a store of sessions) is asked each time. */
const byIdentity: ReadonlySet<string> = new Set(['secureContext', 'caStore', 'sessionCache'])

/** Undefined where a value may change, or is inherited, which is for the reader to refuse. */
function snapshot(given: object): Snapshot | undefined {
  const keys: string[] = []
  const values: unknown[] = []
  for (const key in given) {
    if (!Object.hasOwn(given, key)) return undefined
    const value: unknown = given[key as keyof typeof given]
    if (typeof value === 'object' && !byIdentity.has(key)) return undefined
    keys.push(key)
    values.push(value)
  }
  return { keys, values }
}

/** What a polluted Object.prototype adds is the same as nothing. */
function isSame({ keys, values }: Snapshot, given: object): boolean {
  let at = 0
  for (const key in given) {
    if (keys[at] !== key || values[at] !== given[key as keyof typeof given] || !Object.hasOwn(given, key)) return false
    at++
  }
  return at === keys.length
}
