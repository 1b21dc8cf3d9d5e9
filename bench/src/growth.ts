import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Line } from './chart.ts'

/** Takes one sample, in the chart's unit. */
export type Sample = () => number | Promise<number>

/** What is measured for one `x`: each line's sample, by its name, and how to tidy up. */
export interface Setup {
  readonly samples: Readonly<Record<string, Sample>>
  readonly close?: () => void | Promise<void>
}

const ROUNDS = 5

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as (options: { type: 'minor' }) => void

/** Samples all lines in turns for one `x` after the other; a point is the median of the rounds, behind one that does not count. */
export async function grow(
  xs: readonly number[],
  setup: (x: number) => Setup | Promise<Setup>,
  rounds: number = ROUNDS,
): Promise<Line[]> {
  const lines = new Map<string, { x: number; y: number }[]>()
  for (const x of xs) {
    const { samples, close } = await setup(x)
    const order = Object.entries(samples)
    const found = new Map<string, number[]>(order.map(([name]) => [name, []]))
    for (let round = -1; round < rounds; round++)
      for (let turn = 0; turn < order.length; turn++) {
        const [name, sample] = order[(round + 1 + turn) % order.length] as [string, Sample]
        collectGarbage({ type: 'minor' })
        const value = await sample()
        if (round >= 0) found.get(name)?.push(value)
      }
    await close?.()
    for (const [name, values] of found) {
      const y = values.sort((a, b) => a - b)[values.length >> 1] as number
      lines.set(name, [...(lines.get(name) ?? []), { x, y }])
    }
  }
  return [...lines].map(([name, points]) => ({ name, points }))
}

/** A sample of something synchronous: as many calls as take 20 ms of CPU time; microseconds per call, the young garbage included. */
export function perCall(work: () => unknown): Sample {
  let calls = 1
  const sample = (): number => {
    const before = process.cpuUsage()
    for (let i = 0; i < calls; i++) kept = work()
    collectGarbage({ type: 'minor' })
    const { user, system } = process.cpuUsage(before)
    return user + system
  }
  for (let spent = 0; spent < 60_000; ) {
    const cost = sample()
    spent += cost
    if (cost < 20_000) calls *= 2
  }
  return () => sample() / calls
}

/** CPU microseconds of this process while `work` goes on. */
export async function cpuOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return user + system
}

/** Results are kept reachable, lest the optimizer drop work whose result nobody sees. */
export let kept: unknown
