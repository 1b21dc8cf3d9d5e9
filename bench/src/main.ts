import { fork } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { machineText, minutes } from './machine.ts'
import { clearlyMissed, type RowResult, summaryOf, toTable, toText } from './report.ts'
import type { Told, Work } from './worker.ts'

const MARK = '<!-- results: written by `pnpm bench` -->'

/** How often each subject is sampled, and how often at least for a table: the goals speak of medians over 7. */
const ROUNDS = 7
const LEAST_ROUNDS = 7

/** Until when rows are measured again whose rounds disagree, in milliseconds: a whole run shall end within 12 minutes. */
const PATIENCE = 360_000

export interface BenchFile {
  readonly topic: string
  /** The bundled file of rows. */
  readonly file: string
}

export interface BenchOptions {
  /** The bundled worker.ts. */
  readonly worker: string
  /** A part of a row's name; undefined: all rows of the files given. */
  readonly only: string | undefined
  readonly check: boolean
  /** Undefined: 7. */
  readonly rounds: number | undefined
  /** Where to write the table (bench/README.md); undefined where not all files are given. */
  readonly table: string | undefined
}

/** Measures, prints and, on a full run, writes the table. Returns the exit status: 1 where a row failed or, with `check`, a goal. */
export async function runBench(
  files: readonly BenchFile[],
  { worker, only, check, rounds = ROUNDS, table }: BenchOptions,
): Promise<number> {
  const started = performance.now()
  const folder = mkdtempSync(join(tmpdir(), 'x-bench-peers-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const topics = new Map<string, RowResult[]>()
  let failed = false
  for (const { topic, file } of files) {
    const results: RowResult[] = []
    const waiting: Work[] = [{ file, rounds, again: true, ...(only === undefined ? {} : { only }) }]
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      for await (const told of tellings(worker, { ...next, again: performance.now() - started < PATIENCE }, folder)) {
        if ('later' in told) waiting.push({ file, rounds, again: true, row: told.later })
        else if ('result' in told) {
          results.push(told.result)
          console.log(`${toText(told.result)}\n`)
        } else {
          failed = true
          console.error(`${told.failed}: failed: ${told.error}\n`)
        }
      }
    if (results.length > 0) topics.set(topic, results)
  }
  if (topics.size === 0) {
    console.error(only === undefined ? 'There are no rows.' : `No row is called '${only}'.`)
    return 1
  }
  const results = [...topics.values()].flat()
  const summary = summaryOf(results)
  console.log(`${summary} It took ${minutes(performance.now() - started)}.`)
  if (table !== undefined && !failed && rounds >= LEAST_ROUNDS)
    writeTable(table, topics, `${rounds} rounds; it took ${minutes(performance.now() - started)}. ${summary}`)
  return failed || (check && clearlyMissed(results)) ? 1 : 0
}

/** What a process of its own says of the rows it measures. */
async function* tellings(worker: string, work: Work, folder: string): AsyncGenerator<Told> {
  const child = fork(worker, { env: { ...process.env, BENCH_PEERS: folder } })
  const told: (Told | undefined)[] = []
  let wake: () => void = () => undefined
  const push = (one: Told | undefined): void => {
    told.push(one)
    wake()
  }
  child.on('message', (one) => push(one as Told))
  child.once('exit', (status, signal) => {
    if (status !== 0) push({ failed: work.row ?? work.file, error: `its process ended with ${signal ?? status}` })
    push(undefined)
  })
  child.send(work)
  for (;;) {
    while (told.length === 0) await new Promise<void>((resolve) => (wake = resolve))
    const one = told.shift()
    if (one === undefined) return
    yield one
  }
}

function writeTable(path: string, topics: ReadonlyMap<string, RowResult[]>, summary: string): void {
  const text = readFileSync(path, 'utf8')
  const head = text.slice(0, text.indexOf(MARK) + MARK.length)
  const tables = [...topics].map(([topic, results]) => `### ${topic}\n\n${toTable(results)}`)
  writeFileSync(path, `${[head, `${machineText()}, ${summary}`, ...tables].join('\n\n')}\n`)
}
