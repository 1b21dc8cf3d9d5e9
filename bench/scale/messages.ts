import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { connect } from '@x/socket'
import { createAuthority } from '@x/utils'
import type { Chart } from '../src/chart.ts'
import { cpuOf, grow, type Setup } from '../src/growth.ts'

const SIZES = [64, 256, 1024, 4096, 16_384, 65_536, 2 ** 18, 2 ** 20, 2 ** 22, 2 ** 24, 2 ** 26]

/** A server that takes frames: one byte that says who sends, and 8 of length. It answers `R` behind so many bytes with one, `S` with so many. */
const script = `
  import { createServer } from 'node:tls'
  const { cert, key } = JSON.parse(process.argv[1])
  const chunk = Buffer.alloc(262144, 'x')
  createServer({ cert, key, noDelay: true, minVersion: 'TLSv1.3' }, (socket) => {
    socket.on('error', () => {})
    let head = Buffer.alloc(0)
    let left = 0
    const send = (length) => {
      while (length > 0) {
        const part = length < chunk.length ? chunk.subarray(0, length) : chunk
        length -= part.length
        if (!socket.write(part)) return socket.once('drain', () => send(length))
      }
    }
    socket.on('data', (data) => {
      if (left === 0) {
        head = head.length === 0 ? data : Buffer.concat([head, data])
        if (head.length < 9) return
        const length = Number(head.readBigUInt64BE(1))
        if (head[0] === 83) { head = Buffer.alloc(0); return send(length) }
        left = length
        data = head.subarray(9)
        head = Buffer.alloc(0)
      }
      left -= data.length
      if (left === 0 ) socket.write('k')
    })
  }).listen(0, '127.0.0.1', function () { console.log(this.address().port) })
  process.stdin.resume().on('end', () => process.exit())
`

export default async function charts(): Promise<Chart[]> {
  const authority = createAuthority()
  const { cert, key } = authority.issue('localhost')
  const args = ['--input-type=module', '-e', script, JSON.stringify({ cert, key })]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const port = Number(String(((await once(child.stdout, 'data')) as [Buffer])[0]))
  const options = { host: '127.0.0.1', port, servername: 'localhost', ca: authority.ca }
  const plain = connectTls(options).setNoDelay(true)
  await once(plain, 'secureConnect')
  const sockets = { '@x/socket': await connect(options), 'node:tls': plain }
  for (const socket of Object.values(sockets))
    for (let i = 0; i < 3000; i++) await (i % 2 === 0 ? sent(socket, 64) : received(socket, 64))
  const lines = (work: Work): Promise<Chart['lines']> => grow(SIZES, (size) => setupOf(sockets, size, work))
  const x = 'bytes in the message'
  const y = 'CPU time per message, µs'
  const charts: Chart[] = [
    {
      id: 'messages-sent',
      title: 'A message sent and answered',
      text: 'A client writes a message of so many bytes in one piece and waits for the byte that answers it.',
      x,
      y,
      lines: await lines(sent),
    },
    {
      id: 'messages-received',
      title: 'A message asked for and received',
      text: 'A client asks in 9 bytes for a message of so many, and reads it by the stream’s API.',
      x,
      y,
      lines: await lines(received),
    },
  ]
  for (const socket of Object.values(sockets)) socket.destroy()
  child.stdin.end()
  return charts
}

type Work = (socket: Socket, size: number) => Promise<void>

function setupOf(sockets: Readonly<Record<string, Socket>>, size: number, work: Work): Setup {
  const times = Math.max(1, Math.min(400, Math.floor(2 ** 24 / size)))
  const samples = Object.entries(sockets).map(([name, socket]) => {
    const repeated = async (): Promise<void> => {
      for (let i = 0; i < times; i++) await work(socket, size)
    }
    return [name, async (): Promise<number> => (await cpuOf(repeated)) / times] as const
  })
  return { samples: Object.fromEntries(samples) }
}

/** As many bytes as come back. */
async function taken(socket: Socket, size: number): Promise<void> {
  await new Promise<void>((resolve) => {
    let left = size
    const take = (data: Buffer): void => {
      left -= data.length
      if (left > 0) return
      socket.off('data', take)
      resolve()
    }
    socket.on('data', take)
  })
}

const payload = Buffer.alloc(2 ** 26 + 9, 'x')

async function sent(socket: Socket, size: number): Promise<void> {
  payload.fill('R', 0, 1).writeBigUInt64BE(BigInt(size), 1)
  const answered = taken(socket, 1)
  socket.write(payload.subarray(0, size + 9))
  await answered
}

async function received(socket: Socket, size: number): Promise<void> {
  const head = Buffer.alloc(9, 'S')
  head.writeBigUInt64BE(BigInt(size), 1)
  const all = taken(socket, size)
  socket.write(head)
  await all
}
