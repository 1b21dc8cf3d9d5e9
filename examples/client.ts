// A client: what is verified before any data flows, and what a refusal says.
import { connect, listen, PeerRefusedError } from '@x/socket'
import { createAuthority } from '@x/utils'

// Stands for the server; a program against a real one needs only `connect('www.example.org:443')`.
const authority = createAuthority('Example CA')
const { cert, key } = authority.issue('shop.example')
const server = await listen({ host: '127.0.0.1', port: 0, cert, key })
server.on('connection', (socket) => socket.end('welcome\n'))
const { port } = server.address() as { port: number }

const socket = await connect({
  host: '127.0.0.1',
  port,
  servername: 'shop.example', // the name that must be proven; by default that of the host
  ca: authority.ca, // by default the CAs of this machine
})
console.log('greeting:', String(await socket.readLine()).trim())
for (const [check, outcome] of Object.entries(socket.verification?.outcomes ?? {}))
  console.log(`${check}:`, outcome.result, outcome.result === 'passed' ? outcome.evidence : '')
socket.destroy()

// The same server by another name: refused, with a code, what was seen, and what to do.
try {
  await connect({ host: '127.0.0.1', port, servername: 'bank.example', ca: authority.ca })
} catch (error) {
  if (!(error instanceof PeerRefusedError)) throw error
  console.log('refused:', error.code, error.message, error.hint ?? '')
}
server.closeAllConnections()
await server.close()
