import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  createOcspErrorResponse,
  createOcspResponse,
  OcspCache,
  type OcspFetch,
  OcspResolver,
  type OcspResolverOptions,
  parseOcspRequest,
} from '../src/index.ts'
import {
  ca,
  CA_URL,
  chain,
  codeOf,
  createBody,
  FakeResponder,
  HOUR,
  leaf,
  LEAF_URL,
  NOW,
  otherLeaf,
  respond,
  root,
  type Status,
  VALID,
} from './pki.ts'

function resolver(options: Partial<OcspResolverOptions> = {}): OcspResolver {
  return new OcspResolver({ chain: [...chain], now: () => NOW, ...options })
}

function knowing(ofLeaf: Status, ofCa: Status = { status: 'good' }): FakeResponder {
  return new FakeResponder([
    [{ certificate: leaf, issuer: ca }, ofLeaf],
    [{ certificate: ca, issuer: root }, ofCa],
  ])
}

describe('the verdict', () => {
  const good = { status: 'good' } as const
  const dead = 'dead'
  const table = [
    // leaf, intermediate, depth, failure, verdict, code
    [good, good, 'leaf', 'soft', 'good', undefined],
    [good, good, 'chain', 'hard', 'good', undefined],
    [good, { status: 'revoked' }, 'leaf', 'hard', 'good', undefined],
    [good, { status: 'revoked' }, 'chain', 'soft', 'refused', 'ERR_OCSP_REVOKED'],
    [{ status: 'revoked' }, good, 'leaf', 'soft', 'refused', 'ERR_OCSP_REVOKED'],
    [{ status: 'unknown' }, good, 'leaf', 'soft', 'refused', 'ERR_OCSP_STATUS_UNKNOWN'],
    [{ status: 'unknown' }, { status: 'revoked' }, 'chain', 'soft', 'refused', 'ERR_OCSP_REVOKED'],
    [dead, good, 'leaf', 'soft', 'soft-failure', 'ERR_OCSP_FETCH_FAILED'],
    [dead, good, 'leaf', 'hard', 'refused', 'ERR_OCSP_FETCH_FAILED'],
    [good, dead, 'chain', 'soft', 'soft-failure', 'ERR_OCSP_FETCH_FAILED'],
    [good, dead, 'chain', 'hard', 'refused', 'ERR_OCSP_FETCH_FAILED'],
    [dead, { status: 'revoked' }, 'chain', 'soft', 'refused', 'ERR_OCSP_REVOKED'],
    [
      { status: 'good', nextUpdate: NOW - HOUR, thisUpdate: NOW - 2 * HOUR },
      good,
      'leaf',
      'soft',
      'soft-failure',
      'ERR_OCSP_EXPIRED',
    ],
    [
      { status: 'good', nextUpdate: NOW - HOUR, thisUpdate: NOW - 2 * HOUR },
      good,
      'leaf',
      'hard',
      'refused',
      'ERR_OCSP_EXPIRED',
    ],
  ] as const

  it.each(table)(
    'leaf %j, intermediate %j, depth %s, failure %s: %s %s',
    async (ofLeaf, ofCa, depth, failure, result, code) => {
      const responder = knowing(ofLeaf === dead ? good : ofLeaf, ofCa === dead ? good : ofCa)
      const fetch: OcspFetch = async (url, init) => {
        if ((url === LEAF_URL && ofLeaf === dead) || (url === CA_URL && ofCa === dead)) throw new Error('ECONNREFUSED')
        return responder.fetch(url, init)
      }
      const under = resolver({ depth, failure })
      const verdict = await under.resolve({ fetch })
      expect(verdict.result).toBe(result)
      if (verdict.result === 'refused') expect(verdict.error.code).toBe(code)
      if (verdict.result === 'soft-failure') expect(verdict.softErrors.map((one) => one.code)).toEqual([code])
      expect(verdict.findings).toHaveLength(depth === 'leaf' ? 1 : 2)
      expect(under.hardError).toBe(verdict.result === 'refused' ? verdict.error : undefined)
      expect(under.softErrors).toEqual(
        verdict.result === 'soft-failure' ? verdict.softErrors : failure === 'hard' ? [] : under.softErrors,
      )
      expect([under.done, under.verdict]).toEqual([true, verdict])
    },
  )

  it('carries the status of a revocation', async () => {
    const { fetch } = knowing({ status: 'revoked', reason: 'keyCompromise' })
    expect(await resolver().resolve({ fetch })).toMatchObject({
      error: { status: { status: 'revoked', reason: 'keyCompromise' } },
    })
  })

  it.each([
    ['no URL', [root.issue({ names: 'x', ...VALID }).raw, root.raw], 'ERR_OCSP_NO_URL'],
    ['no issuer', [leaf.raw], 'ERR_OCSP_NO_ISSUER'],
    ['its own issuer alone', [root.raw], 'ERR_OCSP_NO_ISSUER'],
  ])('a certificate with %s is said so, not guessed good', async (_name, chain, code) => {
    const fetch: OcspFetch = () => expect.unreachable()
    expect(await resolver({ chain }).resolve({ fetch })).toMatchObject({
      result: 'soft-failure',
      softErrors: [{ code }],
    })
    expect(await resolver({ chain, failure: 'hard' }).resolve({ fetch })).toMatchObject({
      result: 'refused',
      error: { code },
    })
  })

  it('a chain without its root is told of, unless its last certificate is the anchor', async () => {
    const { fetch } = new FakeResponder()
    const cut = { chain: [leaf.raw, ca.raw], depth: 'chain', failure: 'hard' } as const
    expect(await resolver(cut).resolve({ fetch })).toMatchObject({
      result: 'refused',
      error: { code: 'ERR_OCSP_NO_ISSUER' },
    })
    expect(await resolver({ ...cut, anchor: 'last' }).resolve({ fetch })).toMatchObject({ result: 'good' })
    expect(await resolver({ chain: [leaf.raw], depth: 'chain', anchor: 'last' }).resolve({ fetch })).toMatchObject({
      result: 'soft-failure',
    })
  })
})

