import { invalidArgument } from './errors.ts'

/**
 * A certificate as programs have it: PEM text (its first block counts), PEM or DER bytes, or anything that holds its DER
 * in `raw`, as node:crypto's X509Certificate and node:tls's peer certificates do.
 */
export type CertificateInput = string | Uint8Array | { readonly raw: Uint8Array }

const BEGIN = /-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----([ \t\r]*\n)?/

/**
 * The DER of a certificate given in any form; undefined where text holds no block that could be one.
 * A legacy object without `raw` is refused: its printed names cannot be told from what a certificate says of itself.
 * @throws TypeError ERR_INVALID_ARG_TYPE for anything that is no certificate.
 */
export function certificateDer(certificate: unknown): Uint8Array | undefined {
  if (typeof certificate === 'object' && certificate !== null) {
    if (certificate instanceof Uint8Array) {
      if (certificate[0] === 0x30) return certificate
      return pemDer(Buffer.from(certificate.buffer, certificate.byteOffset, certificate.byteLength).toString('latin1'))
    }
    const raw: unknown = (certificate as { raw?: unknown }).raw
    if (raw instanceof Uint8Array) return raw
    throw invalidArgument('ERR_INVALID_ARG_TYPE', 'certificate: an object must hold its DER in `raw` (a Uint8Array)')
  }
  if (typeof certificate === 'string') return pemDer(certificate)
  throw invalidArgument(
    'ERR_INVALID_ARG_TYPE',
    'certificate must be PEM, DER, an X509Certificate or a peer certificate',
  )
}

/**
 * RFC 7468 section 5, the first block; text around it is ignored. Its BEGIN must be a line of its own: OpenSSL takes another one for
 * text (or not, behind a line of 254 characters), and could judge another certificate of the same text.
 */
function pemDer(text: string): Uint8Array | undefined {
  const found = BEGIN.exec(text)
  if (found === null || found[2] === undefined || (found.index > 0 && text[found.index - 1] !== '\n')) return undefined
  const label = found[1] as string
  const start = found.index + found[0].length
  const end = text.indexOf(`-----END ${label}-----`, start)
  if (end === -1) return undefined
  // White space goes first: one expression for both would try every way to share it out.
  const body = text.slice(start, end).replace(/\s+/g, '')
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(body)) return undefined
  const der = Buffer.from(body, 'base64')
  return label.startsWith('TRUSTED') ? firstElement(der) : der
}

/** OpenSSL puts trust settings behind the certificate; those are no part of it. */
function firstElement(der: Uint8Array): Uint8Array {
  const length = der[1] ?? 0
  if (length < 0x80) return der.subarray(0, 2 + length)
  let content = 0
  for (let i = 2; i < 2 + (length & 0x7f); i++) content = content * 256 + (der[i] ?? 0)
  return der.subarray(0, 2 + (length & 0x7f) + content)
}
