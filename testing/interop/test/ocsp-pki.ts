import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  createOcspErrorResponse,
  createOcspResponse,
  namesCertificate,
  parseOcspRequest,
  type RevocationReason,
} from '@x/ocsp'
import { type Authority, createAuthority, type IssuedIdentity } from '@x/utils'

/** What a CA says of one of its certificates. */
export interface Entry {
  readonly identity: IssuedIdentity
  readonly status: 'good' | 'revoked' | 'unknown'
  readonly reason?: RevocationReason
  readonly revokedAt?: number
}

/** One line each of the index that `openssl ca` keeps and `openssl ocsp -index` reads; `unknown` certificates have none. */
export function opensslIndex(entries: readonly Entry[]): string {
  const time = (at: number): string => `${new Date(at).toISOString().replace(/[-T:]/g, '').slice(2, 14)}Z`
  return entries
    .filter(({ status }) => status !== 'unknown')
    .map(({ identity: { certificate }, status, reason, revokedAt = Date.now() - 3_600_000 }) => {
      const revoked = status === 'revoked' ? [time(revokedAt), reason].filter(Boolean).join(',') : ''
      const until = time(Date.parse(certificate.validTo))
      return `${[status === 'revoked' ? 'R' : 'V', until, revoked, certificate.serialNumber, 'unknown', `/CN=${certificate.serialNumber}`].join('\t')}\n`
    })
    .join('')
}

/** Our own responder over node:http, on loopback. */
export class OurResponder implements AsyncDisposable {
  readonly ca: Authority = createAuthority('Interop CA')
  readonly entries: Entry[] = []
  readonly requests: number[] = []
  /** Who signs; default the CA itself. */
  signer: IssuedIdentity | undefined
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(): Promise<OurResponder> {
    const server = createServer((message, response) => {
      const chunks: Uint8Array[] = []
      message.on('data', (chunk: Uint8Array) => chunks.push(chunk))
      message.on('end', () => {
        const request =
          message.method === 'GET'
            ? Buffer.from(decodeURIComponent((message.url ?? '').slice(1)), 'base64')
            : Buffer.concat(chunks)
        response.writeHead(200, { 'content-type': 'application/ocsp-response' }).end(responder.answer(request))
      })
    }).listen(0, '127.0.0.1')
    const responder = new OurResponder(server)
    await once(server, 'listening')
    return responder
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
  }

  /** Issues a certificate that names this responder, and takes it into the books. */
  issue(
    names: string,
    entry: Omit<Entry, 'identity'>,
    options: Parameters<Authority['issue']>[0] & object = {},
  ): IssuedIdentity {
    const identity = this.ca.issue({ names, ocspUris: [this.url], ...(options as object) })
    this.entries.push({ identity, ...entry })
    return identity
  }

  answer(request: Uint8Array): Uint8Array {
    try {
      const { certIds, nonce } = parseOcspRequest(request)
      this.requests.push(certIds.length)
      const responses = certIds.map((certId) => {
        const entry = this.entries.find(({ identity }) =>
          namesCertificate(certId, { certificate: identity, issuer: this.ca }),
        )
        if (entry?.status !== 'revoked') return { certId, status: entry?.status ?? ('unknown' as const) }
        return {
          certId,
          status: entry.status,
          ...(entry.reason && { reason: entry.reason }),
          ...(entry.revokedAt && { revokedAt: entry.revokedAt }),
        }
      })
      return createOcspResponse({
        signer: this.signer ?? this.ca,
        certificates: this.signer === undefined ? [] : [this.signer],
        responses,
        ...(nonce && { nonce }),
      })
    } catch {
      return createOcspErrorResponse('malformedRequest')
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
