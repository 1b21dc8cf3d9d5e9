import type { Measured, Samples } from './measure.ts'
import type { BenchRow, Goal } from './row.ts'

export interface Spread {
  readonly min: number
  readonly median: number
  readonly max: number
}

/** `missed` says that the median is above the goal, `clearly` that even the best round is: more than the run's own spread. */
export type Judgement = 'met' | 'missed' | 'clearly missed' | 'not measured'

export interface GoalResult {
  readonly goal: Goal
  readonly judgement: Judgement
}

export interface RowResult {
  readonly name: string
  readonly unit: string
  readonly ours: Figure
  readonly peers: readonly (Figure & { readonly ratio: Spread })[]
  readonly absent: readonly string[]
  readonly goals: readonly GoalResult[]
}

interface Figure {
  readonly subject: string
  readonly spread: Spread
}

/** Medians, and the ratio ours/peer round by round: both sides of a ratio were measured at the same time. */
export function judge({ row, samples, absent }: Measured): RowResult {
  const [ours, ...others] = samples as [Samples, ...Samples[]]
  if (ours.subject !== Object.keys(row.subjects ?? row.measure)[0])
    throw Object.assign(new TypeError(`row '${row.name}' has no subject of ours`), { code: 'ERR_INVALID_ARG_VALUE' })
  const peers = others.map(({ subject, values }) => ({
    subject,
    spread: spreadOf(values),
    ratio: spreadOf(ours.values.map((value, round) => value / (values[round] as number))),
  }))
  const figure = { subject: ours.subject, spread: spreadOf(ours.values) }
  const goals = row.goals.map((goal) => {
    const found = goal.of === undefined ? figure.spread : peers.find(({ subject }) => subject === goal.of)?.ratio
    if (found === undefined && !absent.includes(goal.of as string))
      throw Object.assign(new TypeError(`row '${row.name}' has no subject '${goal.of}'`), {
        code: 'ERR_INVALID_ARG_VALUE',
      })
    return { goal, judgement: judgementOf(found, goal.atMost) }
  })
  return { name: row.name, unit: unitOf(row), ours: figure, peers, absent, goals }
}

/** Whether a goal is missed by more than the run's own spread, which is when `--check` fails. */
export function clearlyMissed(results: readonly RowResult[]): boolean {
  return results.some(({ goals }) => goals.some(({ judgement }) => judgement === 'clearly missed'))
}

/** How many goals there are of each judgement. */
export function summaryOf(results: readonly RowResult[]): string {
  const judged = results.flatMap(({ goals }) => goals)
  const counted = (judgement: Judgement): number => judged.filter((goal) => goal.judgement === judgement).length
  return `${judged.length} goals: ${counted('met')} met, ${counted('missed')} missed within the run's spread, ${counted('clearly missed')} clearly missed, ${counted('not measured')} not measured.`
}

function judgementOf(found: Spread | undefined, atMost: number): Judgement {
  if (found === undefined) return 'not measured'
  if (found.median <= atMost) return 'met'
  return found.min <= atMost ? 'missed' : 'clearly missed'
}

function unitOf(row: BenchRow): string {
  return row.subjects === undefined ? (row.unit ?? 'us') : 'us'
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const median = ((sorted[Math.ceil(middle) - 1] as number) + (sorted[Math.floor(middle)] as number)) / 2
  return { min: sorted[0] as number, median, max: sorted.at(-1) as number }
}

/** One row for the terminal: our figure, each peer's with the ratio, each goal. */
export function toText({ name, unit, ours, peers, absent, goals }: RowResult): string {
  const lines = [name, `  ${ours.subject.padEnd(32)} ${amount(ours.spread.median)} ${unit}`]
  for (const { subject, spread, ratio } of peers)
    lines.push(`  ${subject.padEnd(32)} ${amount(spread.median)} ${unit}   ours is ${ratioText(ratio)} of it`)
  for (const subject of absent) lines.push(`  ${subject}: absent here, skipped`)
  for (const { goal, judgement } of goals) lines.push(`  goal ${goalText(goal, unit)}: ${judgement}`)
  return lines.join('\n')
}

/** Rows as a Markdown table, its columns padded as the formatter has them. */
export function toTable(results: readonly RowResult[]): string {
  const lines = [['work', 'ours', 'beside', 'theirs', 'ratio: min / median / max', 'goal']]
  for (const { name, unit, ours, peers, absent, goals } of results) {
    const own = goals.filter(({ goal }) => goal.of === undefined).map((goal) => cell(goal, unit))
    let head = [name, `${digits(ours.spread.median)} ${unit}`]
    if (own.length > 0 || peers.length === 0) {
      lines.push([...head, '', '', '', own.join(', ')])
      head = ['', '']
    }
    for (const { subject, spread, ratio } of peers) {
      const beside = goals.filter(({ goal }) => goal.of === subject).map((goal) => cell(goal, unit))
      lines.push([...head, subject, `${digits(spread.median)} ${unit}`, ratioText(ratio), beside.join(', ')])
      head = ['', '']
    }
    for (const subject of absent) lines.push(['', '', subject, 'not installed', '', ''])
  }
  const widths = (lines[0] as string[]).map((_, i) => Math.max(...lines.map((line) => (line[i] as string).length)))
  const text = (line: readonly string[], pad: string): string =>
    `| ${line.map((value, i) => value.padEnd(widths[i] as number, pad)).join(' | ')} |`
  const [header, ...body] = lines as [string[], ...string[][]]
  return [
    text(header, ' '),
    text(
      header.map(() => ''),
      '-',
    ),
    ...body.map((line) => text(line, ' ')),
  ].join('\n')
}

function cell({ goal, judgement }: GoalResult, unit: string): string {
  return `≤ ${goal.atMost}${goal.of === undefined ? ` ${unit}` : ''}: ${judgement}`
}

function goalText(goal: Goal, unit: string): string {
  return goal.of === undefined ? `at most ${goal.atMost} ${unit}` : `at most ${goal.atMost} of ${goal.of}`
}

function ratioText({ min, median, max }: Spread): string {
  return `${digits(min)} / ${digits(median)} / ${digits(max)}`
}

function amount(value: number): string {
  return digits(value).padStart(10)
}

function digits(value: number): string {
  return value >= 100
    ? value.toFixed(0)
    : value >= 10
      ? value.toFixed(1)
      : value >= 1
        ? value.toFixed(2)
        : value.toFixed(3)
}
