/** One line of the table: the same work done by several subjects, the first of which is ours. */
export interface BenchRow {
  readonly name: string
  /** One call each; run interleaved. A subject that is not available is left out by the row's file. */
  readonly subjects?: Readonly<Record<string, () => unknown>>
  /** Instead of `subjects`: each returns CPU microseconds per unit of work of the side under test, measured by itself. */
  readonly measure?: Readonly<Record<string, () => Promise<number>>>
  /** Calls in one sample, large enough for a sample of some milliseconds. Default 1. */
  readonly batch?: number
  /** Median ratio of ours to the named subject that we want to stay below. */
  readonly goals?: readonly { readonly of: string; readonly atMost: number }[]
}
