// What each package shows of its options: that only an object's own ones count, and that others are refused.
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'

/** An option, the function that takes it, a value that would weaken its answer, the options that are the caller's own, the call. */
export type Call = readonly [option: string, of: string, value: unknown, own: object, run: (options: never) => unknown]

/** What a call ends with while an option stands in Object.prototype; it is taken away before anything else runs. */
export async function outcome(run: () => unknown, polluting: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
  let running: unknown
  try {
    Object.assign(Object.prototype, polluting)
    running = run()
  } catch (error) {
    return error
  } finally {
    for (const key of Object.keys(polluting)) delete (Object.prototype as Record<string, unknown>)[key]
  }
  return Promise.resolve(running).catch((error: unknown) => error)
}

/** What the outcome must equal: the error that names the option. */
export function refusal(option: string): unknown {
  const message = expect.stringMatching(
    new RegExp(`\\b${option}\\b.* (is inherited|stands in Object.prototype)`),
  ) as string
  return expect.objectContaining({ name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE', message })
}

/** Options that a call reads of the object that it is given. */
export function describeInheritedOptions(calls: readonly Call[]): void {
  describe.each(calls)('an inherited option is refused: %s of %s', (option, _, value, own, run) => {
    it('from a polluted Object.prototype', async () => {
      expect(await outcome(() => run({ ...own } as never), { [option]: value })).toEqual(refusal(option))
    })

    it('from a polluted Object.prototype, which the options themselves do not have', async () => {
      const bare = Object.assign(Object.create(null) as object, own)
      expect(await outcome(() => run(bare as never), { [option]: value })).toEqual(refusal(option))
    })

    it('from a prototype of their own', async () => {
      const heir = Object.assign(Object.create({ [option]: value }) as object, own)
      expect(await outcome(() => run(heir as never))).toEqual(refusal(option))
    })

    it('and without it the call is not', async () => {
      expect(await outcome(() => run({ ...own } as never))).not.toBeInstanceOf(TypeError)
    })
  })
  describeMembers(calls)
}

/** Fields of an object that stands in the options. */
export function describeInheritedFields(calls: readonly Call[]): void {
  describe.each(calls)('an inherited field is refused: %s of %s', (field, _, value, own, run) => {
    it('from a prototype of its own', async () => {
      const heir = Object.assign(Object.create({ [field]: value }) as object, own)
      expect(await outcome(() => run(heir as never))).toEqual(refusal(field))
    })
  })
  describeMembers(calls)
}

/** Objects whose classes have a member of this name. */
export function membersOfClasses(option: string, value: unknown): (readonly [kind: string, options: object])[] {
  class Getting {
    get [option](): unknown {
      return value
    }
  }
  class Doing {
    [option](): unknown {
      return value
    }
  }
  class Heir extends Doing {}
  return [
    ['a getter', new Getting()],
    ['a method', new Doing()],
    ['a method of the class above', new Heir()],
  ]
}

function describeMembers(calls: readonly Call[]): void {
  describe.each(calls)('a member of a class is refused: %s of %s', (option, _, value, own, run) => {
    it.each(membersOfClasses(option, value))('%s', async (_kind, options) => {
      expect(await outcome(() => run(Object.assign(options, own) as never))).toEqual(refusal(option))
    })

    it('and without one the call is not, nor with options of another realm', async () => {
      class Own {
        [option] = undefined
      }
      for (const options of [new Own(), Object.create(null) as object, runInNewContext('({})') as object])
        expect(await outcome(() => run(Object.assign(options, own) as never))).not.toEqual(refusal(String.raw`\w+`))
    })
  })
}
