import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { connect, createSecureContext, type TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { createAuthority } from '@x/utils'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isFullRun, TemporaryFolder } from '../src/index.ts'

const authority = createAuthority('interop CA')
const identity = authority.issue({ names: ['localhost'] })
const secureContext = createSecureContext({ ca: authority.ca })
const folder = new TemporaryFolder()
const program = folder.file('server.mjs')
afterAll(() => folder.dispose())

/** `pnpm interop:full` has the long forms. */
const inSequence = isFullRun ? 10_000 : 1_000
const atOnce = isFullRun ? 1_000 : 500
const MIB = 1_048_576

interface Report {
  readonly held: number
  readonly rss: number
  readonly handles: number
  readonly connections: number
  readonly handshakes: number
}

/** The server in a process of its own, so that what it holds is its own. */
class Server implements Disposable {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: AsyncIterator<string>
  port = 0

  constructor() {
    this.#process = spawn(process.execPath, ['--expose-gc', program], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, IDENTITY: JSON.stringify([identity.cert, identity.key]) },
    })
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]()
  }
  static async start(): Promise<Server> {
    const server = new Server()
    server.port = Number(await server.#line())
    return server
  }
  async #line(): Promise<string> {
    return String((await this.#lines.next()).value)
  }
  async report(): Promise<Report> {
    this.#process.stdin.write('report\n')
    return JSON.parse(await this.#line()) as Report
  }
  /** Once nothing of the clients is left. */
  async quiet(): Promise<Report> {
    for (;;) {
      const report = await this.report()
      if (report.connections === 0 && report.handles === 0) return report
    }
  }
  [Symbol.dispose](): void {
    this.#process.stdin.end()
  }
}

interface Visitor {
  readonly tcp: Socket
  readonly socket: TLSSocket
}

async function visitor(port: number): Promise<Visitor> {
  const tcp = connectTcp(port, '127.0.0.1').on('error', () => undefined)
  const socket = connect({ socket: tcp, servername: 'localhost', secureContext }).on('error', () => undefined)
  await once(socket, 'data')
  return { tcp, socket }
}

describe('many clients of one server', { timeout: isFullRun ? 600_000 : 180_000 }, () => {
  beforeAll(async () => {
    await build({
      configFile: false,
      logLevel: 'error',
      ssr: { noExternal: true, resolve: { conditions: ['@x/source'] } },
      build: {
        ssr: fileURLToPath(new URL('./socket-server-many.ts', import.meta.url)),
        target: 'node20',
        outDir: folder.path,
        emptyOutDir: false,
        rolldownOptions: { output: { entryFileNames: 'server.mjs' } },
      },
    })
  })

  it(`${inSequence} in sequence, with flat memory`, async () => {
    using server = await Server.start()
    const reports: Report[] = []
    for (let part = 0; part < 5; part++) {
      for (let i = 0; i < inSequence / 5; i++) {
        const { socket, tcp } = await visitor(server.port)
        // each way to go: in order, at once, and with a reset
        if (i % 3 === 0) socket.end()
        else if (i % 3 === 1) socket.destroy()
        else tcp.resetAndDestroy()
        if (!socket.closed) await once(socket.resume(), 'close')
      }
      reports.push(await server.quiet())
    }
    console.log(`held MiB: ${figures(reports, 'held')}; resident: ${figures(reports, 'rss')}`)
    expect(reports.at(-1)).toMatchObject({ handles: 0, connections: 0, handshakes: 0 })
    const [, second, , , last] = reports as [Report, Report, Report, Report, Report]
    expect(last.held - second.held).toBeLessThan(2 * MIB)
  })

  it(`${atOnce} at once`, async () => {
    using server = await Server.start()
    const rounds: Report[] = []
    for (let round = 0; round < 3; round++) {
      const visitors = await Promise.all(Array.from({ length: atOnce }, () => visitor(server.port)))
      const open = await server.report()
      expect(open).toMatchObject({ connections: atOnce, handles: atOnce, handshakes: 0 })
      for (const { socket } of visitors) socket.destroy()
      rounds.push(open, await server.quiet())
    }
    console.log(`held MiB, open and closed: ${figures(rounds, 'held')}; resident: ${figures(rounds, 'rss')}`)
    const [, first, , , , last] = rounds as [Report, Report, Report, Report, Report, Report]
    expect(last.held - first.held).toBeLessThan(2 * MIB)
  })
})

function figures(reports: readonly Report[], which: 'held' | 'rss'): string {
  return reports.map((report) => (report[which] / MIB).toFixed(1)).join(' ')
}
