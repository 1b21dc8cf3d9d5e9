import { PublicSuffixList } from '@x/verify-hostname'
import { pslList } from '@x/verify-hostname/psl'
import { describe, expect, it } from 'vitest'
import { corpus, type Difference, expectExceptions } from '../src/corpus.ts'

/** One of the Public Suffix List's official tests: the registrable domain, null where there is none. */
interface OfficialTest {
  readonly input: string | null
  readonly expected: string | null
}

interface Answer {
  readonly suffix: string | null
  readonly rest: string | null
  readonly suffix1: string | null
  readonly rest1: string | null
}

/** What the original said, with the ICANN section, for a minimum of no, one and two labels. */
interface OriginalRow {
  readonly host: string
  readonly min0: Answer
  readonly min1: Answer
  readonly min2: Answer
}

const lists = { icann: PublicSuffixList.default(), psl: pslList }

describe.each(['tests', 'test_psl'])("the list's official %s", (name) => {
  const rows = corpus<OfficialTest>(`psl/${name}.jsonl`)

  it.skipIf(rows === undefined).each(Object.entries(lists))(
    'pass with %s, but for the listed exceptions',
    (list, suffixes) => {
      expect(rows).toHaveLength(78)
      const differences: Difference[] = []
      for (const { input, expected } of rows ?? []) {
        if (input === null) continue // no name at all: a TypeError here, as the package's own tests show
        const actual = registrable(suffixes, input)
        if (actual !== expected) differences.push({ id: input, expected, actual })
      }
      expectExceptions(`verify-hostname-psl-${list}`, differences)
    },
  )
})

/** Both files hold the same tests. */
function registrable(list: PublicSuffixList, host: string): string | null {
  const suffix = list.publicSuffix(host)
  const domain = list.publicSuffix(host, 1)
  return suffix === undefined || domain === undefined || domain === suffix ? null : domain
}

describe("the original's table of public suffixes", () => {
  const rows = corpus<OriginalRow>('psl/original_public_suffix.jsonl')

  it.skipIf(rows === undefined)('is ours by the default list, but for the listed exceptions', () => {
    expect(rows).toHaveLength(2759)
    expectExceptions('verify-hostname-public-suffix', differences('min1', PublicSuffixList.default()))
  })

  it.skipIf(rows === undefined).each([0, 1, 2] as const)('is ours with its own rules and minSuffix %i', (minSuffix) => {
    const found = differences(`min${minSuffix}`, PublicSuffixList.fromString(rulesOf(rows ?? []), { minSuffix }))
    expectExceptions('verify-hostname-public-suffix-rules', found)
  })

  function differences(column: 'min0' | 'min1' | 'min2', list: PublicSuffixList): Difference[] {
    return (rows ?? []).flatMap((row) => {
      const { rest, suffix, rest1, suffix1 } = row[column]
      const [split, split1] = [list.split(row.host), list.split(row.host, 1)]
      const expected = [rest, suffix, rest1, suffix1]
      const actual = [split?.rest ?? null, split?.suffix ?? null, split1?.rest ?? null, split1?.suffix ?? null]
      return JSON.stringify(actual) === JSON.stringify(expected) ? [] : [{ id: row.host, expected, actual }]
    })
  }
})

/**
 * The list that the table was made with is not at hand, but every suffix named in it without a minimum is a rule of that
 * list; where the table says that such a suffix itself has another one, it came from an exception below a wildcard.
 */
function rulesOf(rows: readonly OriginalRow[]): string {
  const suffixes = new Map(rows.map(({ host, min0 }) => [host, min0.suffix]))
  const rules = new Set<string>()
  for (const { min0 } of rows) {
    const { suffix, rest } = min0
    if (suffix === null || suffix.endsWith('.')) continue
    if ((suffixes.get(suffix) ?? suffix) === suffix) rules.add(suffix)
    else rules.add(`*.${suffix}`).add(`!${rest?.split('.').at(-1)}.${suffix}`)
  }
  return [...rules].join('\n')
}
