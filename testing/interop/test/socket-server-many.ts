import { createInterface } from 'node:readline'
import { listen } from '@x/socket'

/** The server of socket-server-many.test.ts, in a process of its own: it greets, echoes, and tells what it holds when asked. */
const [cert, key] = JSON.parse(process.env['IDENTITY'] ?? '[]') as [string, string]
const server = await listen({ host: '127.0.0.1', port: 0, backlog: 2_048, hosts: { localhost: { cert, key } } })
server.on('tlsClientError', () => undefined)
server.on('connection', (socket) => {
  socket.on('error', () => undefined).write('welcome')
  socket.pipe(socket)
})
const address = server.address()
console.log(typeof address === 'object' ? address.port : '')

createInterface({ input: process.stdin })
  .on('line', () => void report())
  .on('close', () => process.exit())

async function report(): Promise<void> {
  for (let i = 0; i < 5; i++) {
    globalThis.gc?.()
    await new Promise(setImmediate)
  }
  const { heapUsed, external, rss } = process.memoryUsage()
  const handles = process.getActiveResourcesInfo().filter((kind) => kind.startsWith('TCPSocketWrap')).length
  const { connections, handshakes } = server
  console.log(JSON.stringify({ held: heapUsed + external, rss, handles, connections, handshakes }))
}
