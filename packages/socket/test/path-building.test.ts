import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isExplained, listedAnchors } from '../src/verify/path/index.ts'
import {
  authorityKeyId,
  basicConstraints,
  caExtensions,
  codes,
  depthsOf,
  keys,
  keyUsage,
  leafExtensions,
  makeCertificate,
  makeIntermediate,
  makeLeaf,
  makeRoot,
  NOW,
  subjectKeyId,
  walk,
} from './path-support.ts'

const root = makeRoot()
const intermediate = makeIntermediate()
const leaf = makeLeaf()

describe('where a path ends', () => {
  it('at a trusted root, whether the peer sends it or not', () => {
    for (const chain of [
      [leaf, intermediate],
      [leaf, intermediate, root],
    ]) {
      const result = walk(chain, [root])
      expect(codes(result)).toEqual([])
      expect(result.anchor).toEqual(root)
      expect(depthsOf(result, [leaf, intermediate, root])).toEqual([0, 1, 2])
    }
  })

  it.each([
    ['no certificate', [], ['0 ERR_SECURE_SOCKET_CHAIN_EMPTY']],
    ['no certificate, but something', [Uint8Array.of(0x30, 0)], ['0 ERR_SECURE_SOCKET_CHAIN_MALFORMED']],
    ['an issuer that nobody has', [leaf], ['0 UNABLE_TO_GET_ISSUER_CERT_LOCALLY', '0 UNABLE_TO_VERIFY_LEAF_SIGNATURE']],
    ['a root that nobody has', [leaf, intermediate], ['1 UNABLE_TO_GET_ISSUER_CERT_LOCALLY']],
    ['a root that nobody trusts', [leaf, intermediate, root], ['2 SELF_SIGNED_CERT_IN_CHAIN']],
    [
      'a leaf that signs itself',
      [makeLeaf({ issuer: 'www.example.org', signer: keys.leaf })],
      ['0 DEPTH_ZERO_SELF_SIGNED_CERT'],
    ],
  ] as const)('%s', (_name, chain, expected) => {
    const result = walk(chain, [])
    expect(codes(result)).toEqual(expected)
    expect(result.anchor).toBeUndefined()
  })

  it('a root of the same name and another key is not the root', () => {
    const impostor = makeRoot({ key: keys.other })
    expect(codes(walk([leaf, intermediate], [impostor]))).toEqual(['1 CERT_SIGNATURE_FAILURE'])
    expect(codes(walk([leaf, intermediate, root], [impostor]))).toContain('1 CERT_SIGNATURE_FAILURE')
  })

  it('a root of another name and the same key is not the root', () => {
    const codesOf = codes(walk([makeLeaf({ issuer: 'Another root', signer: keys.root })], [root]))
    expect(codesOf).toEqual(['0 UNABLE_TO_GET_ISSUER_CERT_LOCALLY', '0 UNABLE_TO_VERIFY_LEAF_SIGNATURE'])
  })

  it('an intermediate is an anchor only where partial chains are allowed', () => {
    expect(codes(walk([leaf, intermediate], [intermediate]))).toEqual(['1 UNABLE_TO_GET_ISSUER_CERT'])
    const partial = walk([leaf, intermediate], [intermediate], { partialChain: true })
    expect(codes(partial)).toEqual([])
    expect(partial.anchor).toEqual(intermediate)
    expect(codes(walk([leaf], [intermediate], { partialChain: true }))).toEqual([])
  })

  it('a leaf is an anchor where partial chains are allowed, or where it signs itself', () => {
    expect(codes(walk([leaf], [leaf]))).not.toEqual([])
    expect(walk([leaf], [leaf], { partialChain: true })).toMatchObject({ failures: [], anchor: leaf })
    const alone = makeLeaf({ issuer: 'www.example.org', signer: keys.leaf })
    expect(walk([alone], [alone])).toMatchObject({ failures: [], anchor: alone })
  })

  it('an anchor still has to be valid, and made for its use', () => {
    const expired = makeLeaf({ notAfter: NOW - 1000 })
    expect(codes(walk([expired], [expired], { partialChain: true }))).toEqual(['0 CERT_HAS_EXPIRED'])
  })

  it('a trusted leaf whose name is another one’s is not trusted', () => {
    expect(codes(walk([leaf], [makeLeaf({ serial: 2 })], { partialChain: true }))).not.toEqual([])
  })

  it('nothing is trusted without anchors, whatever the options', () => {
    for (const partialChain of [true, false])
      expect(walk([leaf, intermediate, root], [], { partialChain }).failures).not.toEqual([])
  })

  it('what is distrusted refuses, whoever shows it', () => {
    for (const [depth, certificate] of [leaf, intermediate, root].entries()) {
      const anchors = {
        ...listedAnchors([root]),
        isDistrusted: (der: Uint8Array) => Buffer.compare(der, certificate) === 0,
      }
      expect(codes(walk([leaf, intermediate], [], { anchors }))).toEqual([`${depth} CERT_REJECTED`])
    }
  })
})

