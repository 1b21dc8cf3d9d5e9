/** As `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

/** A variable of its own: what `process.env` inherits nobody has set, but code that pollutes Object.prototype. */
export function variable(env: Environment, name: string): string | undefined {
  return Object.hasOwn(env, name) ? env[name] : undefined
}
