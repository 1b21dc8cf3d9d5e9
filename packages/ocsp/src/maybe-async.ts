/**
 * Goes on with what a cache answered: at once where it answered at once, so that a cache in memory costs no turn of the
 * event loop. A throw and a rejection count as having nothing.
 */
export function whenAnswered<T>(
  ask: () => T | undefined | Promise<T | undefined>,
  next: (answer: T | undefined) => void,
): Promise<void> | undefined {
  let answer: T | undefined | Promise<T | undefined>
  try {
    answer = ask()
  } catch {
    answer = undefined
  }
  if (isThenable(answer)) return whenSettled(answer, next)
  next(answer)
  return undefined
}

async function whenSettled<T>(answer: Promise<T | undefined>, next: (answer: T | undefined) => void): Promise<void> {
  next(await quietlyAwait(() => answer))
}

/** Does something whose failure matters to nobody here, as writing into a cache. Returns when it is over, where it is not at once. */
export function quietly(action: () => unknown): Promise<void> | undefined {
  try {
    const result = action()
    if (isThenable(result)) return Promise.resolve(result).then(ignore, ignore)
  } catch {
    // A store that is down costs a question, never a verdict.
  }
  return undefined
}

function ignore(): void {
  // Nobody waits for what a store answers to a write.
}

function isThenable<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

/** Waits for an answer; a throw and a rejection count as having nothing. */
export async function quietlyAwait<T>(ask: () => T | undefined | Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await ask()
  } catch {
    return undefined
  }
}
