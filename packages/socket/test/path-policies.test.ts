import { contextTag, element, integer, nullElement, oid, sequence } from '@x/der'
import { describe, expect, it } from 'vitest'
import type { PolicyInputs } from '../src/verify/path/index.ts'
import {
  caExtensions,
  codes,
  type Extension,
  keys,
  leafExtensions,
  makeIntermediate,
  makeLeaf,
  makeRoot,
  walk,
} from './path-support.ts'

const A = '1.2.3.1'
const B = '1.2.3.2'
const ANY = '2.5.29.32.0'

const policies = (...list: readonly string[]): Extension => ({
  oid: '2.5.29.32',
  value: sequence(...list.map((policy) => sequence(oid(policy)))),
})
const mappings = (...pairs: readonly (readonly [string, string])[]): Extension => ({
  oid: '2.5.29.33',
  value: sequence(...pairs.map(([issuer, subject]) => sequence(oid(issuer), oid(subject)))),
})
const constraints = (explicit?: number, mapping?: number): Extension => ({
  oid: '2.5.29.36',
  value: sequence(
    ...(explicit === undefined ? [] : [element(contextTag(0), integer(explicit).subarray(2))]),
    ...(mapping === undefined ? [] : [element(contextTag(1), integer(mapping).subarray(2))]),
  ),
})
const inhibitAny = (skip: number): Extension => ({ oid: '2.5.29.54', value: integer(skip) })

function judge(intermediate: readonly Extension[], leaf: readonly Extension[], inputs?: PolicyInputs) {
  const chain = [
    makeLeaf({ extensions: [...leafExtensions, ...leaf] }),
    makeIntermediate({ extensions: [...caExtensions, ...intermediate] }),
  ]
  const result = walk(chain, [makeRoot()], inputs === undefined ? {} : { policies: inputs })
  return { codes: codes(result), policies: [...result.policies].sort() }
}

const explicit = { explicitPolicy: true }

describe('policies', () => {
  it.each([
    ['nobody asks', [], [], undefined, [], []],
    ['no policies, none needed', [], [], {}, [], []],
    ['no policies, one needed', [], [], explicit, ['1 NO_EXPLICIT_POLICY'], []],
    ['the same policy throughout', [policies(A)], [policies(A)], explicit, [], [A]],
    ['another policy below', [policies(A)], [policies(B)], explicit, ['0 NO_EXPLICIT_POLICY'], []],
    ['any policy above', [policies(ANY)], [policies(B)], explicit, [], [B]],
    ['any policy throughout', [policies(ANY)], [policies(ANY)], explicit, [], [ANY]],
    [
      'any policy, and one asked for',
      [policies(ANY)],
      [policies(ANY)],
      { ...explicit, initialPolicySet: [A] },
      [],
      [A],
    ],
    [
      'a policy that is not asked for',
      [policies(A)],
      [policies(A)],
      { ...explicit, initialPolicySet: [B] },
      ['0 NO_EXPLICIT_POLICY'],
      [],
    ],
    [
      'any policy where it is inhibited',
      [policies(ANY)],
      [policies(A)],
      { ...explicit, inhibitAnyPolicy: true },
      ['1 NO_EXPLICIT_POLICY'],
      [],
    ],
    [
      'any policy below where it is inhibited',
      [policies(A), inhibitAny(0)],
      [policies(ANY)],
      explicit,
      ['0 NO_EXPLICIT_POLICY'],
      [],
    ],
    ['a mapped policy', [policies(A), mappings([A, B])], [policies(B)], explicit, [], [A]],
    [
      'a mapped policy by its old name',
      [policies(A), mappings([A, B])],
      [policies(A)],
      explicit,
      ['0 NO_EXPLICIT_POLICY'],
      [],
    ],
    [
      'a mapping that is inhibited',
      [policies(A), mappings([A, B])],
      [policies(B)],
      { ...explicit, inhibitPolicyMapping: true },
      ['0 NO_EXPLICIT_POLICY'],
      [],
    ],
    ['a mapping under any policy', [policies(ANY), mappings([A, B])], [policies(B)], explicit, [], [A]],
    [
      'a mapping of any policy',
      [policies(ANY), mappings([ANY, B])],
      [policies(B)],
      undefined,
      ['1 INVALID_POLICY_EXTENSION'],
      [],
    ],
    [
      'a mapping to any policy',
      [policies(A), mappings([A, ANY])],
      [policies(B)],
      undefined,
      ['1 INVALID_POLICY_EXTENSION'],
      [],
    ],
    [
      'a CA that needs one from the next on',
      [policies(A), constraints(0)],
      [policies(B)],
      undefined,
      ['0 NO_EXPLICIT_POLICY'],
      [],
    ],
    ['a CA that needs one, and has it', [policies(A), constraints(0)], [policies(A)], undefined, [], [A]],
    ['a leaf that needs one itself', [], [constraints(0)], undefined, ['0 NO_EXPLICIT_POLICY'], []],
    [
      'the same policy twice',
      [policies(A)],
      [policies(A, A)],
      explicit,
      ['0 INVALID_POLICY_EXTENSION', '0 NO_EXPLICIT_POLICY'],
      [],
    ],
    ['empty constraints', [constraints()], [], undefined, ['1 INVALID_POLICY_EXTENSION'], []],
    [
      'malformed policies that are critical',
      [],
      [{ oid: '2.5.29.32', critical: true, value: nullElement() }],
      undefined,
      ['0 INVALID_POLICY_EXTENSION'],
      [],
    ],
  ] as const)('%s', (_name, intermediate, leaf, inputs, expected, found) => {
    const result = judge(intermediate, leaf, inputs)
    expect(result.codes).toEqual(expected)
    if (expected.length === 0) expect(result.policies).toEqual(found)
  })

  /** The tree of RFC 5280 doubles at each certificate here; the graph of RFC 9618 does not. */
  it('mappings that would multiply', () => {
    const names = Array.from({ length: 60 }, (_, i) => `1.2.3.${i + 1}`)
    const all = names.flatMap((issuer) => names.map((subject) => [issuer, subject] as const))
    const cas = Array.from({ length: 9 }, (_, i) =>
      makeRoot({
        subject: `CA ${i}`,
        issuer: i === 8 ? 'Root' : `CA ${i + 1}`,
        signer: keys.root,
        extensions: [...caExtensions, policies(...names), mappings(...all)],
      }),
    )
    const leaf = makeLeaf({ issuer: 'CA 0', signer: keys.root, extensions: [...leafExtensions, policies(...names)] })
    const result = walk([leaf, ...cas], [makeRoot()], { policies: explicit })
    expect(codes(result)).toEqual([])
    expect(result.policies).toHaveLength(60)
  }, 5_000)
})
