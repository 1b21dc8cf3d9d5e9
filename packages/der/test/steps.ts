import { DerCursor } from '../src/index.ts'

/** Runs `work` and counts the headers that any cursor reads meanwhile: the unit in which cost is bounded. */
export function countSteps<T>(work: () => T): { readonly result: T; readonly steps: number } {
  const { next } = DerCursor.prototype
  let steps = 0
  DerCursor.prototype.next = function counted(this: DerCursor): number {
    steps++
    return next.call(this)
  }
  try {
    const result = work()
    return { result, steps }
  } finally {
    DerCursor.prototype.next = next
  }
}
