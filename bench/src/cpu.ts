/** Makes a `measure` of a synchronous subject, for rows that compare it with a process: CPU microseconds per call. */
export function cpuPerCall(subject: () => unknown, calls: number): () => Promise<number> {
  return () => {
    for (let i = 0; i < calls / 10; i++) kept = subject()
    const before = process.cpuUsage()
    for (let i = 0; i < calls; i++) kept = subject()
    const { user, system } = process.cpuUsage(before)
    return Promise.resolve((user + system) / calls)
  }
}

/** Results are kept reachable, lest the optimizer drop work whose result nobody sees. */
export let kept: unknown
