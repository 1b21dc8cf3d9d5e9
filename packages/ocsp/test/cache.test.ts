import { describe, expect, it } from 'vitest'
import {
  checkStaple,
  OcspCache,
  type OcspCacheEntry,
  type OcspFetch,
  ocspCacheKey,
  OcspResolver,
  type OcspStore,
} from '../src/index.ts'
import {
  ca,
  chain,
  codeOf,
  createBody,
  DAY,
  FakeResponder,
  HOUR,
  leaf,
  LEAF_URL,
  MINUTE,
  NOW,
  otherLeaf,
  question,
  respond,
  root,
} from './pki.ts'

const entry = (expires = NOW + 1): OcspCacheEntry => ({
  kind: 'error',
  code: 'ERR_OCSP_TIMEOUT',
  message: 'x',
  expires,
})

describe('OcspCache', () => {
  it('keeps the most recently used', () => {
    const cache = new OcspCache({ maxSize: 2, now: () => NOW })
    cache.put('a', entry())
    cache.put('b', entry())
    cache.get('a')
    cache.put('c', entry())
    expect([cache.get('a'), cache.get('b'), cache.get('c')].map((one) => one !== undefined)).toEqual([
      true,
      false,
      true,
    ])
    expect(cache.size).toBe(2)
  })

  it('keeps 100 unless told', () => {
    const cache = new OcspCache({ now: () => NOW })
    for (let i = 0; i < 200; i++) cache.put(`${i}`, entry())
    expect([cache.maxSize, cache.size]).toEqual([100, 100])
  })

  it('forgets what has expired', () => {
    let now = NOW
    const cache = new OcspCache({ now: () => now })
    cache.put('a', entry(NOW + 1))
    cache.put('b', entry(Number.NaN))
    expect(cache.get('a')).toBeDefined()
    expect(cache.get('b')).toBeUndefined()
    now = NOW + 1
    expect(cache.get('a')).toBeUndefined()
    expect(cache.size).toBe(0)
  })

  it('deletes and clears', () => {
    const cache = new OcspCache({ now: () => NOW })
    cache.put('a', entry())
    cache.put('b', entry())
    expect([cache.delete('a'), cache.delete('a')]).toEqual([true, false])
    cache.clear()
    expect(cache.size).toBe(0)
  })

  it.each([
    ['maxSize', { maxSize: 0 }, 'ERR_INVALID_ARG_VALUE'],
    ['maxSize', { maxSize: 1.5 }, 'ERR_INVALID_ARG_VALUE'],
    ['maxSize', { maxSize: Number.NaN }, 'ERR_INVALID_ARG_VALUE'],
    ['maxSize', { maxSize: '9' }, 'ERR_INVALID_ARG_TYPE'],
    ['now', { now: 5 }, 'ERR_INVALID_ARG_TYPE'],
    ['size', { size: 5 }, 'ERR_INVALID_ARG_VALUE'],
  ])('refuses %s %j', (name, options, code) => {
    const make = (): unknown => new OcspCache(options as never)
    expect(codeOf(make)).toBe(code)
    expect(make).toThrow(name)
  })
})

/** A resolver about the leaf, with what a cache holds and without a network. */
function withCache(cache: OcspStore, now = NOW, options = {}): OcspResolver {
  return new OcspResolver({ chain: [...chain], cache, now: () => now, ...options })
}

const key = ocspCacheKey({ certificate: leaf, issuer: ca })
const holding = (found: unknown): OcspStore => ({ get: () => found as OcspCacheEntry, put: () => undefined })

