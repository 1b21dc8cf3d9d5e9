import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { connect, type ConnectOptions, type SecureSocket } from '@x/socket'
import { createAuthority } from '@x/utils'
import type { BenchRows } from '../src/row.ts'

/** The other side, in a process of its own so that its CPU time does not count: sends as much as it is asked for, or reads and answers. */
const peer = `
const { createServer } = require('node:tls')
const { cert, key } = JSON.parse(process.env.BENCH_IDENTITY)
const chunk = Buffer.alloc(65536, 7)
createServer({ cert, key, noDelay: true, minVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' }, (socket) => {
  socket.on('error', () => undefined)
  let want, got = 0
  socket.on('data', (data) => {
    if (want === undefined) {
      want = Number(data.subarray(0, 12).toString())
      if (want > 0) {
        let left = want
        const more = () => { while (left > 0) { left -= chunk.length; if (!socket.write(chunk)) return socket.once('drain', more) } }
        return more()
      }
      data = data.subarray(12)
    }
    got += data.length
    if (got >= -want) { got = 0; socket.write('k') }
  })
}).listen(0, '127.0.0.1', function () { console.log(this.address().port) })
process.stdin.resume().on('end', () => process.exit(0))
`

const MB = 1_048_576
const bytes = 96 * MB
const chunk = Buffer.alloc(65_536, 7)

/** Asked in 12 characters; negative: how much we shall send. */
function ask(socket: SecureSocket, length: number): void {
  socket.write(String(length).padStart(12))
}

function receive(socket: SecureSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = bytes
    socket.on('error', reject).on('data', (data: Buffer) => {
      left -= data.length
      if (left <= 0) resolve()
    })
    ask(socket, bytes)
  })
}

function send(socket: SecureSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = bytes
    socket.on('error', reject).once('data', () => resolve())
    ask(socket, -bytes)
    const more = (): void => {
      while (left > 0) {
        left -= chunk.length
        if (!socket.write(chunk)) return void socket.once('drain', more)
      }
    }
    more()
  })
}

/** What it costs to carry TLS record by record, beside the native engine: CPU seconds of this process per GB. */
const rows: BenchRows = async () => {
  const authority = createAuthority('bench')
  const { cert, key } = authority.issue(['localhost', '127.0.0.1'])
  const child: ChildProcess = spawn(process.execPath, ['-e', peer], {
    env: { ...process.env, BENCH_IDENTITY: JSON.stringify({ cert, key }) },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const port = await new Promise<number>((resolve) =>
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).once('line', (line) => resolve(Number(line))),
  )
  const measure =
    (options: ConnectOptions, work: (socket: SecureSocket) => Promise<void>) => async (): Promise<number> => {
      const socket = await connect({ host: '127.0.0.1', port, ca: authority.ca, ...options })
      const before = process.cpuUsage()
      await work(socket)
      const { user, system } = process.cpuUsage(before)
      socket.destroy()
      return (user + system) / 1e6 / (bytes / 1e9)
    }
  let open = 2
  const close = (): void => {
    open--
    if (open === 0) child.stdin?.end()
  }
  return [
    {
      name: 'receive over the record engine',
      unit: 's/GB',
      measure: {
        'record engine': measure({ stoppable: true }, receive),
        'native engine': measure({}, receive),
      },
      goals: [{ of: 'native engine', atMost: 1.2 }],
      close,
    },
    {
      name: 'send over the record engine, 64 KB writes',
      unit: 's/GB',
      measure: {
        'record engine': measure({ stoppable: true }, send),
        'native engine': measure({}, send),
      },
      goals: [{ of: 'native engine', atMost: 1.8 }],
      close,
    },
  ]
}

export default rows
