import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  createCheckServerIdentity,
  matchHostname,
  PublicSuffixList,
  type SchemeName,
  schemes,
  verifyHostname,
} from '../src/index.ts'
import { certificate, extension } from './certificate.ts'

const runs = Number(process.env['FUZZ_RUNS'] ?? 2000)
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31)
const parameters = { numRuns: runs, seed } // fast-check prints the seed with a failure

const anyHost = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc
    .array(fc.constantFrom(...'a.*-_:%[]0129xn﹒。．\u0000\n\u00e4\u0660\ud800'.split('')), { maxLength: 20 })
    .map((all) => all.join('')),
  fc.constantFrom('www.example.org', '10.1.2.3', '::1', 'löwe.example.org'),
)
const scheme = fc.constantFrom(...(Object.keys(schemes).filter((name) => name !== 'none') as SchemeName[]))

/** Whatever comes out is a verdict or has a code. */
function isCoded(work: () => unknown): void {
  try {
    work()
  } catch (error) {
    expect((error as { code?: unknown }).code).toMatch(/^ERR_(HOSTNAME|INVALID_ARG)_/)
  }
}

it('random hosts and names: nothing uncoded, and a match is a name of the certificate', () => {
  fc.assert(
    fc.property(anyHost, fc.array(anyHost, { maxLength: 4 }), anyHost, scheme, (host, names, commonName, rules) => {
      const der = certificate(
        names.map((name) => Buffer.from(name, 'latin1').toString('latin1')),
        Buffer.from(commonName).toString(),
      )
      isCoded(() => verifyHostname(der, host, { scheme: rules }))
      const match = matchHostname(der, host, { scheme: rules })
      if (match !== undefined) expect(host).not.toMatch(/[\x00-\x20*%[\]\u0660﹒。．\ud800]/)
      expect(createCheckServerIdentity({ scheme: rules })(host, { raw: der }) === undefined).toBe(match !== undefined)
    }),
    parameters,
  )
})

it('bytes that were flipped, cut and repeated: nothing uncoded', () => {
  const good = certificate(['www.example.org', '*.example.net', 'ip:10.1.2.3'], 'example.com')
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      fc.nat(good.length),
      anyHost,
      (flips, cut, host) => {
        const bytes = Uint8Array.from(good)
        for (const [at, value] of flips) bytes[at] = value
        for (const der of [bytes, bytes.subarray(0, cut), Buffer.concat([bytes.subarray(0, cut), bytes])]) {
          isCoded(() => verifyHostname(der, host))
          isCoded(() => verifyHostname(der, 'a.example.net'))
          expect(createCheckServerIdentity()(host, { raw: der })).not.toBe(null)
        }
      },
    ),
    parameters,
  )
})

it('random bytes as certificate and as subjectAltName: nothing uncoded, nothing accepted', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      isCoded(() => verifyHostname(bytes, 'www.example.org'))
      expect(matchHostname(bytes, 'www.example.org')).toBeUndefined()
      expect(
        matchHostname(certificate(undefined, 'x', [extension('2.5.29.17', bytes)]), 'www.example.org'),
      ).toBeUndefined()
    }),
    parameters,
  )
})

it('random lists of public suffixes: nothing uncoded, and the suffix is a tail of the host', () => {
  fc.assert(
    fc.property(fc.array(anyHost, { maxLength: 5 }), anyHost, (rules, host) => {
      isCoded(() => {
        const suffix = PublicSuffixList.fromString(rules.join('\n')).publicSuffix(host)
        if (suffix !== undefined) expect(host.toLowerCase().endsWith(suffix)).toBe(true)
      })
    }),
    parameters,
  )
})
