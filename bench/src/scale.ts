import { fork } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { type Chart, growth, toSection, toSvg } from './chart.ts'
import { machineText, minutes } from './machine.ts'
import type { Drawn } from './scale-worker.ts'

/** Growth above this power of what is counted is worse than linear, by more than noise. */
const LINEAR = 1.15

export interface ScaleFile {
  readonly topic: string
  /** The bundled file of charts. */
  readonly file: string
}

export interface ScaleOptions {
  /** The bundled scale-worker.ts. */
  readonly worker: string
  /** Where SCALE.md and plots/ go. */
  readonly folder: string
  /** All topics are given: SCALE.md is written. */
  readonly whole: boolean
}

/** Measures how costs grow, draws and prints. Returns the exit status: 1 where a topic failed. */
export async function runScale(files: readonly ScaleFile[], { worker, folder, whole }: ScaleOptions): Promise<number> {
  const started = performance.now()
  const charts: Chart[] = []
  let failed = false
  mkdirSync(`${folder}plots`, { recursive: true })
  for (const { topic, file } of files)
    for (const drawn of await drawings(worker, file)) {
      if ('chart' in drawn) {
        charts.push(drawn.chart)
        writeFileSync(`${folder}plots/${drawn.chart.id}.svg`, toSvg(drawn.chart))
        console.log(`${toSection(drawn.chart, 'plots')}\n`)
        continue
      }
      failed = true
      console.error(`${topic}: failed: ${drawn.failed}\n`)
    }
  for (const { id, lines } of charts)
    if (lines[0] !== undefined && growth(lines[0]) > LINEAR)
      console.log(`${id}: ours grows with the power ${growth(lines[0]).toFixed(2)}, worse than linear.`)
  const took = minutes(performance.now() - started)
  console.log(`${charts.length} charts. It took ${took}.`)
  if (whole && !failed) writeFileSync(`${folder}SCALE.md`, document(charts, took))
  return failed ? 1 : 0
}

function document(charts: readonly Chart[], took: string): string {
  const head = `# How costs grow

\`pnpm bench --scale\` measures this and writes this file and its plots; \`pnpm bench --scale sans\` draws one topic (a file in \`scale/\`).
Figures are CPU time (user and system) of the side under test, medians of interleaved rounds, the servers in processes of their own. What
absolute figures say depends on the machine; the shape of a line and the distance of two of them do not. Both axes are logarithmic: a
straight line that rises one decade per decade is linear growth.

${machineText()}; it took ${took}.`
  return `${[head, ...charts.map((chart) => toSection(chart, 'plots'))].join('\n\n')}\n`
}

/** What a process of its own measures. */
async function drawings(worker: string, file: string): Promise<Drawn[]> {
  const child = fork(worker)
  const drawn: Drawn[] = []
  child.on('message', (one) => drawn.push(one as Drawn))
  child.send({ file })
  await new Promise<void>((resolve) => {
    child.once('exit', (status, signal) => {
      if (status !== 0) drawn.push({ failed: `its process ended with ${signal ?? status}` })
      resolve()
    })
  })
  return drawn
}
