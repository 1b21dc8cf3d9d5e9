let time = 0

/**
 * `Date.now()`, read once per turn of the event loop: reading the clock would cost as much as the look-up itself, and within one turn a
 * ticket that is good for hours does not become another one.
 */
export function coarseNow(): number {
  if (time === 0) {
    time = Date.now()
    setImmediate(forget).unref()
  }
  return time
}

function forget(): void {
  time = 0
}