describe('several candidates', () => {
  const fresh = generateKeyPairSync('ec', { namedCurve: 'P-256' })

  it('takes the issuer that is valid, in any order of what was sent', () => {
    const expired = makeIntermediate({ notAfter: NOW - 1000, serial: 2 })
    const foreign = makeIntermediate({ key: keys.other, serial: 3 })
    const sent = [expired, foreign, intermediate, root]
    fc.assert(
      fc.property(fc.shuffledSubarray(sent, { minLength: 4 }), (order) => {
        const result = walk([leaf, ...order], [root])
        expect(codes(result)).toEqual([])
        expect(depthsOf(result, [leaf, intermediate, root])).toEqual([0, 1, 2])
      }),
      { numRuns: 24 },
    )
  })

  it('comes back from an issuer that leads nowhere: a cross-signed CA', () => {
    const toUnknown = makeIntermediate({ issuer: 'Old root', signer: keys.other, serial: 2 })
    expect(codes(walk([leaf, toUnknown, intermediate], [root]))).toEqual([])
    const expiredOldRoot = makeRoot({ subject: 'Old root', key: keys.other, notAfter: NOW - 1000 })
    expect(codes(walk([leaf, toUnknown, intermediate], [expiredOldRoot, root]))).toEqual([])
  })

  it('comes back from a path whose constraints do not hold', () => {
    const narrow = makeIntermediate({
      subject: 'Narrow',
      key: fresh,
      extensions: [basicConstraints(true, 0), keyUsage(5)],
    })
    const wide = makeIntermediate({ subject: 'Narrow', key: fresh, serial: 2 })
    const second = makeIntermediate({ subject: 'Intermediate', issuer: 'Narrow', signer: fresh, serial: 3 })
    expect(codes(walk([leaf, second, narrow, wide], [root]))).toEqual([])
    expect(codes(walk([leaf, second, narrow], [root]))).toEqual(['2 PATH_LENGTH_EXCEEDED'])
  })

  it('uses further intermediates, and trusts them no more than the peer’s', () => {
    expect(codes(walk([leaf], [root], { intermediates: [intermediate] }))).toEqual([])
    expect(walk([leaf], [], { intermediates: [intermediate, root] }).anchor).toBeUndefined()
  })

  it('follows a CA whose new key is signed with its old one', () => {
    const oldWithNew = makeIntermediate({ key: fresh, issuer: 'Intermediate', signer: keys.intermediate, serial: 9 })
    expect(codes(walk([makeLeaf({ signer: fresh }), oldWithNew, intermediate], [root]))).toEqual([])
  })

  it('passes over what is no certificate', () => {
    expect(codes(walk([leaf, Uint8Array.of(1, 2, 3), intermediate], [root]))).toEqual([])
  })

  it('prefers the issuer with the key identifier', () => {
    const identified = makeIntermediate({ extensions: [...caExtensions, subjectKeyId(7)] })
    const withKeyId = makeLeaf({ extensions: [...leafExtensions, authorityKeyId(7)] })
    const result = walk([withKeyId, intermediate, identified], [root])
    expect(depthsOf(result, [withKeyId, identified, root])).toEqual([0, 1, 2])
  })

  it('reports the path that comes nearest', () => {
    const foreign = makeIntermediate({ key: keys.other, serial: 3 })
    const result = walk([makeLeaf({ notAfter: NOW - 1000 }), foreign, intermediate], [root])
    expect(codes(result)).toEqual(['0 CERT_HAS_EXPIRED'])
  })

  it('an empty name names no issuer', () => {
    const nameless = makeRoot({ subject: '' })
    const result = walk([makeLeaf({ issuer: '', signer: keys.root })], [nameless])
    expect(codes(result)).toEqual(['0 ISSUER_NAME_EMPTY'])
  })
})