describe('requests and answers by hand', () => {
  it('do not depend on buffers that the caller overwrites', () => {
    const buffers = chain.map((der) => Buffer.from(der))
    const under = resolver({ chain: buffers })
    for (const buffer of buffers) buffer.fill(0)
    under.requests()
    expect(under.addResponse(LEAF_URL, respond())).toBeUndefined()
    expect(under.verdict?.result).toBe('good')
  })

  it('as the original does it', () => {
    const under = resolver({ depth: 'chain' })
    const requests = under.requests()
    expect([...requests.keys()]).toEqual([LEAF_URL, CA_URL])
    expect(under.requests()).toEqual(requests)
    expect([under.done, under.verdict, under.hardError]).toEqual([false, undefined, undefined])
    expect(under.addResponse(LEAF_URL, respond())).toBeUndefined()
    expect([...under.requests().keys()]).toEqual([CA_URL])
    expect(under.addResponse(CA_URL, undefined)).toBeUndefined()
    expect([under.done, under.softErrors.map((one) => one.code)]).toEqual([true, ['ERR_OCSP_FETCH_FAILED']])
    expect(under.requests().size).toBe(0)
  })

  it('stops at the first hard error', () => {
    const under = resolver({ depth: 'chain' })
    under.requests()
    expect(under.addResponse(LEAF_URL, respond({ status: 'revoked' }))?.code).toBe('ERR_OCSP_REVOKED')
    expect([under.requests().size, under.done, under.verdict?.result]).toEqual([0, true, 'refused'])
  })

  it('an empty body is no answer', () => {
    const under = resolver({ failure: 'hard' })
    under.requests()
    expect(under.addResponse(LEAF_URL, new Uint8Array())?.code).toBe('ERR_OCSP_FETCH_FAILED')
  })

  it.each([
    [
      'at a URL that was not asked',
      (under: OcspResolver) => under.addResponse('http://x/', respond()),
      'ERR_INVALID_ARG_VALUE',
    ],
    [
      'twice',
      (under: OcspResolver) => (under.addResponse(LEAF_URL, respond()), under.addResponse(LEAF_URL, respond())),
      'ERR_INVALID_ARG_VALUE',
    ],
    ['that is text', (under: OcspResolver) => under.addResponse(LEAF_URL, 'x' as never), 'ERR_INVALID_ARG_TYPE'],
  ])('refuses an answer %s', (_name, action, code) => {
    const under = resolver()
    under.requests()
    expect(codeOf(() => action(under))).toBe(code)
  })
})

