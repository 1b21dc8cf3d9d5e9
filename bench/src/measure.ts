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

/** CPU time that one sample should take, in microseconds: far above the clock's grain and the cost of a collection. */
const SAMPLE_US = 30_000

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as (options: { type: 'minor' }) => void

/**
 * Runs a row's subjects in turns, `rounds` times, so that a machine that slows down slows all of them. Each round starts
 * with another subject. Time is the process's CPU time (user and system), collections and helper threads included.
 */
export async function measure(row: BenchRow, rounds: number): Promise<Measured> {
  const samplers = new Map<string, () => Promise<number>>()
  const absent: string[] = []
  for (const [name, subject] of Object.entries(row.subjects ?? row.measure)) {
    if (subject === undefined) absent.push(name)
    else
      samplers.set(name, row.subjects === undefined ? (subject as () => Promise<number>) : await sampler(subject, row))
  }
  const values = new Map<string, number[]>([...samplers.keys()].map((name) => [name, []]))
  const order = [...samplers]
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < order.length; turn++) {
      const [name, sample] = order[(round + turn) % order.length] as [string, () => Promise<number>]
      // The young generation only: a full collection throws compiled code away, and the next subject would pay for it.
      collectGarbage({ type: 'minor' })
      values.get(name)?.push(await sample())
    }
  }
  await row.close?.()
  return { row, samples: [...values].map(([subject, values]) => ({ subject, values })), absent }
}

/** Warms the subject up and finds how many calls make a sample. */
async function sampler(subject: Subject, row: CallRow): Promise<() => Promise<number>> {
  const first = subject()
  const sample = isPromise(first) ? sampleAsync : sampleSync
  await first
  let calls = row.batch
  for (let spent = 0; ; calls *= 2) {
    const cost = (await sample(subject, calls)) * calls
    spent += cost
    if (cost >= SAMPLE_US && spent >= 4 * SAMPLE_US) break
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

function since(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return user + system
}

/** Results are kept reachable, lest the optimizer drop work whose result nobody sees. */
export let kept: unknown