describe('bounds', () => {
  /** `count` CAs, each issued by the one before, and a leaf. */
  function tower(count: number): { chain: Uint8Array[]; anchor: Uint8Array } {
    const anchor = makeRoot({ subject: 'CA 0' })
    const chain: Uint8Array[] = []
    for (let i = 1; i <= count; i++)
      chain.unshift(makeRoot({ subject: `CA ${i}`, issuer: `CA ${i - 1}`, signer: keys.root }))
    chain.unshift(makeLeaf({ issuer: `CA ${count}`, signer: keys.root }))
    return { chain, anchor }
  }

  it('counts the certificates between leaf and anchor', () => {
    const { chain, anchor } = tower(10)
    expect(codes(walk(chain, [anchor]))).toEqual([])
    const longer = tower(11)
    expect(codes(walk(longer.chain, [longer.anchor]))).toEqual(['11 CERT_CHAIN_TOO_LONG'])
    expect(codes(walk(chain, [anchor], { limits: { pathLength: 9 } }))).toEqual(['10 CERT_CHAIN_TOO_LONG'])
    expect(codes(walk([leaf, intermediate], [root], { limits: { pathLength: 0 } }))).toEqual(['1 CERT_CHAIN_TOO_LONG'])
    expect(codes(walk([leaf, intermediate], [root], { limits: { pathLength: Number.NaN } }))).not.toEqual([])
  })

  it('a hundred certificates in a row, and one more', () => {
    const { chain, anchor } = tower(99)
    expect(codes(walk(chain, [anchor]))).toEqual(['11 CERT_CHAIN_TOO_LONG'])
    expect(codes(walk([...chain, leaf], [anchor]))).toEqual(['0 ERR_SECURE_SOCKET_CHAIN_LIMIT'])
  })

  it('a cycle of two CAs that certify each other', () => {
    const a = makeRoot({ subject: 'A', issuer: 'B' })
    const b = makeRoot({ subject: 'B', issuer: 'A' })
    const result = walk([makeLeaf({ issuer: 'A', signer: keys.root }), a, b], [root])
    expect(codes(result)).toEqual(['2 UNABLE_TO_GET_ISSUER_CERT_LOCALLY'])
  })

  /** Every CA of one layer is certified by every CA of the next: paths multiply, certificates only add up. */
  function lattice(width: number, layers: number): Uint8Array[] {
    const chain: Uint8Array[] = []
    for (let layer = 0; layer < layers; layer++)
      for (let i = 0; i < width; i++)
        chain.push(
          makeRoot({
            subject: `Layer ${layer}`,
            issuer: `Layer ${layer + 1}`,
            serial: layer * 100 + i + 1,
            signer: keys.root,
          }),
        )
    return [makeLeaf({ issuer: 'Layer 0', signer: keys.root }), ...chain]
  }
  it('cross-signed CAs whose paths grow exponentially', () => {
    const chain = lattice(9, 9)
    const result = walk(chain, [root])
    expect(codes(result)).toContain('0 ERR_SECURE_SOCKET_CHAIN_LIMIT')
    expect(result.work.signatureChecks).toBeLessThanOrEqual(51)
    const patient = walk(chain, [root], { limits: { signatureChecks: 1_000 } })
    expect(codes(patient)).toContain('0 ERR_SECURE_SOCKET_CHAIN_LIMIT')
    expect(patient.work).toMatchObject({ steps: 10_001, nameConstraintComparisons: 0 })
    expect(patient.work.signatureChecks).toBeLessThan(1_000)
  })

  it.each(['signatureChecks', 'steps', 'certificates'] as const)('no %s granted, no path', (limit) => {
    for (const amount of [0, Number.NaN])
      expect(codes(walk([leaf, intermediate], [root], { limits: { [limit]: amount } }))).toContain(
        '0 ERR_SECURE_SOCKET_CHAIN_LIMIT',
      )
  })
})

describe('agreement with OpenSSL’s verdict', () => {
  const failures = walk([makeLeaf({ notAfter: NOW - 1000 }), intermediate], [root]).failures

  it.each([
    ['CERT_HAS_EXPIRED', undefined, true],
    ['CERT_REVOKED', undefined, false],
    ['CERT_NOT_YET_VALID', 'certificate has expired', false],
    ['UNSPECIFIED', undefined, false],
    ['UNSPECIFIED', 'certificate has expired', true],
    ['UNSPECIFIED', 'permitted subtree violation', false],
    ['', '', false],
  ])('%s (%s): %s', (code, reason, expected) => {
    expect(isExplained(code, failures, reason)).toBe(expected)
    expect(isExplained(code, [], reason)).toBe(false)
  })

  it('a made-up code explains nothing', () => {
    expect(isExplained('UNSPECIFIED', [{ code: 'toString' }], 'function toString() { [native code] }')).toBe(false)
  })
})

it('a certificate that names itself as issuer is not walked forever', () => {
  const loop = makeCertificate({
    subject: 'Loop',
    issuer: 'Loop',
    key: keys.leaf,
    signer: keys.other,
    extensions: caExtensions,
  })
  expect(codes(walk([makeLeaf({ issuer: 'Loop', signer: keys.leaf }), loop], [root]))).toEqual([
    '1 SELF_SIGNED_CERT_IN_CHAIN',
  ])
})
