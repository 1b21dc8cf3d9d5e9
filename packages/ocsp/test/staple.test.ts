import { describe, expect, it } from 'vitest'
import {
  checkStaple,
  type CheckStapleOptions,
  OcspCache,
  ocspCacheKey,
  OcspResolver,
  type OcspStore,
} from '../src/index.ts'
import { ca, chain, DAY, HOUR, leaf, NOW, otherLeaf, question, respond, root, VALID } from './pki.ts'

const good = respond()
const revoked = respond({ status: 'revoked' })
const unknown = respond({ status: 'unknown' })
const expired = respond({ thisUpdate: NOW - 9 * DAY, nextUpdate: NOW - DAY })
const broken = good.subarray(0, 100)
const foreign = respond({}, { signer: root })
const elses = respond({}, { responses: [{ certificate: otherLeaf, issuer: ca, status: 'good' }] })

async function judge(staple: Uint8Array | null, options: Partial<CheckStapleOptions> = {}): Promise<string> {
  const verdict = await checkStaple(staple, { ...question, ...options })
  return verdict.result === 'good' ? `good from ${verdict.from}` : `${verdict.result} ${verdict.error.code}`
}

/** A cache that knows this much about the leaf. */
function cacheWith(response: Uint8Array | undefined): OcspCache {
  const cache = new OcspCache({ now: () => NOW })
  if (response !== undefined)
    cache.put(ocspCacheKey({ certificate: leaf, issuer: ca }), { kind: 'response', response, expires: NOW + DAY })
  return cache
}

