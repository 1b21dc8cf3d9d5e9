import type { Chart } from './chart.ts'

/** A file of scale/: its charts, measured. */
export type Charts = () => Promise<readonly Chart[]>

/** What a process that measures says: one chart after the other. */
export type Drawn = { readonly chart: Chart } | { readonly failed: string }

async function draw(file: string, tell: (drawn: Drawn) => void): Promise<void> {
  const { default: charts } = (await import(file)) as { readonly default: Charts }
  for (const chart of await charts()) tell({ chart })
}

if (process.send !== undefined)
  process.once('message', ({ file }: { readonly file: string }) => {
    const tell = (drawn: Drawn): void => void process.send?.(drawn)
    draw(file, tell)
      .catch((error: Error) => tell({ failed: error.stack ?? error.message }))
      // what a chart left open must not keep this process
      .finally(() => process.disconnect())
  })
process.once('disconnect', () => process.exit())