describe('one responder for several certificates', () => {
  const shared = 'http://ocsp.example.test/all'
  const middle = root.issue({ ca: true, subject: { commonName: 'M' }, ocspUris: [shared], ...VALID })
  const below = middle.issue({ ca: true, subject: { commonName: 'B' }, ocspUris: [shared], ...VALID })
  const end = below.issue({ names: 'end.example', ocspUris: [shared], ...VALID })
  const long = [end.raw, below.raw, middle.raw, root.raw]
  // one signer cannot speak for three CAs, so each answer covers what its CA issued
  const all = (): FakeResponder =>
    new FakeResponder([
      [{ certificate: end, issuer: below }, { status: 'good' }],
      [{ certificate: below, issuer: middle }, { status: 'good' }],
      [{ certificate: middle, issuer: root }, { status: 'good' }],
    ])

  it('is asked once for all, and again for what it left out', async () => {
    const responder = all()
    const under = resolver({ chain: long, depth: 'chain', failure: 'hard' })
    expect(await under.resolve({ fetch: responder.fetch })).toMatchObject({ result: 'good' })
    expect(responder.requests.map((one) => one.asked)).toEqual([3, 2, 1])
  })

  it('that never answers for one of them is not asked for ever', async () => {
    const responder = all()
    responder.known.splice(1, 1)
    const under = resolver({ chain: long, depth: 'chain' })
    expect(await under.resolve({ fetch: responder.fetch })).toMatchObject({ result: 'soft-failure' })
    expect(under.findings.map((one) => one.result)).toEqual(['good', 'failed', 'good'])
    expect(responder.requests.length).toBeLessThan(6)
  })

  it('that makes nothing of a question about several is asked about each', async () => {
    const responder = all()
    const sizes: number[] = []
    const fetch: OcspFetch = async (url, init) => {
      const { certIds } = parseOcspRequest(new Uint8Array(init.body as Uint8Array))
      sizes.push(certIds.length)
      return certIds.length > 1 ? createBody(createOcspErrorResponse('malformedRequest')) : responder.fetch(url, init)
    }
    expect(await resolver({ chain: long, depth: 'chain', failure: 'hard' }).resolve({ fetch })).toMatchObject({
      result: 'good',
    })
    expect(sizes).toEqual([3, 1, 1, 1])
  })

  it('that cannot be reached is not asked about each', async () => {
    let asked = 0
    const fetch: OcspFetch = async () => {
      asked++
      throw new Error('ECONNREFUSED')
    }
    expect(await resolver({ chain: long, depth: 'chain' }).resolve({ fetch })).toMatchObject({ result: 'soft-failure' })
    expect(asked).toBe(1)
  })

  it('that signs for one CA what it says of another: asked again, and not believed', async () => {
    const body = createOcspResponse({
      signer: below,
      producedAt: NOW,
      responses: [
        { certificate: end, issuer: below, status: 'good' },
        { certificate: below, issuer: middle, status: 'good' },
      ],
    })
    const under = resolver({ chain: long.slice(0, 3), depth: 'chain', anchor: 'last' })
    await under.resolve({ fetch: async () => createBody(body) })
    expect(under.findings).toMatchObject([
      { result: 'good' },
      { result: 'failed', errors: [{ code: 'ERR_OCSP_RESPONDER_UNAUTHORIZED' }] },
    ])
  })

  it('that answers for others altogether has failed', async () => {
    const fetch: OcspFetch = async () =>
      createBody(respond({}, { responses: [{ certificate: otherLeaf, issuer: ca, status: 'good' }] }))
    expect(await resolver({ failure: 'hard' }).resolve({ fetch })).toMatchObject({
      result: 'refused',
      error: { code: 'ERR_OCSP_NOT_COVERED' },
    })
  })
})

