import { once } from 'node:events'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { connect } from '@x/socket'
import type { BenchRow } from '../src/row.ts'
import { request, type TransferPeer, transferPeer } from '../src/transfer-peer.ts'

/** Enough for the handshake not to count; figures are per GB. */
const AMOUNT = 96 * 2 ** 20
const PER_GB = 2 ** 30 / AMOUNT / 1e6

type Open = (peer: TransferPeer) => Promise<Socket>

const ours: Open = ({ port, ca }) => connect({ host: '127.0.0.1', port, servername: 'localhost', ca })
const plain: Open = async ({ port, ca }) => {
  const socket = connectTls({ host: '127.0.0.1', port, servername: 'localhost', ca })
  await once(socket, 'secureConnect')
  return socket.setNoDelay(true)
}

export default async function rows(): Promise<BenchRow[]> {
  return [
    await row('receive, stream API', [{ of: 'node:tls', atMost: 1.03 }], {
      '@x/socket': (peer) => receive(peer, ours),
      'node:tls': (peer) => receive(peer, plain),
    }),
    await row('receive into the caller’s buffers', [{ of: "node:tls 'data'", atMost: 0.7 }], {
      '@x/socket': (peer) => receiveInto(peer, true),
      "node:tls 'data'": (peer) => receive(peer, plain),
      'node:tls onread': (peer) => receiveInto(peer, false),
    }),
    await row('send in 1 KB writes', [{ of: 'node:tls', atMost: 0.5 }], {
      '@x/socket': (peer) => send(peer, ours, 1024),
      'node:tls': (peer) => send(peer, plain, 1024),
    }),
    await row('send in 64 KB writes', [{ of: 'node:tls', atMost: 0.8 }], {
      '@x/socket': (peer) => send(peer, ours, 65_536),
      'node:tls': (peer) => send(peer, plain, 65_536),
    }),
  ]
}

async function row(
  name: string,
  goals: BenchRow['goals'],
  subjects: Readonly<Record<string, (peer: TransferPeer) => Promise<number>>>,
): Promise<BenchRow> {
  const peer = await transferPeer()
  const measure = Object.fromEntries(
    Object.entries(subjects).map(([subject, run]) => [subject, () => run(peer)] as const),
  )
  return { name: `socket: ${name}`, measure, unit: 's/GB', goals, close: peer.close }
}

async function receive(peer: TransferPeer, open: Open): Promise<number> {
  const socket = await open(peer)
  let got = 0
  const all = new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      got += chunk.length
      if (got >= AMOUNT) resolve()
    })
  })
  return await measured(socket, () => {
    socket.write(request('S', AMOUNT))
    return all
  })
}

async function receiveInto({ port, ca }: TransferPeer, byUs: boolean): Promise<number> {
  let got = 0
  let finish: () => void = () => undefined
  const all = new Promise<void>((resolve) => {
    finish = resolve
  })
  const onread = {
    buffer: Buffer.alloc(65_536),
    callback: (length: number): boolean => {
      got += length
      if (got >= AMOUNT) finish()
      return true
    },
  }
  const options = { host: '127.0.0.1', port, servername: 'localhost', ca, onread }
  const socket = byUs ? await connect(options) : connectTls(options)
  if (!byUs) await once(socket, 'secureConnect')
  return await measured(socket, () => {
    socket.write(request('S', AMOUNT))
    return all
  })
}

async function send(peer: TransferPeer, open: Open, size: number): Promise<number> {
  const socket = await open(peer)
  const chunk = Buffer.alloc(size, 'x')
  const answered = once(socket, 'data')
  return await measured(socket, async () => {
    socket.write(request('R', AMOUNT))
    for (let left = AMOUNT; left > 0; left -= size) if (!socket.write(chunk)) await once(socket, 'drain')
    await answered
  })
}

async function measured(socket: Socket, work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  socket.destroy()
  return (user + system) * PER_GB
}
