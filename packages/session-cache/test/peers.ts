import { type createPrivateKey, randomBytes, sign, type X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type ConnectionOptions, createServer, type Server, type TlsOptions, type TLSSocket } from 'node:tls'
import { connect, type SharingOptions } from '../src/tls.ts'

/** A server that says 'hi' and ends, and remembers which of its connections were resumed. */
export class TestServer implements AsyncDisposable {
  readonly server: Server
  readonly resumed: boolean[] = []

  /** With `renews` it sends a new ticket on resumption, as OpenSSL's own servers do and Node's do not. */
  constructor(options: TlsOptions, { renews = false }: { readonly renews?: boolean } = {}) {
    this.server = createServer(options, (socket) => {
      this.resumed.push(socket.isSessionReused())
      socket.on('error', () => undefined)
      socket.setNoDelay(true)
      socket.end('hi')
    })
    this.server.on('tlsClientError', () => undefined)
    if (renews) renewTickets(this.server)
  }

  async listen(): Promise<number> {
    this.server.listen(0, '127.0.0.1')
    await once(this.server, 'listening')
    return (this.server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.close()
    await once(this.server, 'close')
  }
}

/** An undocumented callback of Node's contexts; 2 stands for "accept and renew". */
export function renewTickets(server: object): void {
  const [name, hmac, aes] = [Buffer.alloc(16, 1), randomBytes(16), randomBytes(16)]
  const { context } = (server as { _sharedCreds: { context: TicketContext } })._sharedCreds
  context.onticketkeycallback = (_name, _iv, encrypting) =>
    encrypting ? [1, hmac, aes, name, randomBytes(16)] : [2, hmac, aes]
  context.enableTicketKeyCallback()
}

interface TicketContext {
  onticketkeycallback: (name: Buffer, iv: Buffer, encrypting: boolean) => unknown[]
  enableTicketKeyCallback(): void
}

export interface Visit {
  readonly socket: TLSSocket
  readonly resumed: boolean
  readonly text: string
}

/** Connects, reads to the end, closes. */
export async function visit(options: ConnectionOptions, sharing: SharingOptions): Promise<Visit> {
  const socket = await connect(options, sharing)
  const resumed = socket.isSessionReused()
  let text = ''
  socket.on('data', (data: Buffer) => (text += data.toString()))
  socket.end()
  await once(socket, 'close')
  return { socket, resumed, text }
}

/** A CRL of this issuer, signed with its P-256 key, which revokes these certificates. */
export function makeCrl(
  issuer: { certificate: X509Certificate; privateKey: Parameters<typeof createPrivateKey>[0] | object },
  revoked: readonly X509Certificate[],
): string {
  const der = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
    const body = Buffer.concat(parts)
    const length = body.length < 0x80 ? [body.length] : [0x82, body.length >> 8, body.length & 0xff]
    return Buffer.concat([Buffer.from([tag, ...length]), body])
  }
  const time = (offset: number): Buffer =>
    der(
      0x17,
      Buffer.from(
        new Date(Date.now() + offset)
          .toISOString()
          .replaceAll(/[-:T]|\.\d+/g, '')
          .slice(2),
      ),
    )
  const ecdsaSha256 = der(0x30, Buffer.from('06082a8648ce3d040302', 'hex'))
  const serial = (certificate: X509Certificate): Buffer => {
    const bytes = Buffer.from(
      certificate.serialNumber.padStart(certificate.serialNumber.length + (certificate.serialNumber.length % 2), '0'),
      'hex',
    )
    return der(2, (bytes[0] as number) > 0x7f ? Buffer.from([0]) : Buffer.alloc(0), bytes)
  }
  const entries = revoked.map((certificate) => der(0x30, serial(certificate), time(-60_000)))
  const list = der(
    0x30,
    Buffer.from([2, 1, 1]),
    ecdsaSha256,
    subjectOf(issuer.certificate),
    time(-60_000),
    time(86_400_000),
    der(0x30, ...entries),
  )
  const signature = sign('sha256', list, issuer.privateKey as never)
  const crl = der(0x30, list, ecdsaSha256, der(3, Buffer.from([0]), signature))
  return `-----BEGIN X509 CRL-----\n${crl.toString('base64').replaceAll(/.{1,64}/g, '$&\n')}-----END X509 CRL-----\n`
}

/** A self-signed certificate: the name behind the validity equals the issuer, which stands behind the second AlgorithmIdentifier. */
function subjectOf(certificate: X509Certificate): Buffer {
  const { raw } = certificate
  const element = (at: number): { start: number; end: number } => {
    const first = raw[at + 1] as number
    const size = first < 0x80 ? 0 : first - 0x80
    const length = size === 0 ? first : raw.readUIntBE(at + 2, size)
    return { start: at + 2 + size, end: at + 2 + size + length }
  }
  let at = element(element(0).start).start
  for (let skipped = 0; skipped < 3; skipped++) at = element(at).end // version, serial, signature
  return raw.subarray(at, element(at).end)
}