describe('several responders for one certificate', () => {
  const two = ca.issue({ names: 'two.example', ocspUris: ['http://first.test/', 'http://second.test/'], ...VALID })
  const responder = new FakeResponder([[{ certificate: two, issuer: ca }, { status: 'good' }]])
  const fetch: OcspFetch = async (url, init) =>
    url.includes('first') ? createBody(createOcspErrorResponse('tryLater')) : responder.fetch(url, init)

  it('the next is asked where one fails', async () => {
    expect(await resolver({ chain: [two.raw, ca.raw, root.raw], failure: 'hard' }).resolve({ fetch })).toMatchObject({
      result: 'good',
    })
  })

  it('all errors are told where all fail', async () => {
    const verdict = await resolver({ chain: [two.raw, ca.raw] }).resolve({
      fetch: async () => createBody(createOcspErrorResponse('tryLater')),
    })
    expect(verdict).toMatchObject({
      softErrors: [
        { code: 'ERR_OCSP_RESPONDER_FAILED', url: 'http://first.test/', responseStatus: 'tryLater' },
        { code: 'ERR_OCSP_RESPONDER_FAILED', url: 'http://second.test/' },
      ],
    })
  })
})

describe('nonces', () => {
  it.each([
    ['off', true, 'good', false],
    ['try', true, 'good', true],
    ['try', false, 'good', true],
    ['must', true, 'good', true],
    ['must', false, 'refused', true],
  ] as const)('%s, echoed %s: %s', async (nonce, echo, result, sent) => {
    const responder = new FakeResponder()
    responder.echoNonce = echo
    expect((await resolver({ nonce, failure: 'hard' }).resolve({ fetch: responder.fetch })).result).toBe(result)
    expect(parseOcspRequest(responder.requests[0]!.der).nonce?.length).toBe(sent ? 32 : undefined)
  })

  it('another one than was sent is refused under try as well', async () => {
    const fetch: OcspFetch = async () => createBody(respond({}, { nonce: new Uint8Array(32) }))
    expect(await resolver({ failure: 'hard' }).resolve({ fetch })).toMatchObject({
      error: { code: 'ERR_OCSP_NONCE_MISMATCH' },
    })
  })
})

describe('concurrent questions', () => {
  /** A fetch that answers when told to. */
  function held(responder = new FakeResponder()): {
    fetch: OcspFetch
    release: () => void
    signals: AbortSignal[]
    responder: FakeResponder
  } {
    let release = (): void => undefined
    const gate = new Promise<void>((resolve) => (release = resolve))
    const signals: AbortSignal[] = []
    const fetch: OcspFetch = async (url, init) => {
      signals.push(init.signal as AbortSignal)
      await gate
      return responder.fetch(url, init)
    }
    return { fetch, release: () => release(), signals, responder }
  }

  it('about the same certificate become one request', async () => {
    const cache = new OcspCache({ now: () => NOW })
    const { fetch, release, responder } = held()
    const all = Array.from({ length: 10 }, () => resolver({ cache }).resolve({ fetch }))
    await Promise.resolve()
    release()
    expect((await Promise.all(all)).map((one) => one.result)).toEqual(Array(10).fill('good'))
    expect(responder.requests).toHaveLength(1)
  })

  it('with other caches, fetches or policies do not', async () => {
    const cache = new OcspCache({ now: () => NOW })
    const { fetch, release, responder } = held()
    const another: OcspFetch = (url, init) => fetch(url, init)
    const all = [
      resolver({ cache }).resolve({ fetch }),
      resolver({ cache }).resolve({ fetch: another }),
      resolver({ cache, nonce: 'off' }).resolve({ fetch }),
      resolver({ cache: new OcspCache({ now: () => NOW }) }).resolve({ fetch }),
    ]
    release()
    await Promise.all(all)
    expect(responder.requests).toHaveLength(4)
  })

  it('one that gives up does not take the others along', async () => {
    const cache = new OcspCache({ now: () => NOW })
    const { fetch, release, signals } = held()
    const controller = new AbortController()
    const first = resolver({ cache }).resolve({ fetch, signal: controller.signal })
    const second = resolver({ cache }).resolve({ fetch })
    const rejected = expect(first).rejects.toThrow('enough')
    await new Promise(setImmediate)
    controller.abort(new Error('enough'))
    await rejected
    expect(signals.map((one) => one.aborted)).toEqual([false])
    release()
    expect((await second).result).toBe('good')
  })

  it('when all give up, the request is given up', async () => {
    const { fetch, signals } = held()
    const controller = new AbortController()
    const pending = resolver().resolve({ fetch, signal: controller.signal })
    const rejected = expect(pending).rejects.toThrow('enough')
    await new Promise(setImmediate)
    controller.abort(new Error('enough'))
    await rejected
    expect(signals.map((one) => one.aborted)).toEqual([true])
  })
})

