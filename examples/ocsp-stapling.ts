// A node:tls server that staples, and a node:tls client that insists on it. (@x/socket does the client's part on its own.)
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, type ConnectionOptions, createServer } from 'node:tls'
import { checkStaple, createOcspResponse, createStapler, OcspCache, type OcspFetch, parseOcspRequest } from '@x/ocsp'
import { createAuthority } from '@x/utils'

const ca = createAuthority('Example CA')
const server = ca.issue({ names: 'localhost', ocspUris: ['http://ocsp.example/'], mustStaple: true })

// Stands for the CA's responder, so that this runs without a network.
const fetch: OcspFetch = async (_url, init) => {
  const { certIds } = parseOcspRequest(new Uint8Array(init.body as Uint8Array))
  const responses = certIds.map((certId) => ({ certId, status: 'good' as const }))
  return new Response(new Uint8Array(createOcspResponse({ signer: ca, responses })))
}

const stapler = createStapler({ fetch, issuers: ca.cert, onError: (error) => console.error(error.code, error.message) })
await stapler.staple(server, ca) // the first answer is there before the first client
const listening = createServer({ cert: server.cert, key: server.key }, (socket) => socket.end())
listening.on('OCSPRequest', stapler.onRequest)
listening.listen(0, '127.0.0.1')
await once(listening, 'listening')

const cache = new OcspCache()
const { port } = listening.address() as AddressInfo
const options = { port, host: '127.0.0.1', servername: 'localhost', ca: ca.cert, requestOCSP: true }
const socket = connect(options satisfies ConnectionOptions)
const [staple] = (await once(socket, 'OCSPResponse')) as [Buffer | null]
const verdict = await checkStaple(staple, { certificate: server, issuer: ca, cache })
if (verdict.result !== 'good') socket.destroy(verdict.error)
console.log(
  'stapled:',
  verdict.result,
  verdict.result === 'good' ? `until ${verdict.status.validUntil.toISOString()}` : '',
)

socket.destroy()
listening.close()
stapler.close()