describe('what a cache may say', () => {
  const good = { kind: 'response', response: respond(), expires: NOW + DAY }

  it.each([
    ['a verified good response', good, 'good'],
    ['a verified revocation', { ...good, response: respond({ status: 'revoked' }) }, 'revoked'],
    ['an error', { kind: 'error', code: 'ERR_OCSP_TIMEOUT', message: 'x', expires: NOW + 1 }, 'failed'],
    ['an expired entry', { ...good, expires: NOW }, 'pending'],
    ['an entry that never expires: NaN', { ...good, expires: Number.NaN }, 'pending'],
    [
      'an expired response in a fresh entry',
      { ...good, response: respond({ nextUpdate: NOW - HOUR + MINUTE }) },
      'pending',
    ],
    [
      'a response about another certificate',
      { ...good, response: respond({}, { responses: [{ certificate: otherLeaf, issuer: ca, status: 'good' }] }) },
      'pending',
    ],
    ['a response by somebody else', { ...good, response: respond({}, { signer: root }) }, 'pending'],
    ['a claim without a response', { kind: 'good', expires: NOW + DAY }, 'pending'],
    ['a response that is text', { ...good, response: 'good' }, 'pending'],
    ['an error that is none of ours', { kind: 'error', code: 'ENOENT', message: 'x', expires: NOW + 1 }, 'pending'],
    ['null', null, 'pending'],
    ['text', 'good', 'pending'],
    ['nothing', undefined, 'pending'],
  ])('%s', (_name, found, expected) => {
    expect(withCache(holding(found)).findings[0]?.result).toBe(expected)
  })

  it('the entry of one certificate under the key of another is nothing', () => {
    const cache = new OcspCache({ now: () => NOW })
    const resolver = withCache(cache)
    resolver.requests()
    cache.put(key, Object.freeze({ kind: 'response', response: respond(), expires: NOW + DAY }))
    expect(withCache(cache).findings[0]?.result).toBe('good')
    const confused: OcspStore = { get: () => cache.get(key), put: () => undefined }
    expect(withCache(confused, NOW, { chain: [otherLeaf.raw, ca.raw] }).findings[0]?.result).toBe('pending')
  })

  it('an entry that was verified is judged again by the time and by the policy', () => {
    const cache = new OcspCache({ now: () => NOW })
    cache.put(key, { kind: 'response', response: respond(), expires: NOW + 30 * DAY })
    expect(withCache(cache).findings[0]?.result).toBe('good')
    expect(withCache(cache, NOW + 2 * DAY).findings[0]?.result).toBe('pending')
    expect(withCache(cache, NOW, { maxAgeMs: MINUTE, clockSkewMs: 0 }).findings[0]?.result).toBe('pending')
    expect(withCache(cache, NOW - DAY).findings[0]?.result).toBe('pending')
  })

  it("a good answer without a nonce is nothing to who insists on nonces; one's own with it is", async () => {
    const cache = new OcspCache({ now: () => NOW })
    cache.put(key, { kind: 'response', response: respond(), expires: NOW + DAY })
    expect(withCache(cache).findings[0]?.result).toBe('good')
    expect(withCache(cache, NOW, { nonce: 'must' }).findings[0]?.result).toBe('pending')
    const { fetch } = new FakeResponder()
    cache.clear()
    expect(await withCache(cache, NOW, { nonce: 'must' }).resolve({ fetch })).toMatchObject({ result: 'good' })
    expect(withCache(cache, NOW, { nonce: 'must' }).findings[0]?.result).toBe('good')
    cache.put(key, { kind: 'response', response: respond({ status: 'revoked' }), expires: NOW + DAY })
    expect(withCache(cache, NOW, { nonce: 'must' }).findings[0]?.result).toBe('revoked')
  })

  it('an old answer that one accepted is nothing to another', async () => {
    const cache = new OcspCache({ now: () => NOW })
    const old = respond({ thisUpdate: NOW - 20 * DAY, nextUpdate: null }, { producedAt: NOW - 20 * DAY })
    const about = { certificate: leaf, issuer: ca, now: NOW, cache, maxAgeMs: 30 * DAY }
    expect(await checkStaple(old, about)).toMatchObject({ result: 'good' })
    expect(withCache(cache).findings[0]?.result).toBe('pending')
    expect(withCache(cache, NOW, { maxAgeMs: 30 * DAY }).findings[0]?.result).toBe('good')
  })

  it('an answer over SHA-1 that one accepted is nothing to another', () => {
    const cache = new OcspCache({ now: () => NOW })
    cache.put(key, { kind: 'response', response: respond({}, { digest: 'sha1' }), expires: NOW + DAY })
    expect(withCache(cache, NOW, { weakDigests: 'tell' }).findings[0]?.result).toBe('good')
    expect(withCache(cache).findings[0]?.result).toBe('pending')
  })
})

describe('a store that fails', () => {
  it.each([
    [
      'throws',
      {
        get: () => {
          throw new Error('down')
        },
        put: () => {
          throw new Error('down')
        },
      },
    ],
    ['rejects', { get: () => Promise.reject(new Error('down')), put: () => Promise.reject(new Error('down')) }],
  ] as [string, OcspStore][])('that %s costs a question, not the verdict', async (_name, cache) => {
    const { fetch, requests } = new FakeResponder()
    expect(await withCache(cache).resolve({ fetch })).toMatchObject({ result: 'good' })
    expect(requests).toHaveLength(1)
  })

  it('that never answers is not waited for beyond the time-out', async () => {
    const cache: OcspStore = { get: () => new Promise(() => undefined), put: () => undefined }
    const { fetch } = new FakeResponder()
    expect(await withCache(cache).resolve({ fetch, timeout: 1 })).toMatchObject({
      result: 'soft-failure',
      softErrors: [{ code: 'ERR_OCSP_TIMEOUT' }],
    })
  })

  it('that never answers leaves no request behind', async () => {
    const cache: OcspStore = { get: () => new Promise(() => undefined), put: () => undefined }
    const signals: (AbortSignal | null | undefined)[] = []
    const fetch: OcspFetch = (_url, { signal }) => {
      signals.push(signal)
      return new Promise(() => undefined)
    }
    await withCache(cache).resolve({ fetch, timeout: 1 })
    expect(signals.filter((signal) => signal?.aborted !== true)).toEqual([])
  })
})

