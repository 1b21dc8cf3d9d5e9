import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { measure } from './measure.ts'
import { judge, type RowResult, toTable, toText } from './report.ts'
import type { BenchRows } from './row.ts'

/** How often each subject is sampled; the goals speak of medians over at least 7. */
const ROUNDS = 9

const MARK = '<!-- results: written by `pnpm bench` -->'

export interface BenchFile {
  readonly topic: string
  readonly load: () => Promise<{ readonly default: BenchRows }>
}

export interface BenchOptions {
  /** A part of a row's name; undefined: all rows of the files given. */
  readonly only: string | undefined
  readonly check: boolean
  /** Where to write the table (bench/README.md); undefined where not all files are given. */
  readonly table: string | undefined
}

/** Measures, prints and, on a full run, writes the table. Returns the exit status: 1 where a row failed or, with `check`, a goal. */
export async function runBench(files: readonly BenchFile[], { only, check, table }: BenchOptions): Promise<number> {
  const results: RowResult[] = []
  let failed = false
  for (const { topic, load } of files) {
    try {
      for (const row of await (await load()).default()) {
        if (only !== undefined && !row.name.includes(only)) {
          await row.close?.()
          continue
        }
        const result = judge(await measure(row, ROUNDS))
        results.push(result)
        console.log(`${toText(result)}\n`)
      }
    } catch (error) {
      failed = true
      console.error(`${topic}: failed`, error)
    }
  }
  if (results.length === 0) {
    console.error(only === undefined ? 'There are no rows.' : `No row is called '${only}'.`)
    return 1
  }
  const judged = results.flatMap(({ goals }) => goals)
  const clearly = judged.filter(({ judgement }) => judgement === 'clearly missed').length
  const counted = (judgement: string): number => judged.filter((goal) => goal.judgement === judgement).length
  console.log(
    `${judged.length} goals: ${counted('met')} met, ${counted('missed')} missed within the run's spread, ${clearly} clearly missed, ${counted('not measured')} not measured.`,
  )
  if (table !== undefined && !failed) writeTable(table, results)
  return failed || (check && clearly > 0) ? 1 : 0
}

function writeTable(path: string, results: readonly RowResult[]): void {
  const text = readFileSync(path, 'utf8')
  const head = text.slice(0, text.indexOf(MARK) + MARK.length)
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  const date = new Date().toISOString().slice(0, 10)
  const machine = `${date}, commit ${commit}, Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model.trim()}, ${ROUNDS} rounds.`
  writeFileSync(path, `${head}\n\n${machine}\n\n${toTable(results)}\n`)
}
