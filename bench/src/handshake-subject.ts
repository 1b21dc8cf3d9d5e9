import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
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

  /** `peers/handshake.mjs`, one process for all samples: CPU microseconds per handshake. */
  script(subject: '@x/socket' | 'node:tls', { count, ...given }: Handshakes): () => Promise<number> {
    const { port, ca } = this.#peer
    const program = fileURLToPath(new URL('../peers/handshake.mjs', import.meta.url))
    const start = (): (() => Promise<number>) => {
      const options = JSON.stringify({ subject, port, ca, ...given })
      const child = spawn(process.execPath, [program, options], { stdio: ['pipe', 'pipe', 'inherit'] })
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
    let ask: (() => Promise<number>) | undefined
    return async () => await (ask ??= start())()
  }
}
