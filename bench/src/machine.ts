import { execFileSync } from 'node:child_process'
import { cpus } from 'node:os'

/** Date, commit, Node and processor: what figures are worth nothing without. */
export function machineText(): string {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  const date = new Date().toISOString().slice(0, 10)
  const { openssl } = process.versions
  return `${date}, commit ${commit}, Node ${process.version} (OpenSSL ${openssl}), ${cpus().length} x ${cpus()[0]?.model.trim()}`
}

/** A time as a reader says it. */
export function minutes(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/**
 * For processes of Node that wait while others are measured: V8 would collect the whole heap in each pause, and drop compiled code with the shapes of objects that
 * are gone, so that each sample began with making it anew. A program that makes connections all the time has no such pauses.
 */
export const steady: readonly string[] = ['--no-memory-reducer']
