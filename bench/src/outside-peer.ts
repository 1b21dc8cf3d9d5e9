import { type ChildProcessByStdio, execFile, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, extname, join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type ServerPeer, spokenTo } from './server-peer.ts'

/** How a program of `peers/` is started: an interpreter with its file, or what was compiled of it. */
interface Command {
  readonly file: string
  readonly args: readonly string[]
}

interface Language {
  /** Undefined, behind a line that says why, where the program cannot run here. */
  readonly prepare: (source: string, folder: () => string) => Command | undefined
}

/** By the extension of the file. Compiled programs go into a folder that is removed when this process ends. */
const LANGUAGES: Readonly<Record<string, Language>> = {
  '.c': {
    prepare: (source, folder) => {
      const file = join(folder(), basename(source, '.c'))
      return compiled(file, 'gcc', ['-O2', '-Wall', '-o', file, source, '-lssl', '-lcrypto'], source)
    },
  },
  '.go': {
    prepare: (source, folder) => {
      const file = join(folder(), `${basename(source, '.go')}-go`)
      return compiled(file, 'go', ['build', '-o', file, source], source)
    },
  },
  // -c compiles it, which loads its modules
  '.pl': {
    prepare: (source) => (works('perl', ['-c', source], source) ? { file: 'perl', args: [source] } : undefined),
  },
  '.py': {
    prepare: (source) =>
      works('python3', ['-c', 'import ssl'], source) ? { file: 'python3', args: [source] } : undefined,
  },
}

export interface OutsideOptions {
  /** Given to the program behind the two counts. */
  readonly args: readonly string[]
  readonly calls: number
  /** Calls before the clock is read. Default: a tenth of `calls`. */
  readonly warmUp?: number
}

/**
 * A `measure` of a program in `peers/`, or undefined, behind a line on stderr, where it cannot run here. It is called as `program calls warm-up args…`, does its work so
 * often and prints one line: `{"calls": 120, "cpu": 98765.4}`, the CPU microseconds (user and system) of its own process for those calls, or `{"kib": 41.2}`.
 * Gives microseconds per call, or the KiB.
 */
export function outsidePeer(
  program: string,
  { args, calls, warmUp = Math.ceil(calls / 10) }: OutsideOptions,
): (() => Promise<number>) | undefined {
  const command = commandOf(program)
  if (command === undefined) return undefined
  return async () => {
    const all = [...command.args, String(calls), String(warmUp), ...args]
    const { stdout } = await promisify(execFile)(command.file, all, { maxBuffer: 1_048_576 })
    const said = JSON.parse(stdout) as { calls?: number; cpu?: number; kib?: number }
    const figure = said.kib ?? (said.cpu ?? Number.NaN) / (said.calls ?? Number.NaN)
    if (!(figure > 0)) throw Object.assign(new TypeError(`${program} printed ${stdout}`), { code: 'ERR_BENCH_PEER' })
    return figure
  }
}

/**
 * A server of `peers/`, called as `program args…`: it prints its port, and answers each line `cpu` with the CPU microseconds since it was last asked, each line `memory`
 * with its resident KiB; it ends when its stdin does. Undefined, behind a line on stderr, where it cannot run here.
 */
export async function outsideServer(program: string, args: readonly string[]): Promise<ServerPeer | undefined> {
  const command = commandOf(program)
  if (command === undefined) return undefined
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn(command.file, [...command.args, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  return await spokenTo(child)
}

/** Whether a program of `peers/` can run here; a line on stderr says why not. */
export function isInstalled(program: string): boolean {
  return commandOf(program) !== undefined
}

const commands = new Map<string, Command | undefined>()
let made: string | undefined

function commandOf(program: string): Command | undefined {
  if (!commands.has(program)) {
    const source = fileURLToPath(new URL(`../peers/${program}`, import.meta.url))
    commands.set(program, LANGUAGES[extname(program)]?.prepare(source, buildFolder))
  }
  return commands.get(program)
}

function buildFolder(): string {
  made ??= process.env['BENCH_PEERS']
  if (made === undefined) {
    const folder = mkdtempSync(join(tmpdir(), 'x-bench-peers-'))
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
    made = folder
  }
  return made
}

/** A compiled program, compiled once for all rows of a run. */
function compiled(file: string, tool: string, args: readonly string[], source: string): Command | undefined {
  return existsSync(file) || works(tool, args, source) ? { file, args: [] } : undefined
}

function works(tool: string, args: readonly string[], source: string): boolean {
  const { status, error, stderr } = spawnSync(tool, args, {
    encoding: 'utf8',
    env: { ...process.env, GOTOOLCHAIN: 'local' },
  })
  if (status === 0) return true
  const why = error === undefined ? stderr.trim().split('\n')[0] : `${tool} is not installed`
  console.error(`peers/${basename(source)} is skipped: ${why}`)
  return false
}
