import { createCertificate, type GeneralName } from '@x/utils'
import { matchHostname, type SchemeName } from '@x/verify-hostname'
import { describe, expect, it } from 'vitest'
import { corpus, type Difference, expectExceptions } from '../src/corpus.ts'

interface Row {
  readonly cn: string | null
  readonly san: readonly (readonly [type: 'DNS' | 'IP', value: string])[]
  readonly host: string
  readonly scheme: SchemeName
  readonly expected: 0 | 1
}

const rows = corpus<Row>('hostname/original_tests.jsonl')

describe.skipIf(rows === undefined)("the original's own tests", () => {
  it('pass, but for the listed exceptions', () => {
    expect(rows).toHaveLength(144)
    const differences: Difference[] = []
    for (const [id, { cn, san, host, scheme, expected }] of (rows ?? []).entries()) {
      const { certificate } = createCertificate({
        subject: cn === null ? {} : { commonName: cn },
        subjectAltNames: san.map(([type, value]): GeneralName => [type, value]),
      })
      const actual = matchHostname(certificate, host, { scheme }) === undefined ? 0 : 1
      if (actual !== expected) differences.push({ id, expected, actual })
    }
    expectExceptions('verify-hostname-original-tests', differences)
  })
})
