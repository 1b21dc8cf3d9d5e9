import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { TransferPeer } from './transfer-peer.ts'

/** A client in a process of its own, which opens connections, has each receive a byte, keeps them and says what they took: resident KiB after full collections. */
const script = `
  import { setFlagsFromString } from 'node:v8'
  import { runInNewContext } from 'node:vm'
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc')
  const [kind, port, ca, warmUp, count] = process.argv.slice(1)
  const { connect } = await import(kind)
  const options = { host: '127.0.0.1', port: Number(port), servername: 'localhost', ca }
  const open = []
  const more = async (times) => {
    for (let i = 0; i < times; i++) {
      const socket = await connect(options)
      socket.on('error', () => {}).write(Buffer.from([83, 0, 0, 0, 0, 0, 0, 0, 1]))
      await new Promise((resolve) => socket.once('data', resolve))
      open.push(socket)
    }
  }
  const resident = async () => {
    for (let i = 0; i < 4; i++) { collect(); await new Promise(setImmediate) }
    return process.memoryUsage().rss / 1024
  }
  await more(Number(warmUp))
  const before = await resident()
  await more(Number(count))
  console.log((await resident() - before) / Number(count))
  process.exit()
`

/** KiB that an idle connection of a client takes. */
export function clientMemory(
  kind: '@x/socket' | 'node:tls',
  { port, ca }: TransferPeer,
  warmUp: number,
  count: number,
): () => Promise<number> {
  const args = ['--input-type=module', '-e', script, kind, String(port), ca, String(warmUp), String(count)]
  const cwd = fileURLToPath(new URL('..', import.meta.url))
  return async () => Number((await promisify(execFile)(process.execPath, args, { cwd })).stdout)
}
