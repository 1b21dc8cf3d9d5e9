import { connect as connectTls, createSecureContext as createPlainContext, type TLSSocket } from 'node:tls'
import { connect, createSecureContext, type SecureSocket } from '@x/socket'
import type { Chart } from '../src/chart.ts'
import { cpuOf, grow } from '../src/growth.ts'
import { transferPeer } from '../src/transfer-peer.ts'

/** How many handshakes are under way at a time; the others are done, or wait for their turn. */
const AT_ONCE = 50

type Open = () => Promise<SecureSocket | TLSSocket>

export default async function charts(): Promise<Chart[]> {
  const { port, ca, close } = await transferPeer({ minVersion: 'TLSv1.3' })
  const where = { host: '127.0.0.1', port, servername: 'localhost' }
  const secureContext = await createSecureContext({ ca })
  const plainContext = createPlainContext({ ca })
  const ours: Open = () => connect({ ...where, secureContext })
  const plain: Open = async () => {
    const socket = connectTls({ ...where, secureContext: plainContext })
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
    return socket
  }
  for (const open of [ours, plain]) for (let i = 0; i < 6; i++) await opened(open, 100)
  const lines = await grow(
    [10, 30, 100, 300, 1000, 2000],
    (count) => ({ samples: { '@x/socket': () => opened(ours, count), 'node:tls': () => opened(plain, count) } }),
    3,
  )
  close()
  return [
    {
      id: 'connections',
      title: 'Handshakes, while so many connections are being opened and kept',
      text: `A client opens so many connections, ${AT_ONCE} at a time, and keeps them all until the last is open. P-256, TLS 1.3, one shared context.`,
      x: 'connections',
      y: 'CPU time per handshake, µs',
      lines,
    },
  ]
}

/** Microseconds per connection. */
async function opened(open: Open, count: number): Promise<number> {
  const sockets: (SecureSocket | TLSSocket)[] = []
  let left = count
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const socket = await open()
      socket.on('error', () => undefined)
      sockets.push(socket)
    }
  }
  const cost = await cpuOf(() => Promise.all(Array.from({ length: AT_ONCE }, worker)))
  const closed = sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve)))
  for (const socket of sockets) socket.destroy()
  await Promise.all(closed)
  return cost / count
}
