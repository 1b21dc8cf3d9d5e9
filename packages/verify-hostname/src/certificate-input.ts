import { invalidArgument } from './errors.ts'

/**
 * A certificate as programs have it: PEM text (its first block counts), PEM or DER bytes, or anything that holds its DER
 * in `raw`, as node:crypto's X509Certificate and node:tls's peer certificates do.
 */
export type CertificateInput = string | Uint8Array | { readonly raw: Uint8Array }

const LABELS = ['CERTIFICATE', 'X509 CERTIFICATE', 'TRUSTED CERTIFICATE']

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

/** RFC 7468 section 5, the first block; text around it is ignored. */
function pemDer(text: string): Uint8Array | undefined {
  let first = -1
  let begin = ''
  for (const label of LABELS) {
    const line = `-----BEGIN ${label}-----`
    const at = text.indexOf(line)
    if (at !== -1 && (first === -1 || at < first)) {
      first = at
      begin = line
    }
  }
  if (first === -1) return undefined
  const end = text.indexOf(begin.replace('BEGIN', 'END'), first)
  if (end === -1) return undefined
  // White space goes first: one expression for both would try every way to share it out.
  const body = text.slice(first + begin.length, end).replace(/\s+/g, '')
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(body)) return undefined
  const der = Buffer.from(body, 'base64')
  return begin.includes('TRUSTED') ? firstElement(der) : der
}

/** OpenSSL puts trust settings behind the certificate; those are no part of it. */
function firstElement(der: Uint8Array): Uint8Array {
  const length = der[1] ?? 0
  if (length < 0x80) return der.subarray(0, 2 + length)
  let content = 0
  for (let i = 2; i < 2 + (length & 0x7f); i++) content = content * 256 + (der[i] ?? 0)
  return der.subarray(0, 2 + (length & 0x7f) + content)
}