describe('a staple', () => {
  const table = [
    // staple, cache, resumed, under try, under must
    ['good', good, undefined, false, 'good from staple', 'good from staple'],
    ['revoked', revoked, undefined, false, 'refused ERR_OCSP_REVOKED', 'refused ERR_OCSP_REVOKED'],
    ['unknown', unknown, undefined, false, 'refused ERR_OCSP_STATUS_UNKNOWN', 'refused ERR_OCSP_STATUS_UNKNOWN'],
    ['none', null, undefined, false, 'none ERR_OCSP_STAPLE_MISSING', 'refused ERR_OCSP_STAPLE_MISSING'],
    ['empty', new Uint8Array(), undefined, false, 'none ERR_OCSP_STAPLE_MISSING', 'refused ERR_OCSP_STAPLE_MISSING'],
    ['broken', broken, undefined, false, 'none ERR_OCSP_STAPLE_MISSING', 'refused ERR_OCSP_STAPLE_MISSING'],
    ['expired', expired, undefined, false, 'none ERR_OCSP_STAPLE_MISSING', 'refused ERR_OCSP_STAPLE_MISSING'],
    ['by another CA', foreign, undefined, false, 'none ERR_OCSP_STAPLE_MISSING', 'refused ERR_OCSP_STAPLE_MISSING'],
    [
      'about another certificate',
      elses,
      undefined,
      false,
      'none ERR_OCSP_STAPLE_MISSING',
      'refused ERR_OCSP_STAPLE_MISSING',
    ],
    ['none, good in the cache', null, good, false, 'good from cache', 'refused ERR_OCSP_STAPLE_MISSING'],
    ['broken, good in the cache', broken, good, false, 'good from cache', 'refused ERR_OCSP_STAPLE_MISSING'],
    ['none, revoked in the cache', null, revoked, false, 'refused ERR_OCSP_REVOKED', 'refused ERR_OCSP_REVOKED'],
    ['broken, revoked in the cache', broken, revoked, false, 'refused ERR_OCSP_REVOKED', 'refused ERR_OCSP_REVOKED'],
    [
      'good, revoked in the cache at the same time',
      good,
      revoked,
      false,
      'refused ERR_OCSP_REVOKED',
      'refused ERR_OCSP_REVOKED',
    ],
    [
      'good and newer than a revocation',
      respond({ thisUpdate: NOW - 60_000 }),
      revoked,
      false,
      'good from staple',
      'good from staple',
    ],
    [
      'good and older than a revocation',
      respond({ thisUpdate: NOW - 2 * HOUR }),
      revoked,
      false,
      'refused ERR_OCSP_REVOKED',
      'refused ERR_OCSP_REVOKED',
    ],
    [
      'revoked and older than a good one',
      respond({ status: 'revoked', thisUpdate: NOW - 2 * HOUR }),
      good,
      false,
      'refused ERR_OCSP_REVOKED',
      'refused ERR_OCSP_REVOKED',
    ],
    [
      'none in a resumed session',
      null,
      undefined,
      true,
      'none ERR_OCSP_STAPLE_MISSING',
      'refused ERR_OCSP_STAPLE_MISSING',
    ],
    ['none in a resumed session, good in the cache', null, good, true, 'good from cache', 'good from cache'],
    [
      'none in a resumed session, expired in the cache',
      null,
      expired,
      true,
      'none ERR_OCSP_STAPLE_MISSING',
      'refused ERR_OCSP_STAPLE_MISSING',
    ],
    [
      'none in a resumed session, revoked in the cache',
      null,
      revoked,
      true,
      'refused ERR_OCSP_REVOKED',
      'refused ERR_OCSP_REVOKED',
    ],
    [
      'one that cannot be in a resumed session',
      good,
      undefined,
      true,
      'none ERR_OCSP_STAPLE_MISSING',
      'refused ERR_OCSP_STAPLE_MISSING',
    ],
  ] as const

  it.each(table)('%s', async (_name, staple, cached, resumed, underTry, underMust) => {
    expect(await judge(staple, { resumed, cache: cacheWith(cached) })).toBe(underTry)
    expect(await judge(staple, { resumed, cache: cacheWith(cached), staple: 'must' })).toBe(underMust)
    if (cached === undefined) {
      expect(await judge(staple, { resumed })).toBe(underTry)
      expect(await judge(staple, { resumed, staple: 'must' })).toBe(underMust)
    }
  })

  it('the error says what was wrong with it', async () => {
    expect(await checkStaple(expired, question)).toMatchObject({
      result: 'none',
      error: { cause: { code: 'ERR_OCSP_EXPIRED' } },
    })
  })

  it('a certificate with must-staple (RFC 7633) needs one whatever the policy', async () => {
    const certificate = ca.issue({ names: 'must.example', mustStaple: true, ...VALID })
    const about = { certificate, issuer: ca }
    expect(await judge(null, { certificate })).toBe('refused ERR_OCSP_STAPLE_MISSING')
    expect(await judge(null, { certificate, staple: 'try' })).toBe('refused ERR_OCSP_STAPLE_MISSING')
    expect(await judge(broken, { certificate })).toBe('refused ERR_OCSP_STAPLE_MISSING')
    expect(await judge(respond({ ...about }), { certificate })).toBe('good from staple')
  })

  it('goes into the cache, where the resolver finds it', async () => {
    const cache = cacheWith(undefined)
    expect(await judge(good, { cache })).toBe('good from staple')
    const resolver = new OcspResolver({ chain: [...chain], cache, now: () => NOW })
    expect(resolver.findings).toMatchObject([{ result: 'good', from: 'cache' }])
    expect(resolver.requests().size).toBe(0)
  })

  it('one that is not verified does not', async () => {
    const cache = cacheWith(undefined)
    for (const staple of [broken, expired, foreign, elses]) await judge(staple, { cache })
    expect(cache.size).toBe(0)
  })

  it('a store that fails changes nothing', async () => {
    const cache: OcspStore = {
      get: () => Promise.reject(new Error('down')),
      put: () => Promise.reject(new Error('down')),
    }
    expect(await judge(good, { cache })).toBe('good from staple')
    expect(await judge(null, { cache })).toBe('none ERR_OCSP_STAPLE_MISSING')
  })

  it.each([
    ['staple', { staple: 'off' }],
    ['staple', { staple: true }],
    ['resumed', { resumed: 1 }],
    ['cache', { cache: new Map() }],
    ['now', { now: Number.NaN }],
    ['must', { must: true }],
  ])('refuses %s %j', async (name, options) => {
    await expect(judge(good, options as never)).rejects.toThrow(name)
  })

  it('refuses a staple that is text', async () => {
    await expect(judge('good' as never)).rejects.toThrow('staple')
  })
})
