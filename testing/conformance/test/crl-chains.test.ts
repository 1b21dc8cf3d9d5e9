import { isRevoked } from '@x/crl'
import { CertificateView, sameBytes } from '@x/der/x509'
import { toCertificateDer } from '@x/utils'
import { describe, expect, it } from 'vitest'
import { corpus, type Difference, expectExceptions } from '../src/corpus.ts'

interface ChainCase {
  readonly name: string
  readonly trust_anchors: readonly string[]
  readonly intermediates: readonly string[]
  readonly leaf: string
  readonly crls: readonly string[]
  readonly crl_check: boolean
  readonly time: string | null
  readonly expected: 'valid' | 'invalid'
}

/** PKITS 4.4 (revocation), 4.14 (distribution points), 4.15 (deltas). */
const SECTIONS = /^4\.(4|14|15)\./

/**
 * Every certificate of the path is asked for; the path is the one that names and nothing else give, since these sections
 * have no other. A path is good where every answer is. Signatures and the rest of RFC 5280 are for who validates paths.
 */
function answers(row: ChainCase): string[] {
  const pool = [...row.intermediates, ...row.trust_anchors].map((pem) => toCertificateDer(pem))
  const path = [toCertificateDer(row.leaf)]
  for (let i = 0; i < 6; i++) {
    const current = new CertificateView(path[i] as Uint8Array)
    if (sameBytes(current.issuer, current.subject)) break
    const issuer = pool.find(
      (der) => sameBytes(new CertificateView(der).subject, current.issuer) && canSignCertificates(der),
    )
    if (issuer === undefined) break
    path.push(issuer)
  }
  return path.slice(0, -1).map((certificate, i) => {
    const status = isRevoked(certificate, path[i + 1] as Uint8Array, {
      crls: row.crls,
      chain: path.slice(i + 2),
      crlIssuers: row.intermediates,
      now: new Date(row.time ?? Date.now()),
    })
    return status.status === 'unknown' ? status.code : status.status
  })
}

function canSignCertificates(der: Uint8Array): boolean {
  const usage = new CertificateView(der).extension('2.5.29.15')
  return usage === undefined || ((usage.value[3] as number) & 0x04) !== 0
}

const pkits = corpus<ChainCase>('chains/pkits.jsonl')
const limbo = corpus<ChainCase>('chains/limbo-2023.jsonl')

describe.skipIf(pkits === undefined)('PKITS', () => {
  it('sections 4.4, 4.14 and 4.15: revoked and undecided are refused, good is good', () => {
    const rows = (pkits ?? []).filter(({ name }) => SECTIONS.test(name))
    expect(rows).toHaveLength(66)
    const differences: Difference[] = []
    for (const row of rows) {
      const found = answers(row)
      const actual = found.every((status) => status === 'good') ? 'valid' : 'invalid'
      if (process.env['SHOW'] !== undefined) console.log(row.name, row.expected, found.join(' '))
      if (actual !== row.expected) differences.push({ id: row.name, expected: row.expected, actual: found.join(' ') })
    }
    expectExceptions('crl-pkits', differences)
  })
})

describe.skipIf(limbo === undefined)('x509-limbo 2023', () => {
  it('has no case with revocation lists', () => {
    expect((limbo ?? []).filter(({ crls, crl_check }) => crl_check || crls.length > 0)).toEqual([])
  })
})
