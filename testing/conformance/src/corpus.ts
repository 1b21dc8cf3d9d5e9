import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'

const folder = process.env['CONFORMANCE_DATA']

/** The rows of one corpus file, or undefined, with a printed line, where CONFORMANCE_DATA is not set. */
export function corpus<Row>(file: string): readonly Row[] | undefined {
  if (folder === undefined || folder === '') {
    console.log(`skipped: CONFORMANCE_DATA is not set, so ${file} is not read`)
    return undefined
  }
  return readFileSync(join(folder, file), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row)
}

/** One case in which we differ from what the corpus expects. Values are compared as JSON. */
export interface Difference {
  readonly id: string | number
  readonly expected: unknown
  readonly actual: unknown
}

export interface Exception extends Difference {
  /** The rule by which we differ. */
  readonly reason: string
}

/** Compares the differences found with `exceptions/<name>.json`: an unlisted one fails, and so does a stale entry. */
export function expectExceptions(name: string, differences: readonly Difference[]): void {
  const path = join(import.meta.dirname, '..', 'exceptions', `${name}.json`)
  const listed = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as readonly Exception[]) : []
  for (const entry of listed) if (!entry.reason) throw new Error(`${name}: exception ${entry.id} has no reason`)
  const key = (entry: Difference): string => JSON.stringify([entry.id, entry.expected ?? null, entry.actual ?? null])
  const found = new Set(differences.map(key))
  const known = new Set(listed.map(key))
  expect(
    {
      unlisted: [...found].filter((entry) => !known.has(entry)).slice(0, 40),
      stale: [...known].filter((entry) => !found.has(entry)).slice(0, 40),
    },
    `differences from ${name}`,
  ).toEqual({ unlisted: [], stale: [] })
}
