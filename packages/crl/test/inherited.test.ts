import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { createCrl, CrlStore, isRevoked, verifyCrl } from '../src/index.ts'
import { authority, DAY, leaf, list, NOW } from './authorities.ts'

const ca = authority('CA')
const impostor = authority('CA')
const certificate = leaf(ca)
const crl = list(ca)
const current = list(ca, { nextUpdate: Date.now() + DAY })
const issuer = { certificate: ca.raw, privateKey: ca.privateKey }
const store = new CrlStore({ crls: crl, online: false, now: () => NOW })

/** An option, the function that takes it, a value that would weaken its answer, the options that are the caller's own, the call. */
type Call = readonly [option: string, of: string, value: unknown, own: object, run: (options: never) => unknown]

const calls: readonly Call[] = [
  ['now', 'verifyCrl', NOW, { clockSkew: 0 }, (options) => verifyCrl(current, ca, options)],
  ['clockSkew', 'verifyCrl', 86_400, { now: NOW }, (options) => verifyCrl(crl, ca, options)],
  ['now', 'isRevoked', NOW, { crls: crl }, (options) => isRevoked(certificate, ca, options)],
  ['chain', 'isRevoked', [impostor.raw], { crls: crl, now: NOW }, (options) => isRevoked(certificate, ca, options)],
  ['crlIssuers', 'isRevoked', [impostor.raw], { crls: crl }, (options) => isRevoked(certificate, ca, options)],
  ['crls', 'new CrlStore', crl, { online: false }, (options) => new CrlStore(options)],
  ['fetch', 'new CrlStore', () => undefined, {}, (options) => new CrlStore(options)],
  ['online', 'new CrlStore', false, {}, (options) => new CrlStore(options)],
  ['online', 'CrlStore.isRevoked', false, {}, (options) => store.isRevoked(certificate, ca, options)],
  ['now', 'CrlStore.isRevoked', NOW, {}, (options) => store.isRevoked(certificate, ca, options)],
  ['nextUpdate', 'createCrl', NOW + 3650 * DAY, { issuer }, (options) => createCrl(options)],
  ['digest', 'createCrl', 'sha1', { issuer }, (options) => createCrl(options)],
]

const nested: readonly Call[] = [
  [
    'privateKey',
    'createCrl: issuer',
    impostor.privateKey,
    { certificate: ca.raw },
    (one) => createCrl({ issuer: one }),
  ],
  ['reason', 'createCrl: revoked', 'removeFromCrl', { serial: 1 }, (one) => createCrl({ issuer, revoked: [one] })],
  ['only', 'createCrl: scope', 'cas', { indirect: true }, (scope) => createCrl({ issuer, scope })],
  [
    'critical',
    'createCrl: extensions',
    true,
    { oid: '1.2.3', raw: Buffer.from('0500', 'hex') },
    (one) => createCrl({ issuer, extensions: [one] }),
  ],
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

describe.each(nested)('an inherited field is refused: %s of %s', (field, _, value, own, run) => {
  it('from a prototype of its own', async () => {
    const heir = Object.assign(Object.create({ [field]: value }) as object, own)
    expect(await outcome(() => run(heir as never))).toEqual(refusal(field))
  })
})

describe.each([...calls, ...nested])('a member of a class is refused: %s of %s', (option, _, value, own, run) => {
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
