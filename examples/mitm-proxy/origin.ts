// not run by itself: part of main.ts. The connection to the origin, verified before anything else happens.
import type { Socket } from 'node:net'
import { connect as connectUnverified } from 'node:tls'
import { connect, type ConnectOptions, PeerRefusedError, type SecureSocket } from '@x/socket'

/** Where a client wants to go. */
export interface Destination {
  readonly host: string
  readonly port: number
  /** What the client will check the certificate against: the name in its hello, else `host`. */
  readonly name: string
  readonly alpn: readonly string[]
}

/** What came of it. `certificate` is DER. */
export type Origin =
  | { readonly trusted: true; readonly socket: SecureSocket; readonly certificate: Uint8Array }
  | { readonly trusted: false; readonly certificate: Uint8Array; readonly reason: PeerRefusedError }

/** Full verification: chain, name and staple, as everywhere. Rejects where the origin speaks no TLS, or none that we accept. */
export async function connectOrigin(
  transport: Socket,
  { host, port, name, alpn }: Destination,
  trust: Pick<ConnectOptions, 'ca' | 'caFile' | 'caPath' | 'caStore' | 'revocation'>,
): Promise<Origin> {
  try {
    const socket = await connect({
      ...trust,
      socket: transport,
      host: name,
      ...(alpn.length === 0 ? {} : { ALPNProtocols: alpn }),
    })
    const certificate = socket.peerCertificates()[0]
    if (certificate === undefined) throw new TypeError('the origin has no certificate')
    return { trusted: true, socket, certificate: certificate.raw }
  } catch (reason) {
    if (!(reason instanceof PeerRefusedError)) throw reason
    return { trusted: false, certificate: await fetchCertificate(host, port, name), reason }
  }
}

/** The certificate that was refused, to be shown to the client in its own words. Nothing is sent over this connection. */
async function fetchCertificate(host: string, port: number, name: string): Promise<Uint8Array> {
  const socket = connectUnverified({
    host,
    port,
    servername: /^[\d.]+$|:/.test(name) ? '' : name,
    rejectUnauthorized: false,
  })
  try {
    return await new Promise<Uint8Array>((resolve, reject) => {
      socket.once('error', reject).once('secureConnect', () => {
        const certificate = socket.getPeerX509Certificate()
        if (certificate === undefined) reject(new TypeError('the origin has no certificate'))
        else resolve(certificate.raw)
      })
    })
  } finally {
    socket.destroy()
  }
}

/** Codes of what a client sees in the clone itself, since the clone mirrors it. */
const SHOWS_ITSELF = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID', 'DEPTH_ZERO_SELF_SIGNED_CERT'])

/** Whether the clone must be signed by a key that nobody knows, so that the client refuses it whatever is wrong with the origin. */
export function mustBeUntrusted({ code, outcomes }: PeerRefusedError): boolean {
  if (SHOWS_ITSELF.has(code)) return false
  // A name that does not fit shows itself, too, where nothing else is wrong.
  const { chain, name, revocation } = outcomes
  return !(chain?.result === 'passed' && name?.result === 'refused' && revocation?.result !== 'refused')
}
