import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'

export interface RunOptions {
  readonly input?: string | Uint8Array
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  /** Milliseconds until the process is killed; default 20,000. */
  readonly timeout?: number
}

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end. Its standard input is closed after `input`. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const child = spawn(command, args, {
    env: options.env ?? process.env,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    timeout: options.timeout ?? 20_000,
    killSignal: 'SIGKILL',
  })
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  child.stdin.on('error', () => undefined) // the program may end before it has read everything
  child.stdin.end(options.input)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout: Buffer.concat(stdout).toString('latin1'), stderr: Buffer.concat(stderr).toString('latin1') }
}

/** A server process under test. It is killed, by its own process id, with `stop()` or `await using`. */
export class RunningPeer implements AsyncDisposable {
  readonly process: ChildProcess
  readonly port: number
  #output = ''
  #changed: (() => void)[] = []

  constructor(child: ChildProcess, port: number) {
    this.process = child
    this.port = port
    const collect = (chunk: Buffer): void => {
      this.#output += chunk.toString('latin1')
      for (const wake of this.#changed.splice(0)) wake()
    }
    child.stdout?.on('data', collect)
    child.stderr?.on('data', collect)
    child.on('close', () => {
      for (const wake of this.#changed.splice(0)) wake()
    })
  }

  /** Everything printed so far, both streams, as Latin-1. */
  get output(): string {
    return this.#output
  }

  /** Resolves with the match as soon as the output has it; rejects when the process ends without it. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#output)
      if (match !== null) return match
      if (this.process.exitCode !== null || this.process.signalCode !== null)
        throw new Error(`${this.process.spawnfile} ended before it printed ${pattern}:\n${this.#output}`)
      await new Promise<void>((resolve) => this.#changed.push(resolve))
    }
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return
    const closed = once(this.process, 'close')
    this.process.kill(signal)
    const timer = setTimeout(() => this.process.kill('SIGKILL'), 3_000)
    await closed
    clearTimeout(timer)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

export interface ServerOptions {
  /** What the process prints when it listens; without it, the port is tried until it accepts. */
  readonly ready?: RegExp
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  readonly host?: string
}

/**
 * Starts a server on a free loopback port, which `args(port)` hands to it, and waits until it listens.
 * Where another process took the port in between, the next one is tried.
 */
export async function startServer(
  command: string,
  args: (port: number) => readonly string[],
  options: ServerOptions = {},
): Promise<RunningPeer> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort(options.host)
    const child = spawn(command, args(port), {
      env: options.env ?? process.env,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const running = new RunningPeer(child, port)
    try {
      await (options.ready === undefined ? accepts(running, options.host) : running.printed(options.ready))
      return running
    } catch (error) {
      await running.stop('SIGKILL')
      if (attempt === 3 || !/in use|EADDRINUSE|bind/i.test(running.output)) throw error
    }
  }
}

/** A port of the loopback interface that was free just now. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const server = createServer().listen(0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function accepts(running: RunningPeer, host = '127.0.0.1'): Promise<void> {
  const deadline = Date.now() + 60_000
  for (;;) {
    if (running.process.exitCode !== null) throw new Error(`${running.process.spawnfile} ended:\n${running.output}`)
    const socket = connect({ port: running.port, host })
    const connected = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    })
    socket.destroy()
    if (connected) return
    if (Date.now() > deadline) throw new Error(`${running.process.spawnfile} does not listen:\n${running.output}`)
    await new Promise((resolve) => setTimeout(resolve, 20)) // refused: the server is still starting
  }
}
