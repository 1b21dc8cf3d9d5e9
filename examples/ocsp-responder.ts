// A responder for a CA of one's own, over node:http, and a client that asks it.
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  createOcspErrorResponse,
  createOcspResponse,
  OcspError,
  OcspResolver,
  type OcspSingle,
  parseOcspRequest,
} from '@x/ocsp'
import { createAuthority } from '@x/utils'

const ca = createAuthority('Example CA')
// The CA's key can stay offline: this certificate may sign answers, and nothing else.
const signer = ca.issue({ subject: { commonName: 'Example OCSP responder' }, extendedKeyUsage: ['OCSPSigning'] })

/** What the CA knows, by serial number in hex. */
const revoked = new Map<string, Date>()
const issued = new Set<string>()
const hex = (serial: Uint8Array): string => Buffer.from(serial).toString('hex').replace(/^0+/, '')

function answer(request: Uint8Array): Uint8Array {
  try {
    const { certIds, nonce } = parseOcspRequest(request)
    const responses = certIds.map((certId): OcspSingle => {
      const serial = hex(certId.serialNumber)
      const revokedAt = revoked.get(serial)
      if (revokedAt !== undefined) return { certId, status: 'revoked', revokedAt, reason: 'keyCompromise' }
      return { certId, status: issued.has(serial) ? 'good' : 'unknown' }
    })
    return createOcspResponse({ signer, certificates: [signer], responses, ...(nonce === undefined ? {} : { nonce }) })
  } catch (error) {
    return createOcspErrorResponse(error instanceof OcspError ? 'malformedRequest' : 'internalError')
  }
}

async function readRequest(message: IncomingMessage): Promise<Uint8Array> {
  if (message.method === 'GET') return Buffer.from(decodeURIComponent((message.url ?? '').slice(1)), 'base64')
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of message as AsyncIterable<Uint8Array>) {
    length += chunk.length
    if (length > 10_240) break // parseOcspRequest refuses what is longer
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

const server = createServer((message, response) => {
  const reply = async (): Promise<void> => {
    const body = answer(await readRequest(message))
    response.writeHead(200, { 'content-type': 'application/ocsp-response', 'content-length': body.length }).end(body)
  }
  reply().catch(() => response.destroy())
}).listen(0, '127.0.0.1')
await once(server, 'listening')

const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
const good = ca.issue({ names: 'good.example', ocspUris: [url] })
const bad = ca.issue({ names: 'bad.example', ocspUris: [url] })
for (const { certificate } of [good, bad]) issued.add(hex(Buffer.from(certificate.serialNumber, 'hex')))
revoked.set(hex(Buffer.from(bad.certificate.serialNumber, 'hex')), new Date())

for (const certificate of [good, bad]) {
  const verdict = await new OcspResolver({ chain: [certificate, ca], failure: 'hard' }).resolve()
  console.log(
    certificate.certificate.subject,
    '->',
    verdict.result === 'refused' ? verdict.error.message : verdict.result,
  )
}
server.close()
