import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { outsidePeer } from './outside-peer.ts'
import { type TransferPeer, transferPeer } from './transfer-peer.ts'

/** What one subject does with the other side; `size`: bytes per write, or of the buffer that is read into. */
export interface Transfer {
  readonly work: 'receive' | 'onread' | 'send'
  readonly size?: number
  /** Over the record engine. */
  readonly stoppable?: boolean
}

/** Enough for a sample to last a quarter of a second, and to be collected several times while it does. */
const AMOUNT_MB = 256
const MB = 2 ** 20
const GB = 2 ** 30

/**
 * The heap that a program of some size has grown to. From nothing, whether V8 marks the whole heap once or never while 256 MB go by hangs by what
 * the handshake has left behind, and a marking costs as much as 15 MB.
 */
const FLAGS = ['--initial-old-space-size=128']

/** A `measure` in CPU seconds per GB; undefined where the program cannot run here. */
export type Measure = (() => Promise<number>) | undefined

/** The subjects of one row, against one other side in a process of its own; `close` ends them all. */
export class Transfers {
  readonly #peer: TransferPeer
  readonly #closing: (() => void)[] = []

  private constructor(peer: TransferPeer) {
    this.#peer = peer
    this.#closing.push(peer.close)
  }

  static async start(): Promise<Transfers> {
    return new Transfers(await transferPeer())
  }

  readonly close = (): void => {
    for (const close of this.#closing) close()
  }

  /** `peers/transfer.mjs`, one process for all samples, in which the code has been optimized before the first. */
  script(subject: '@x/socket' | 'node:tls', transfer: Transfer): Measure {
    const { port, ca } = this.#peer
    const program = fileURLToPath(new URL('../peers/transfer.mjs', import.meta.url))
    let ask: ((bytes: number) => Promise<number>) | undefined
    const start = async (): Promise<(bytes: number) => Promise<number>> => {
      const given = JSON.stringify({ subject, port, ca, ...transfer })
      const child = spawn(process.execPath, [...FLAGS, program, given], { stdio: ['pipe', 'pipe', 'inherit'] })
      this.#closing.push(() => void child.stdin.end())
      const lines = createInterface({ input: child.stdout })
      const moved = async (bytes: number): Promise<number> => {
        child.stdin.write(`${bytes}\n`)
        const [line] = (await once(lines, 'line')) as [string]
        return Number(line)
      }
      await moved(AMOUNT_MB * MB)
      return moved
    }
    return async () => perGb(await (ask ??= await start())(AMOUNT_MB * MB), AMOUNT_MB)
  }

  /** A program of `peers/`, called as `program MB warm-up-MB receive|send size port`. */
  program(name: string, work: 'receive' | 'send', size: number, amountMb: number = AMOUNT_MB): Measure {
    const args = [work, String(size), String(this.#peer.port)]
    const measure = outsidePeer(name, { args, calls: amountMb, warmUp: Math.ceil(amountMb / 8) })
    return measure === undefined ? undefined : async () => perGb(await measure(), 1)
  }
}

function perGb(microseconds: number, megabytes: number): number {
  return (microseconds / 1e6 / (megabytes * MB)) * GB
}
