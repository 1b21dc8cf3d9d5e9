import { matchHostname, PublicSuffixList, type Scheme, type SchemeName } from '@x/verify-hostname'
import { describe, expect, it } from 'vitest'
import { corpus, type Difference, expectExceptions } from '../src/corpus.ts'

/** A scheme of one's own as the original takes it. */
interface OriginalScheme {
  readonly check_cn?: unknown
  readonly wildcards_in_alt?: unknown
  readonly wildcards_in_cn?: unknown
  readonly ip_in_cn?: unknown
}

interface Case {
  readonly id: number
  readonly cert: string
  readonly host: string
  readonly scheme: SchemeName | OriginalScheme
  readonly ps: 'default' | 'off' | { readonly list: string; readonly min_suffix?: number }
  readonly expected: 0 | 1
  readonly rfc9525: 0 | 1 | null
}

const cases = corpus<Case>('hostname/cases.jsonl')
const certificates = new Map(
  corpus<{ id: string; pem: string }>('hostname/certs.jsonl')?.map(({ id, pem }) => [id, pem]),
)

const verdicts = (cases ?? []).map((row) => {
  const pem = certificates.get(row.cert) ?? ''
  const accepted =
    matchHostname(pem, row.host, { scheme: ourScheme(row.scheme), publicSuffix: ourList(row.ps) }) !== undefined
  // The column knows nothing of public suffixes: it is the RFC alone.
  const byRfc9525 = matchHostname(pem, row.host, { scheme: 'rfc9525', publicSuffix: 'none' }) !== undefined
  return { ...row, accepted: accepted ? 1 : 0, byRfc9525: byRfc9525 ? 1 : 0 }
})

describe.skipIf(cases === undefined)("the original's answers", () => {
  it('are ours, but for the listed exceptions', () => {
    expect(verdicts.length).toBeGreaterThan(24_000)
    const differences: Difference[] = verdicts
      .filter(({ accepted, expected }) => accepted !== expected)
      .map(({ id, expected, accepted }) => ({ id, expected, actual: accepted }))
    expectExceptions('verify-hostname-cases', differences)
  })

  it('are never made laxer', () => {
    expect(verdicts.filter(({ accepted, expected }) => accepted === 1 && expected === 0)).toEqual([])
  })

  it('by RFC 9525 are ours, wherever there is an opinion', () => {
    const withOpinion = verdicts.filter(({ rfc9525 }) => rfc9525 !== null)
    expect(withOpinion.length).toBeGreaterThan(20_000)
    expect(withOpinion.filter(({ byRfc9525, rfc9525 }) => byRfc9525 !== rfc9525)).toEqual([])
  })
})

function ourScheme(scheme: Case['scheme']): SchemeName | Scheme {
  if (typeof scheme === 'string') return scheme
  if (Object.keys(scheme).length === 0) return 'none'
  return {
    sanWildcard: wildcards(scheme.wildcards_in_alt),
    commonNameWildcard: wildcards(scheme.wildcards_in_cn),
    commonName:
      scheme.check_cn === 'always' ? 'always' : scheme.check_cn === 'when_only' ? 'when-no-dns-name' : 'never',
    ipInCommonName: scheme.ip_in_cn === 4 ? 'ipv4' : scheme.ip_in_cn === 6 ? 'ipv6' : scheme.ip_in_cn ? 'any' : 'never',
  }
}

function wildcards(value: unknown): 'none' | 'whole-label' | 'within-label' {
  if (value === 'anywhere') return 'within-label'
  return value === 'full_label' || value === 'leftmost' ? 'whole-label' : 'none'
}

function ourList(ps: Case['ps']): 'icann' | 'none' | PublicSuffixList {
  if (ps === 'default') return 'icann'
  if (ps === 'off') return 'none'
  return PublicSuffixList.fromString(ps.list, ps.min_suffix === undefined ? {} : { minSuffix: ps.min_suffix })
}
