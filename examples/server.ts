// A server that answers in lines; clients come from an async iterator, and one that is silent delays nobody.
import { once } from 'node:events'
import { connect, listen } from '@x/socket'
import { createAuthority } from '@x/utils'

const authority = createAuthority('Example CA')
const { cert, key } = authority.issue('localhost')
const server = await listen({ host: '127.0.0.1', port: 0, cert, key, handshakeTimeout: 5_000 })
server.on('tlsClientError', (error) => console.error('not accepted:', error.message))

async function serve(): Promise<void> {
  for await (const socket of server)
    void (async () => {
      for await (const line of socket.lines()) socket.write(`you said: ${line.toString()}`)
      socket.end()
    })().catch((error: unknown) => console.error('connection:', error))
}
const serving = serve()

const { port } = server.address() as { port: number }
const client = await connect({ host: '127.0.0.1', port, servername: 'localhost', ca: authority.ca })
client.write('hello\n')
console.log((await client.readLine())?.toString().trim())
client.write('goodbye\n')
console.log((await client.readLine())?.toString().trim())
client.resume().end() // read on, or the end of the server's data is never seen
await once(client, 'close')

await server.close()
await serving
