type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

/** The entries whose value is not undefined: to give an option as undefined is not to give it. */
export function defined<T extends object>(record: T): Defined<T> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as Defined<T>
}

/** Whether a value can hold options by name. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
