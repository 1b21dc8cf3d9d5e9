import { clientHelloFingerprint } from '@x/socket'
import { describe, expect, it } from 'vitest'
import { corpus, type Difference, expectExceptions } from '../src/corpus.ts'

interface Row {
  readonly client_hello: string
  readonly pcap: string
  readonly ja3_tshark: string
  readonly ja3_full_tshark: string
  readonly ja4?: string
  readonly ja4_r?: string
  readonly ja4_o?: string
  readonly ja4_ro?: string
}

const rows = corpus<Row>('ja/ja_vectors.jsonl')

describe.skipIf(rows === undefined)('JA3 and JA4 of recorded ClientHellos', () => {
  it('agree with the reference tools', () => {
    const differences: Difference[] = []
    for (const [index, row] of (rows ?? []).entries()) {
      const found = clientHelloFingerprint(Buffer.from(row.client_hello, 'hex'))
      const pairs = [
        ['ja3', row.ja3_tshark, found.ja3],
        ['ja3_full', row.ja3_full_tshark, found.ja3Text],
        ['ja4', row.ja4, found.ja4],
        ['ja4_r', row.ja4_r, found.ja4Text],
        ['ja4_o', row.ja4_o, found.ja4Ordered],
        ['ja4_ro', row.ja4_ro, found.ja4OrderedText],
      ] as const
      for (const [what, expected, actual] of pairs)
        if (expected !== undefined && expected !== actual)
          differences.push({ id: `${row.pcap}#${index} ${what}`, expected, actual })
    }
    expect(rows?.length).toBeGreaterThan(0)
    expectExceptions('ja-fingerprints', differences)
  })
})
