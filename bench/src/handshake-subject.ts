import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { steady } from './machine.ts'
import type { TransferPeer } from './transfer-peer.ts'

export interface Handshakes {
  /** `each`: options given each time; `full` and `resumed` share a context. */
  readonly mode: 'full' | 'each' | 'resumed'
  /** The system's CAs beside the peer's. */
  readonly bundle?: boolean
  /** Per sample. */
  readonly count: number
  /** Before the first sample. */
  readonly warmUp: number
}

/** The same program is some hundredths faster in one process than in another, by what the optimizer has made of it and where it lies in memory. */
export const PROCESSES = 3

/** The subjects of one row, against one server; `close` ends them all. */
export class HandshakeSubjects {
  readonly #peer: TransferPeer
  readonly #closing: (() => void)[] = []

  constructor(peer: TransferPeer) {
    this.#peer = peer
    this.#closing.push(peer.close)
  }

  readonly close = (): void => {
    for (const close of this.#closing) close()
  }

  /** `peers/handshake.mjs`, a few processes that take the samples in turn: CPU microseconds per handshake. */
  script(subject: '@x/socket' | 'node:tls', { count, ...given }: Handshakes): () => Promise<number> {
    const { port, ca } = this.#peer
    const program = fileURLToPath(new URL('../peers/handshake.mjs', import.meta.url))
    const start = (): (() => Promise<number>) => {
      const options = JSON.stringify({ subject, port, ca, ...given })
      const child = spawn(process.execPath, [...steady, program, options], { stdio: ['pipe', 'pipe', 'inherit'] })
      this.#closing.push(() => void child.stdin.end())
      const lines = createInterface({ input: child.stdout })
      const ended = once(child, 'exit').then(() => {
        throw Object.assign(new TypeError(`${subject} has ended`), { code: 'ERR_BENCH_PEER' })
      })
      ended.catch(() => undefined)
      return async () => {
        child.stdin.write(`${count}\n`)
        const [line] = (await Promise.race([once(lines, 'line'), ended])) as [string]
        return Number(line)
      }
    }
    const asked: (() => Promise<number>)[] = []
    let turn = 0
    return async () => {
      const at = turn++ % PROCESSES
      return await (asked[at] ??= start())()
    }
  }
}
