// A program's TLS tested without files, network or switched-off checks: three lines make a CA and every certificate a test wants.
import assert from 'node:assert/strict'
import { connect, listen } from '@x/socket'
import { createAuthority, type IssuedIdentity } from '@x/utils'

/** The program under test. */
async function fetchGreeting(port: number, ca: string): Promise<string> {
  const socket = await connect({ host: '127.0.0.1', port, servername: 'api.example', ca })
  try {
    return String(await socket.readLine()).trim()
  } finally {
    socket.destroy()
  }
}

async function against(identity: IssuedIdentity, ca: string): Promise<string> {
  const server = await listen({ host: '127.0.0.1', port: 0, cert: identity.cert, key: identity.key })
  server.on('connection', (socket) => socket.end('hello\n'))
  server.on('tlsClientError', () => undefined) // the client hangs up where it refuses
  try {
    return await fetchGreeting((server.address() as { port: number }).port, ca)
  } finally {
    server.closeAllConnections()
    await server.close()
  }
}

const authority = createAuthority()
const day = 86_400_000
const yesterday = { notBefore: new Date(Date.now() - 2 * day), notAfter: new Date(Date.now() - day) }

assert.equal(await against(authority.issue('api.example'), authority.ca), 'hello')
const refused: [string, IssuedIdentity][] = [
  ['CERT_HAS_EXPIRED', authority.issue({ names: 'api.example', ...yesterday })],
  ['ERR_TLS_CERT_ALTNAME_INVALID', authority.issue('other.example')],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', createAuthority().issue('api.example')],
]
for (const [code, identity] of refused)
  await assert.rejects(against(identity, authority.ca), (error: { code?: string }) => {
    console.log(code, 'expected,', error.code, 'given')
    return error.code === code
  })
