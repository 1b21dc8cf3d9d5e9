/** A peer that cannot be measured here is `undefined`: it is named in one line and left out. */
export type Subject = (() => unknown) | (() => Promise<unknown>)

/** What a figure should be: at most so much of a peer's in the same run, or at most so much of the row's unit. */
export type Goal =
  | { readonly of: string; readonly atMost: number }
  | { readonly of?: undefined; readonly atMost: number }

interface RowBase {
  /** What is done, as the table's first column says it. */
  readonly name: string
  /** Applied to the first subject's figure. A goal beside an absent peer is reported as not measured. */
  readonly goals: readonly Goal[]
  /** Called once behind the last round: close servers, stop processes. */
  readonly close?: () => void | Promise<void>
}

/** Work that is called here, in this process. The first subject is ours. */
export interface CallRow extends RowBase {
  readonly subjects: Readonly<Record<string, Subject | undefined>>
  /** Calls per sample; doubled until a sample costs enough CPU time to be read from the clock. */
  readonly batch: number
  readonly measure?: undefined
}

/** Work that measures itself, such as one side of a handshake in a process of its own. The first subject is ours. */
export interface MeasuredRow extends RowBase {
  /**
   * Each returns one sample: CPU microseconds (user and system) per call, or another `unit` of which less is better. Each is called once more before the first
   * round, for the optimizer, and what it then returns does not count.
   */
  readonly measure: Readonly<Record<string, (() => Promise<number>) | undefined>>
  /** How often each is sampled in a round, whose figure is the mean. More of them where samples of one program differ by more than programs do. Default 1. */
  readonly passes?: number
  /** Default `us`. */
  readonly unit?: 'us' | 'ms' | 'KiB' | 's/GB'
  readonly subjects?: undefined
}

export type BenchRow = CallRow | MeasuredRow

/** A row that is made when its turn comes, in a process of its own: neither servers nor garbage of other rows are near it. */
export interface RowMaker {
  readonly name: string
  readonly make: () => BenchRow | Promise<BenchRow>
}

/** The default export of each file in `rows/`. */
export type BenchRows = () => readonly (BenchRow | RowMaker)[] | Promise<readonly (BenchRow | RowMaker)[]>
