/** A task that several wait for; it is aborted when the last of them has gone. */
interface Task {
  readonly done: Promise<void>
  readonly controller: AbortController
  waiting: number
}

/** Tasks by key: whoever asks for one that runs waits for that one. */
export class SharedTasks {
  readonly #running = new Map<string, Task>()

  /** Waits for the task of this key, which is started where it does not run. Rejects with the signal's reason, or as the task does. */
  async join(key: string, start: (signal: AbortSignal) => Promise<void>, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    const task = this.#running.get(key) ?? this.#begin(key, start)
    task.waiting++
    let leave: (() => void) | undefined
    try {
      if (signal === undefined) return await task.done
      const left = new Promise<never>((_, reject) => {
        leave = () => reject(signal.reason)
        signal.addEventListener('abort', leave, { once: true })
      })
      await Promise.race([task.done, left])
    } finally {
      if (leave !== undefined) signal?.removeEventListener('abort', leave)
      if (--task.waiting === 0) this.#end(key, task)
    }
  }

  #begin(key: string, start: (signal: AbortSignal) => Promise<void>): Task {
    const controller = new AbortController()
    const task: Task = { controller, waiting: 0, done: start(controller.signal) }
    this.#running.set(key, task)
    task.done.catch(() => undefined) // those who wait get it
    return task
  }

  /** Also a task that nobody waits for any more makes room: the next one who asks starts anew. */
  #end(key: string, task: Task): void {
    if (this.#running.get(key) === task) this.#running.delete(key)
    task.controller.abort()
  }
}