describe('what is remembered', () => {
  async function asked(responder: FakeResponder, cache: OcspStore, now = NOW): Promise<string> {
    return (await withCache(cache, now).resolve({ fetch: responder.fetch })).result
  }

  it('a good answer until its end', async () => {
    const cache = new OcspCache({ now: () => NOW })
    const responder = new FakeResponder()
    expect([await asked(responder, cache), await asked(responder, cache)]).toEqual(['good', 'good'])
    expect(responder.requests).toHaveLength(1)
    expect(cache.get(key)).toMatchObject({ kind: 'response', expires: NOW + DAY })
  })

  it('in a store that answers with promises', async () => {
    const entries = new Map<string, OcspCacheEntry>()
    const cache: OcspStore = {
      get: async (k) => entries.get(k),
      put: async (k, e) => entries.set(k, structuredClone(e)),
    }
    const responder = new FakeResponder()
    expect(await asked(responder, cache)).toBe('good')
    await Promise.resolve()
    expect(await asked(responder, cache)).toBe('good')
    expect(responder.requests).toHaveLength(1)
  })

  it.each([
    ['that cannot be reached: briefly', () => Promise.reject(new Error('ECONNREFUSED')), 10_000],
    ['that fails: briefly', () => new Response('', { status: 500 }), 10_000],
    ['that signs wrongly: a little longer', () => createBody(respond({}, { signer: root })), 120_000],
  ])('a responder %s', async (_name, instead, expected) => {
    const cache = new OcspCache({ now: () => NOW })
    const responder = new FakeResponder()
    responder.instead = instead
    expect([await asked(responder, cache), await asked(responder, cache)]).toEqual(['soft-failure', 'soft-failure'])
    expect(responder.requests).toHaveLength(1)
    expect(cache.get(key)?.expires).toBe(NOW + expected)
  })

  const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

  /** A store whose every answer takes a turn of the event loop. */
  function slowStore(): { cache: OcspStore; entries: Map<string, OcspCacheEntry>; idle: () => Promise<void> } {
    const entries = new Map<string, OcspCacheEntry>()
    const cache: OcspStore = {
      get: async (k) => {
        await turn()
        return entries.get(k)
      },
      put: async (k, e) => {
        await turn()
        entries.set(k, e)
      },
    }
    return {
      cache,
      entries,
      idle: async () => {
        for (let i = 0; i < 20; i++) await turn()
      },
    }
  }

  it('a revocation in a slow store, though an older good staple comes at the same time', async () => {
    const { cache, idle } = slowStore()
    const about = { certificate: leaf, issuer: ca, now: NOW, cache }
    await Promise.all([
      checkStaple(respond({ status: 'revoked' }), about),
      checkStaple(respond({ thisUpdate: NOW - 5 * HOUR }), about),
      checkStaple(respond({ thisUpdate: NOW - 4 * HOUR }), about),
    ])
    await idle()
    expect(await checkStaple(null, { ...about, resumed: true })).toMatchObject({ error: { code: 'ERR_OCSP_REVOKED' } })
  })

  it('no failure in a slow store in place of a revocation that comes at the same time', async () => {
    const { cache, entries, idle } = slowStore()
    const about = { certificate: leaf, issuer: ca, now: NOW, cache }
    const failing = withCache(cache)
    await idle()
    failing.requests()
    const checked = checkStaple(respond({ status: 'revoked' }), about)
    await turn()
    failing.addResponse(LEAF_URL, new Uint8Array(0))
    await checked
    await idle()
    expect(entries.get(key)?.kind).toBe('response')
  })

  it('no failure in place of an answer', async () => {
    const cache = new OcspCache({ now: () => NOW })
    const responder = new FakeResponder()
    responder.instead = () => {
      cache.put(key, { kind: 'response', response: respond(), expires: NOW + DAY }) // meanwhile, by another
      return new Response('', { status: 500 })
    }
    await asked(responder, cache)
    expect(cache.get(key)?.kind).toBe('response')
  })

  it.each([
    [
      'an older good answer does not displace a revocation',
      respond({ status: 'revoked' }),
      respond({ thisUpdate: NOW - 2 * HOUR }),
      'revoked',
    ],
    ['a good one of the same time neither', respond({ status: 'revoked' }), respond(), 'revoked'],
    [
      'a newer good one does: a hold was lifted',
      respond({ status: 'revoked', reason: 'certificateHold' }),
      respond({ thisUpdate: NOW - MINUTE }),
      'good',
    ],
    ['a revocation displaces a good one of the same time', respond(), respond({ status: 'revoked' }), 'revoked'],
  ])('%s', async (_name, before, after, expected) => {
    const cache = new OcspCache({ now: () => NOW })
    await checkStaple(before, { ...question, cache })
    await checkStaple(after, { ...question, cache })
    expect(withCache(cache).findings[0]?.result).toBe(expected)
  })
})
