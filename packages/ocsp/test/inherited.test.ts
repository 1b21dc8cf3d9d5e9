import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import {
  checkStaple,
  createOcspRequest,
  createOcspResponse,
  createStapler,
  namesCertificate,
  OcspCache,
  ocspCacheKey,
  OcspResolver,
  parseOcspRequest,
  verifyOcspResponse,
} from '../src/index.ts'
import { ca, chain, DAY, leaf, NOW, otherLeaf, respond, root } from './pki.ts'

const pair = { certificate: leaf, issuer: ca }
const question = { ...pair, now: NOW }
const response = respond()
const lasting = respond({ nextUpdate: Date.now() + DAY })
const single = { ...pair, status: 'good' }
const [certId] = parseOcspRequest(createOcspRequest(pair)).certIds as [never]

function responseOf(options: object): unknown {
  return createOcspResponse({ signer: ca, responses: [], ...options })
}

/** An option, the function that takes it, a value that would weaken its answer, the options that are the caller's own, the call. */
type Call = readonly [option: string, of: string, value: unknown, own: object, run: (options: never) => unknown]

const calls: readonly Call[] = [
  ['now', 'verifyOcspResponse', NOW, pair, (options) => verifyOcspResponse(lasting, options)],
  ['weakDigests', 'verifyOcspResponse', 'tell', question, (options) => verifyOcspResponse(response, options)],
  ['missingNonce', 'verifyOcspResponse', 'accept', question, (options) => verifyOcspResponse(response, options)],
  ['clockSkewMs', 'verifyOcspResponse', 365 * DAY, question, (options) => verifyOcspResponse(response, options)],
  ['maxAgeMs', 'verifyOcspResponse', 365 * DAY, question, (options) => verifyOcspResponse(response, options)],
  ['resumed', 'checkStaple', true, question, async (options) => checkStaple(response, options)],
  ['staple', 'checkStaple', 'try', question, async (options) => checkStaple(response, options)],
  ['weakDigests', 'checkStaple', 'tell', question, async (options) => checkStaple(response, options)],
  ['failure', 'new OcspResolver', 'soft', { chain }, (options) => new OcspResolver(options)],
  ['depth', 'new OcspResolver', 'leaf', { chain }, (options) => new OcspResolver(options)],
  ['nonce', 'new OcspResolver', 'off', { chain }, (options) => new OcspResolver(options)],
  ['anchor', 'new OcspResolver', 'last', { chain }, (options) => new OcspResolver(options)],
  ['fetch', 'OcspResolver.resolve', () => undefined, { timeout: 1 }, async (options) => noResponder().resolve(options)],
  ['timeout', 'OcspResolver.resolve', 0, {}, async (options) => noResponder().resolve(options)],
  ['now', 'new OcspCache', () => 0, {}, (options) => new OcspCache(options)],
  ['url', 'createStapler', 'http://attacker.example', {}, (options) => createStapler(options)],
  ['weakDigests', 'createStapler', 'tell', {}, (options) => createStapler(options)],
  ['nonce', 'createOcspRequest', new Uint8Array(32), {}, (options) => createOcspRequest(pair, options)],
  ['digest', 'createOcspResponse', 'sha1', { signer: ca, responses: [] }, (options) => createOcspResponse(options)],
]

const nested: readonly Call[] = [
  ['issuer', 'createOcspRequest: pair', root, { certificate: leaf }, (one) => createOcspRequest(one)],
  ['issuer', 'namesCertificate: pair', root, { certificate: leaf }, (one) => namesCertificate(certId, one)],
  ['issuer', 'ocspCacheKey: pair', root, { certificate: leaf }, (one) => ocspCacheKey(one)],
  ['nextUpdate', 'createOcspResponse: responses', null, single, (one) => responseOf({ responses: [one] })],
  ['privateKey', 'createOcspResponse: signer', otherLeaf.key, { certificate: ca }, (signer) => responseOf({ signer })],
]

/** One that has nobody to ask. */
function noResponder(): OcspResolver {
  return new OcspResolver({ chain: [root.raw, root.raw] })
}

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
