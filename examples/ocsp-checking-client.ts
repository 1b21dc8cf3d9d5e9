// A client that asks the CA's responder whether a certificate was revoked, and refuses unless the answer is "good".
import { connect, listen } from '@x/socket'
import { createOcspResponse, parseOcspRequest } from '@x/ocsp'
import { createAuthority, type IssuedIdentity } from '@x/utils'

const ca = createAuthority('Example CA')
const issue = (): IssuedIdentity => ca.issue({ names: 'shop.example', ocspUris: ['http://ocsp.example/'] })
const [good, stolen] = [issue(), issue()]

// Stands for the CA's responder, so that this runs without a network.
const fetch: typeof globalThis.fetch = async (_url, init) => {
  const { certIds } = parseOcspRequest(new Uint8Array(init?.body as Uint8Array))
  console.log('asked about', certIds.length, 'certificate')
  const responses = certIds.map((certId) => {
    const isStolen = Buffer.from(certId.serialNumber).equals(Buffer.from(stolen.certificate.serialNumber, 'hex'))
    return isStolen
      ? { certId, status: 'revoked' as const, revokedAt: new Date(), reason: 'keyCompromise' as const }
      : { certId, status: 'good' as const }
  })
  return new Response(new Uint8Array(createOcspResponse({ signer: ca, responses })))
}

for (const { cert, key } of [good, stolen]) {
  const server = await listen({ host: '127.0.0.1', port: 0, cert, key })
  server.on('tlsClientError', () => undefined)
  const { port } = server.address() as { port: number }
  try {
    const socket = await connect({
      host: '127.0.0.1',
      port,
      servername: 'shop.example',
      ca: ca.ca,
      // by default only a stapled answer is looked at; 'hard': no answer is a refusal too, not only a revocation
      revocation: { online: true, failure: 'hard', depth: 'leaf', timeout: 5_000, fetch },
    })
    console.log('accepted:', socket.verification?.outcomes.revocation)
    socket.destroy()
  } catch (error) {
    console.log('refused:', (error as { code?: string }).code, (error as Error).message)
  }
  server.closeAllConnections()
  await server.close()
}
