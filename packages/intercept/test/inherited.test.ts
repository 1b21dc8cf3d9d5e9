import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { Interceptor } from '../src/index.ts'
import { NOW, origin, originCa, proxyCa } from './samples.ts'

const now = (): number => NOW
const passphrase = 'long enough'
const interceptor = new Interceptor({ ...proxyCa, now })
const certificate = origin().raw
const sealed = await interceptor.serialize({ passphrase })
const secret = { passphrase }

/** An option, the function that takes it, a value that would weaken its answer, the options that are the caller's own, the call. */
type Call = readonly [option: string, of: string, value: unknown, own: object, run: (options: never) => unknown]

const calls: readonly Call[] = [
  ['mirrorInvalidity', 'new Interceptor', false, proxyCa, (options) => new Interceptor(options)],
  ['maxValidityDays', 'new Interceptor', 10_000, proxyCa, (options) => new Interceptor(options)],
  ['leafKey', 'new Interceptor', originCa.privateKey, proxyCa, (options) => new Interceptor(options)],
  ['cache', 'new Interceptor', new Map(), proxyCa, (options) => new Interceptor(options)],
  ['now', 'new Interceptor', now, proxyCa, (options) => new Interceptor(options)],
  ['untrusted', 'Interceptor.clone', false, {}, (options) => interceptor.clone(certificate, options)],
  ['ident', 'Interceptor.clone', 'other', { untrusted: true }, (options) => interceptor.clone(certificate, options)],
  ['untrusted', 'Interceptor.secureContext', false, {}, (options) => interceptor.secureContext(certificate, options)],
  ['now', 'Interceptor.serialize', now, secret, async (options) => interceptor.serialize(options)],
  ['cache', 'Interceptor.deserialize', new Map(), secret, async (options) => Interceptor.deserialize(sealed, options)],
  ['now', 'Interceptor.deserialize', now, secret, async (options) => Interceptor.deserialize(sealed, options)],
]

/** What a call ends with while an option stands in Object.prototype; it is taken away before anything else runs. */
async function outcome(run: () => unknown, polluting: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
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

function refusal(option: string): unknown {
  const message = expect.stringMatching(
    new RegExp(`\\b${option}\\b.* (is inherited|stands in Object.prototype)`),
  ) as string
  return expect.objectContaining({ name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE', message })
}

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

describe('what is polluted after an interceptor was made', () => {
  const expired = origin({ notBefore: 0, notAfter: 86_400_000 }).raw
  it('is refused, and does not give an expired certificate a clone that is valid', async () => {
    for (const run of [
      () => interceptor.clone(expired),
      () => interceptor.clone(expired, 'www.example.org:443'),
      () => interceptor.secureContext(expired, 'www.example.org:443'),
    ])
      expect(await outcome(run, { mirrorInvalidity: false })).toEqual(refusal('mirrorInvalidity'))
  })
})

describe.each(calls)('a member of a class is refused: %s of %s', (option, _, value, own, run) => {
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
  it.each([
    ['a getter', Getting],
    ['a method', Doing],
    ['a method of the class above', Heir],
  ])('%s', async (_kind, Options) => {
    expect(await outcome(() => run(Object.assign(new Options(), own) as never))).toEqual(refusal(option))
  })

  it('and without one the call is not, nor with options of another realm', async () => {
    class Own {
      [option] = undefined
    }
    for (const options of [new Own(), Object.create(null) as object, runInNewContext('({})') as object])
      expect(await outcome(() => run(Object.assign(options, own) as never))).not.toEqual(refusal(String.raw`\w+`))
  })
})
