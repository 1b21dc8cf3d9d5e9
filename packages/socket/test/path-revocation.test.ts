import { createCrl } from '@x/crl'
import { describe, expect, it } from 'vitest'
import { type CrlAnswer, type CrlCheck, crlCheck } from '../src/verify/path/index.ts'
import { codes, keys, makeIntermediate, makeLeaf, makeRoot, NOW, walk } from './path-support.ts'

const root = makeRoot()
const intermediate = makeIntermediate({ serial: 2 })
const leaf = makeLeaf({ serial: 3 })
const chain = [leaf, intermediate]

/** Answers by serial number, and tells what was asked. */
function check(answers: Readonly<Record<number, unknown>>, depth: 'leaf' | 'chain' = 'chain') {
  const asked: string[] = []
  const crls: CrlCheck = {
    depth,
    check(certificate, issuer, at, above) {
      asked.push(`${at}: ${certificate.serialNumber[0]} by ${issuer.serialNumber[0]}, ${above.length} above`)
      return (answers[certificate.serialNumber[0] as number] ?? 'good') as CrlAnswer
    },
  }
  return { crls, asked }
}

describe('which certificates are asked about', () => {
  it('all below the anchor', () => {
    const { crls, asked } = check({})
    expect(codes(walk(chain, [root], { crls }))).toEqual([])
    expect(asked).toEqual(['0: 3 by 2, 1 above', '1: 2 by 1, 0 above'])
  })

  it('the leaf alone', () => {
    const { crls, asked } = check({ 2: { revoked: true } }, 'leaf')
    expect(codes(walk(chain, [root], { crls }))).toEqual([])
    expect(asked).toEqual(['0: 3 by 2, 1 above'])
  })

  it('a trusted leaf, by its issuer where that is at hand', () => {
    const { crls, asked } = check({ 3: { revoked: true } })
    expect(codes(walk(chain, [leaf], { crls, partialChain: true }))).toEqual(['0 CERT_REVOKED'])
    expect(codes(walk([leaf], [leaf], { crls, partialChain: true }))).toEqual(['0 CERT_REVOKED'])
    expect(new Set(asked)).toEqual(new Set(['0: 3 by 2, 0 above', '0: 3 by 3, 0 above']))
  })

  it('a trusted intermediate needs no good answer, but a revocation of it counts', () => {
    const options = { partialChain: true }
    const unknown = check({ 2: { unknown: 'UNABLE_TO_GET_CRL' } })
    expect(codes(walk([...chain, root], [intermediate], { ...options, crls: unknown.crls }))).toEqual([])
    const revoked = check({ 2: { revoked: true } })
    expect(codes(walk([...chain, root], [intermediate], { ...options, crls: revoked.crls }))).toEqual([
      '1 CERT_REVOKED',
    ])
  })

  it('a revoked leaf stays so where it is trusted as well', () => {
    const { crls } = check({ 3: { revoked: true } })
    expect(codes(walk(chain, [root, leaf], { crls, partialChain: true }))).toEqual(['0 CERT_REVOKED'])
  })
})

describe('answers', () => {
  it.each([
    ['good', []],
    [{ revoked: true }, ['0 CERT_REVOKED']],
    [{ revoked: true, unknown: 'good' }, ['0 CERT_REVOKED']],
    [{ unknown: 'CRL_HAS_EXPIRED' }, ['0 CRL_HAS_EXPIRED']],
    [{ unknown: undefined }, ['0 UNABLE_TO_GET_CRL']],
    [{}, ['0 UNABLE_TO_GET_CRL']],
    [null, ['0 UNABLE_TO_GET_CRL']],
    [true, ['0 UNABLE_TO_GET_CRL']],
    ['GOOD', ['0 UNABLE_TO_GET_CRL']],
    [Promise.resolve('good'), ['0 UNABLE_TO_GET_CRL']],
  ])('%j: %j', (answer, expected) => {
    const crls: CrlCheck = { depth: 'leaf', check: () => answer as CrlAnswer }
    expect(codes(walk(chain, [root], { crls }))).toEqual(expected)
  })

  it('comes beside everything else that is wrong', () => {
    const { crls } = check({ 3: { revoked: true, detail: 'keyCompromise' } })
    const result = walk([makeLeaf({ serial: 3, notAfter: NOW - 1000 }), intermediate], [], { crls })
    expect(codes(result)).toEqual(['1 UNABLE_TO_GET_ISSUER_CERT_LOCALLY', '0 CERT_HAS_EXPIRED', '0 CERT_REVOKED'])
    expect(result.failures.at(-1)?.message).toBe('certificate revoked: keyCompromise')
  })

  it('costs no more than is granted', () => {
    const { crls } = check({})
    expect(codes(walk(chain, [root], { crls, limits: { signatureChecks: 3 } }))).not.toEqual([])
    expect(codes(walk(chain, [root], { crls, limits: { signatureChecks: 4 } }))).toEqual([])
  })
})

describe('lists at hand', () => {
  const list = (revoked: readonly number[], signer: 'root' | 'intermediate', nextUpdate = NOW + 86_400_000) =>
    createCrl({
      issuer: {
        certificate: signer === 'root' ? root : intermediate,
        privateKey: keys[signer].privateKey,
      },
      thisUpdate: NOW - 3_600_000,
      nextUpdate,
      revoked: revoked.map((serial) => ({ serial, date: NOW - 7_200_000 })),
    })
  const judge = (lists: readonly ReturnType<typeof list>[], depth: 'leaf' | 'chain' = 'chain') =>
    codes(walk(chain, [root], { crls: crlCheck(lists, { depth, now: NOW }) }))

  it('decide', () => {
    expect(judge([list([], 'root'), list([], 'intermediate')])).toEqual([])
    expect(judge([list([], 'root'), list([3], 'intermediate')])).toEqual(['0 CERT_REVOKED'])
    expect(judge([list([2], 'root'), list([3], 'intermediate')])).toEqual(['1 CERT_REVOKED', '0 CERT_REVOKED'])
    expect(judge([list([2], 'root'), list([], 'intermediate')], 'leaf')).toEqual([])
  })

  it('refuse where they are missing or old', () => {
    expect(judge([])).toEqual(['1 UNABLE_TO_GET_CRL', '0 UNABLE_TO_GET_CRL'])
    expect(judge([list([], 'intermediate')])).toEqual(['1 UNABLE_TO_GET_CRL'])
    expect(judge([list([], 'root'), list([], 'intermediate', NOW - 1_000)])).toEqual(['0 CRL_HAS_EXPIRED'])
  })
})
