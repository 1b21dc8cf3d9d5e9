import type { X509Certificate } from 'node:crypto'
import { CertificateError } from './errors.ts'
import { wrongType } from './misuse.ts'
import { looksLikePem, MAX_INPUT_BYTES, readPem } from './pem.ts'

/** What node:tls hands out as a peer certificate: anything that carries its DER as `raw`. */
export interface RawCertificate {
  readonly raw: Uint8Array
}

/** One certificate: PEM text, PEM or DER bytes, an X509Certificate, or a node:tls peer certificate. */
export type CertificateInput = string | Uint8Array | X509Certificate | RawCertificate

/** Certificates: each may be a bundle. */
export type CertificateListInput = CertificateInput | readonly CertificateInput[]

/**
 * DER of one certificate; of a PEM bundle its first. A view of the caller's bytes where those are DER.
 * Not checked: whether the DER is a certificate, beyond being one element and nothing else.
 *
 * @throws CertificateError ERR_CERT_NOT_FOUND, ERR_CERT_PEM_INVALID, ERR_CERT_INVALID, ERR_CERT_TOO_LARGE
 */
export function toCertificateDer(input: CertificateInput, option = 'certificate'): Uint8Array {
  if (typeof input === 'object' && input !== null && !(input instanceof Uint8Array)) return rawOf(input, option)
  return fromText(input, option, true)[0] as Uint8Array
}

/** DER of every certificate of a list, a bundle counting for all that it holds. Throws as {@link toCertificateDer} does. */
export function toCertificateDers(input: CertificateListInput, option = 'certificates'): Uint8Array[] {
  const list: readonly CertificateInput[] = Array.isArray(input) ? input : [input as CertificateInput]
  return list.flatMap((one) =>
    typeof one === 'string' || one instanceof Uint8Array ? fromText(one, option, false) : [rawOf(one, option)],
  )
}

function rawOf(input: RawCertificate, option: string): Uint8Array {
  const raw: unknown = typeof input === 'object' && input !== null ? input.raw : undefined
  if (raw instanceof Uint8Array) return wholeElement(raw)
  throw wrongType(option, 'a string, a Uint8Array, an X509Certificate or an object with its DER as "raw"', input)
}

function fromText(input: string | Uint8Array, option: string, onlyFirst: boolean): Uint8Array[] {
  if (typeof input !== 'string' && !(input instanceof Uint8Array))
    throw wrongType(option, 'a string, a Uint8Array, an X509Certificate or an object with its DER as "raw"', input)
  if (input.length > MAX_INPUT_BYTES)
    throw new CertificateError('ERR_CERT_TOO_LARGE', `certificates of ${input.length} bytes`)
  if (typeof input !== 'string' && !looksLikePem(input)) return [wholeElement(input)]
  const text =
    typeof input === 'string' ? input : Buffer.from(input.buffer, input.byteOffset, input.byteLength).toString('latin1')
  const ders: Uint8Array[] = []
  let found = false
  const blocks = readPem(text, (label) => {
    const wanted = !(onlyFirst && found) && isCertificateLabel(label)
    found ||= wanted
    return wanted
  })
  for (const { label, der } of blocks) ders.push(label.startsWith('TRUSTED') ? firstElement(der) : wholeElement(der))
  if (ders.length === 0) throw new CertificateError('ERR_CERT_NOT_FOUND', 'no certificate in the input')
  return ders
}

/** RFC 7468 section 5.1, and OpenSSL's own two. */
function isCertificateLabel(label: string): boolean {
  return label === 'CERTIFICATE' || label === 'X509 CERTIFICATE' || label === 'TRUSTED CERTIFICATE'
}

/** OpenSSL's TRUSTED CERTIFICATE has trust settings behind the certificate; they are not read. */
function firstElement(der: Uint8Array): Uint8Array {
  return der.subarray(0, elementLength(der))
}

function wholeElement(der: Uint8Array): Uint8Array {
  if (elementLength(der) !== der.length)
    throw new CertificateError('ERR_CERT_INVALID', 'bytes that do not belong to the certificate follow it')
  return der
}

/** Header and content of the SEQUENCE at the start. Only its length is looked at: OpenSSL judges the rest, BER included. */
function elementLength(der: Uint8Array): number {
  const first = der[1] ?? 0
  const octets = first < 0x80 ? 0 : first & 0x7f
  let length = first < 0x80 ? first : 0
  for (let i = 0; i < octets && i < 5; i++) length = length * 256 + (der[2 + i] ?? 0)
  const total = 2 + octets + length
  if (der[0] !== 0x30 || first === 0x80 || octets > 4 || total > der.length)
    throw new CertificateError('ERR_CERT_INVALID', 'not a certificate: no DER SEQUENCE of the given length')
  return total
}
