import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  altNames,
  authorityKeyId,
  caExtensions,
  dns,
  extendedKeyUsage,
  leafExtensions,
  makeIntermediate,
  makeLeaf,
  makeRoot,
  nameConstraints,
  serverAuth,
  subjectKeyId,
  walk,
} from './path-support.ts'

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 1_500)

const root = makeRoot()
const intermediate = makeIntermediate({
  extensions: [...caExtensions, subjectKeyId(1), nameConstraints([dns('example.org')], [dns('evil.example.org')])],
})
const leaf = makeLeaf({
  extensions: [
    ...leafExtensions,
    authorityKeyId(1),
    extendedKeyUsage(serverAuth),
    { oid: '2.5.29.32', value: Buffer.of(0x30, 6, 0x30, 4, 6, 2, 0x2a, 3) },
  ],
})
const valid = [leaf, intermediate]

it('the certificates are valid as they are', () => {
  expect(walk(valid, [root], { policies: { explicitPolicy: false } }).failures).toEqual([])
})

/** One of the certificates with some octets changed, cut off or put in. */
const damaged = fc.record({
  which: fc.nat(1),
  edits: fc.array(
    fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom('flip', 'cut', 'insert'), fc.nat(255)),
    { minLength: 1, maxLength: 3 },
  ),
})

function damage(der: Uint8Array, edits: readonly (readonly [number, string, number])[]): Uint8Array {
  let bytes = Buffer.from(der)
  for (const [at, kind, value] of edits) {
    const i = Math.min(bytes.length - 1, Math.floor(at * bytes.length))
    if (kind === 'flip') bytes[i] = (bytes[i] as number) ^ (value || 1)
    else if (kind === 'cut') bytes = bytes.subarray(0, i)
    else bytes = Buffer.concat([bytes.subarray(0, i), Buffer.of(value), bytes.subarray(i)])
    if (bytes.length === 0) return bytes
  }
  return bytes
}

it('damage is refused with codes, and never more than that', () => {
  fc.assert(
    fc.property(damaged, ({ which, edits }) => {
      const chain = [...valid]
      chain[which] = damage(chain[which] as Uint8Array, edits)
      if (Buffer.compare(chain[which], valid[which] as Uint8Array) === 0) return
      const result = walk(chain, [root], { policies: {}, strict: true })
      expect(result.failures.length).toBeGreaterThan(0)
      for (const { code, depth } of result.failures) {
        expect(code).toMatch(/^[A-Z][A-Z0-9_]+$/)
        expect(depth).toBeGreaterThanOrEqual(0)
      }
    }),
    { numRuns },
  )
})

it('anything at all is refused', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }), (chain) => {
      expect(walk(chain, [root], { partialChain: true }).failures.length).toBeGreaterThan(0)
    }),
    { numRuns },
  )
})

it('damaged anchors are no anchors', () => {
  fc.assert(
    fc.property(damaged, ({ edits }) => {
      const broken = damage(root, edits)
      const result = walk(valid, [broken], { partialChain: true })
      // the anchor's own signature proves nothing: where only that is damaged, it is the anchor it was
      if (result.failures.length === 0) expect(result.anchor).toBe(broken)
    }),
    { numRuns: Math.ceil(numRuns / 3) },
  )
})

it('names that lie in wait for an encoder', () => {
  for (const text of ['', '.', '*', '*.*', 'a'.repeat(70_000), '\0', 'xn--', '..example.org'])
    expect(walk([makeLeaf({ extensions: [altNames(dns(text))] }), intermediate], [root]).failures).not.toEqual([])
})
