// Both sides show a certificate, and each is told who the other is. A client without one is refused before it can send anything.
import { once } from 'node:events'
import { connect, listen } from '@x/socket'
import { createAuthority } from '@x/utils'

const servers = createAuthority('CA of the servers')
const staff = createAuthority('CA of the staff') // one that signs for nobody else: whoever holds its certificate gets in
const alice = staff.issue({ subject: { commonName: 'alice' }, purpose: 'client' })

const { cert, key } = servers.issue('localhost')
const server = await listen({ host: '127.0.0.1', port: 0, cert, key, requestCert: 'required', ca: staff.ca })
server.on('connection', (socket) => socket.end(`hello ${String(socket.peerCertificate('commonName'))}\n`))
const { port } = server.address() as { port: number }
const to = { host: '127.0.0.1', port, servername: 'localhost', ca: servers.ca }

const socket = await connect({ ...to, cert: alice.cert, key: alice.key })
console.log(String(await socket.readLine()).trim())
socket.destroy()

// In TLS 1.3 a client has done its part before the server looks at it: it learns of the refusal by the closed connection.
const refusal = once(server, 'tlsClientError')
const anonymous = await connect(to)
anonymous.on('error', () => undefined)
const [error] = (await refusal) as [Error & { code?: string }]
console.log('without a certificate:', error.code)

anonymous.destroy()
server.closeAllConnections()
await server.close()
