import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { BenchRow, CallRow, Subject } from './row.ts'

/** One subject's samples, one per round, in the row's unit. */
export interface Samples {
  readonly subject: string
  readonly values: readonly number[]
}

export interface Measured {
  readonly row: BenchRow
  /** In the row's order; the first is ours. */
  readonly samples: readonly Samples[]
  readonly absent: readonly string[]
}

type Sample = () => Promise<number>

/** How often calls in this process are sampled in each round. */
const PASSES = 2

/** CPU time that one sample should take, in microseconds: far above the clock's grain and the cost of a collection. */
const SAMPLE_US = 30_000

/** CPU time of the calls before the first sample: the optimizer has done what it will by then. */
const WARM_UP_US = 200_000

/** A run whose best and worst ratio lie further apart, in parts of the median, is repeated. */
const WIDE = 0.3
const ATTEMPTS = 3

/** No row is repeated that took so long, in milliseconds. */
const TOO_LONG = 8_000

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as (options: { type: 'minor' }) => void

/**
 * Measures a row, and again where its rounds disagree: something else was busy here. Of the attempts the one whose ratios lie closest together counts, whichever
 * way it went.
 */
export async function measure(row: BenchRow, rounds: number, again = true): Promise<Measured> {
  const started = performance.now()
  const { samples: all, absent } = await warmedUp(row)
  const passes = row.subjects === undefined ? (row.passes ?? 1) : PASSES
  let best: Measured | undefined
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const measured = { row, samples: await inTurns(all, rounds, passes), absent }
    if (best === undefined || width(measured) < width(best)) best = measured
    if (!again || width(best) <= WIDE || (performance.now() - started) / (attempt + 1) > TOO_LONG) break
  }
  return best as Measured
}

/** How far apart the rounds are: the widest of the ratios that a goal speaks of, or of all where none does. */
export function width({ row, samples }: Measured): number {
  const [ours, ...others] = samples as [Samples, ...Samples[]]
  const wanted = row.goals.flatMap(({ of }) => of ?? [])
  const judged = others.filter(({ subject }) => wanted.length === 0 || wanted.includes(subject))
  const ratios = judged.map(({ values }) => ours.values.map((value, round) => value / (values[round] as number)))
  return Math.max(0, ...(ratios.length === 0 ? [ours.values] : ratios).map(breadth))
}

function breadth(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return ((sorted.at(-1) as number) - (sorted[0] as number)) / (sorted[sorted.length >> 1] as number)
}

/**
 * Runs a row's subjects in turns, `rounds` times, so that a machine that slows down slows all of them. Each round starts with another subject, and goes forth and
 * back (a b c c b a) where it has several passes, lest whoever comes later gain or lose by it.
 */
async function inTurns(all: ReadonlyMap<string, Sample>, rounds: number, passes: number): Promise<Samples[]> {
  const values = new Map<string, number[]>([...all.keys()].map((name) => [name, []]))
  const order = [...all]
  for (let round = 0; round < rounds; round++) {
    const forth = order.map((_, turn) => order[(round + turn) % order.length] as [string, Sample])
    const seen = new Map<string, number[]>()
    for (let pass = 0; pass < passes; pass++)
      for (const [name, sample] of pass % 2 === 0 ? forth : forth.toReversed()) {
        // Of those that measure themselves; see `since`.
        collectGarbage({ type: 'minor' })
        seen.set(name, [...(seen.get(name) ?? []), await sample()])
      }
    for (const [name, found] of seen) values.get(name)?.push(found.reduce((a, b) => a + b) / found.length)
  }
  return [...values].map(([subject, values]) => ({ subject, values }))
}

async function warmedUp(row: BenchRow): Promise<{ samples: Map<string, Sample>; absent: string[] }> {
  const samples = new Map<string, Sample>()
  const absent: string[] = []
  for (const [name, subject] of Object.entries(row.subjects ?? row.measure)) {
    if (subject === undefined) absent.push(name)
    else if (row.subjects !== undefined) samples.set(name, await sampler(subject, row))
    else {
      const sample = subject as Sample
      await sample()
      samples.set(name, sample)
    }
  }
  return { samples, absent }
}

/** Warms the subject up and finds how many calls make a sample. */
async function sampler(subject: Subject, row: CallRow): Promise<Sample> {
  const first = subject()
  const sample = isPromise(first) ? sampleAsync : sampleSync
  await first
  let calls = row.batch
  for (let spent = 0; ; calls *= 2) {
    const cost = (await sample(subject, calls)) * calls
    spent += cost
    if (cost >= SAMPLE_US && spent >= WARM_UP_US) break
    if (cost >= SAMPLE_US) calls /= 2 // long enough already: once more, for the optimizer
  }
  const settled = Math.max(row.batch, calls)
  return () => sample(subject, settled)
}

function isPromise(value: unknown): boolean {
  return typeof (value as { then?: unknown } | undefined)?.then === 'function'
}

async function sampleSync(subject: Subject, calls: number): Promise<number> {
  const before = process.cpuUsage()
  for (let i = 0; i < calls; i++) kept = subject()
  return since(before) / calls
}

async function sampleAsync(subject: Subject, calls: number): Promise<number> {
  const before = process.cpuUsage()
  for (let i = 0; i < calls; i++) kept = await subject()
  return since(before) / calls
}

/**
 * The collection counts, so that each pays for its own garbage and none for another's. The young generation only: a full collection throws compiled code away, and
 * the next subject would pay for it.
 */
function since(before: NodeJS.CpuUsage): number {
  collectGarbage({ type: 'minor' })
  const { user, system } = process.cpuUsage(before)
  return user + system
}

/** Results are kept reachable, lest the optimizer drop work whose result nobody sees. */
export let kept: unknown
