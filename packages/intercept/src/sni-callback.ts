import type { SecureContext } from 'node:tls'
import type { CertificateInput } from '@x/utils'
import { InterceptError } from './errors.ts'

/** The origin's certificate for the name that a client asks for, or undefined where there is none. */
export type OriginLookup = (servername: string) => CertificateInput | undefined | Promise<CertificateInput | undefined>

/** What `tls.createServer` takes as `SNICallback`. */
export type SniCallback = (servername: string, done: (error: Error | null, context?: SecureContext) => void) => void

/**
 * Nothing may be thrown into Node's handshake, and `done` is called once. A name without a certificate fails the handshake: without a
 * context Node would go on with the server's default certificate.
 */
export function sniCallback(
  originOf: OriginLookup,
  contextOf: (certificate: CertificateInput, servername: string) => SecureContext,
): SniCallback {
  return (servername, done) => void answer(servername, done)

  async function answer(servername: string, done: Parameters<SniCallback>[1]): Promise<void> {
    let context: SecureContext
    try {
      context = await contextFor(servername)
    } catch (error) {
      done(error instanceof Error ? error : noOrigin(servername, error))
      return
    }
    done(null, context)
  }

  async function contextFor(servername: string): Promise<SecureContext> {
    const certificate = await originOf(servername)
    if (certificate === undefined) throw noOrigin(servername)
    return contextOf(certificate, servername)
  }
}

function noOrigin(servername: string, cause?: unknown): InterceptError {
  const message = `no certificate to clone for '${servername.slice(0, 255)}'`
  return new InterceptError('ERR_INTERCEPT_NO_ORIGIN', message, cause === undefined ? {} : { cause })
}
