import { judge, type RowResult } from './report.ts'
import { measure } from './measure.ts'
import type { BenchRow, BenchRows } from './row.ts'

/** What a process that measures is told: a file of rows, and the one row of it, or a part of names. */
export interface Work {
  readonly file: string
  /** How often each subject is sampled. */
  readonly rounds: number
  /** Whether there is time to measure a row again whose rounds disagree. */
  readonly again: boolean
  readonly row?: string
  readonly only?: string
}

export type Told =
  | { readonly result: RowResult }
  /** A row that wants a process of its own. */
  | { readonly later: string }
  | { readonly failed: string; readonly error: string }

/** Measures what it is told to, and tells of each row as it is done. */
export async function work(
  { file, rounds, again, row: wanted, only }: Work,
  tell: (told: Told) => void,
): Promise<void> {
  const { default: rows } = (await import(file)) as { readonly default: BenchRows }
  for (const row of await rows()) {
    const isWanted = wanted === undefined ? only === undefined || row.name.includes(only) : row.name === wanted
    if (!isWanted) {
      if (!('make' in row)) await row.close?.()
    } else if ('make' in row && wanted === undefined) tell({ later: row.name })
    else tell(await resultOf(row.name, rounds, again, async () => ('make' in row ? await row.make() : row)))
  }
}

async function resultOf(name: string, rounds: number, again: boolean, make: () => Promise<BenchRow>): Promise<Told> {
  let row: BenchRow | undefined
  try {
    row = await make()
    return { result: judge(await measure(row, rounds, again)) }
  } catch (error) {
    return { failed: name, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  } finally {
    await row?.close?.()
  }
}

if (process.send !== undefined)
  process.once('message', (told) => {
    const tell = (said: Told): void => void process.send?.(said)
    work(told as Work, tell)
      .catch((error: Error) => tell({ failed: (told as Work).file, error: error.stack ?? error.message }))
      // what a row left open must not keep this process
      .finally(() => process.disconnect())
  })
process.once('disconnect', () => process.exit())