describe('time and aborts', () => {
  afterEach(() => void vi.useRealTimers())

  it('a responder that never answers is a soft error', async () => {
    vi.useFakeTimers()
    const fetch: OcspFetch = () => new Promise(() => undefined) // and ignores its signal
    const pending = resolver().resolve({ fetch, timeout: 5_000 })
    await vi.advanceTimersByTimeAsync(5_000)
    expect(await pending).toMatchObject({
      result: 'soft-failure',
      softErrors: [{ code: 'ERR_OCSP_TIMEOUT', url: LEAF_URL }],
    })
    expect(vi.getTimerCount()).toBe(0)
  })

  it('a second responder gets its share of the time', async () => {
    vi.useFakeTimers()
    const two = ca.issue({ names: 'two.example', ocspUris: ['http://first.test/', 'http://second.test/'], ...VALID })
    const responder = new FakeResponder([[{ certificate: two, issuer: ca }, { status: 'good' }]])
    const fetch: OcspFetch = (url, init) =>
      url.includes('first') ? new Promise(() => undefined) : responder.fetch(url, init)
    const pending = resolver({ chain: [two.raw, ca.raw] }).resolve({ fetch, timeout: 6_000 })
    await vi.advanceTimersByTimeAsync(3_000)
    expect((await pending).result).toBe('good')
  })

  it('an abort rejects with its reason, at any time', async () => {
    const reason = new Error('enough')
    const fetch: OcspFetch = () => new Promise(() => undefined)
    await expect(resolver().resolve({ fetch, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const controller = new AbortController()
    const pending = resolver().resolve({ fetch, signal: controller.signal })
    controller.abort(reason)
    await expect(pending).rejects.toBe(reason)
  })
})

describe('misuse', () => {
  it.each([
    ['depth', { depth: 'all' }],
    ['failure', { failure: false }],
    ['anchor', { anchor: true }],
    ['nonce', { nonce: true }],
    ['hash', { hash: 'md5' }],
    ['cache', { cache: {} }],
    ['now', { now: 5 }],
    ['chain', { chain: [] }],
    ['chain', { chain: Array(17).fill(leaf.raw) }],
    ['chain', { chain: 5 }],
    ['clockSkewMs', { clockSkewMs: -1 }],
    ['clockSkewMs', { clockSkewMs: '5' }],
    ['maxAgeMs', { maxAgeMs: Number.NaN }],
    ['weakDigests', { weakDigests: 'accept' }],
    ['mode', { mode: 'hard' }],
  ])('refuses %s %#', (name, options) => {
    const make = (): unknown => resolver(options as never)
    expect(codeOf(make)).toMatch(/^ERR_INVALID_ARG_/)
    expect(make).toThrow(name)
  })

  it('a clock that is broken refuses', () => {
    expect(codeOf(() => resolver({ now: () => Number.NaN, cache: new OcspCache() }).requests())).toBe(
      'ERR_INVALID_ARG_VALUE',
    )
  })

  it('refuses a chain that is none', () => {
    expect(codeOf(() => resolver({ chain: [Uint8Array.of(1)] }))).toBe('ERR_OCSP_CERTIFICATE_INVALID')
    expect(codeOf(() => resolver({ chain: [Uint8Array.of(0x30, 0)] }))).toBe('ERR_OCSP_CERTIFICATE_INVALID')
  })

  it.each([
    ['fetch', { fetch: 'x' }],
    ['timeout', { timeout: -1 }],
    ['method', { method: 'PUT' }],
    ['retries', { retries: 3 }],
  ])('resolve refuses %s', async (name, options) => {
    await expect(resolver().resolve(options as never)).rejects.toThrow(name)
  })
})
