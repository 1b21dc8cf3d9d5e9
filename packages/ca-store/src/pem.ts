/** One certificate block of a PEM file, by position: nothing is decoded before it is looked at. */
export interface PemBlock {
  readonly bytes: Buffer
  /** Start of the base64 body. */
  readonly start: number
  /** End of the base64 body. */
  readonly end: number
  /** `TRUSTED CERTIFICATE`: OpenSSL's trust settings follow the certificate (X509_CERT_AUX). */
  readonly trusted: boolean
  /** False where the matching END line is missing. */
  readonly complete: boolean
}

/** Certificates in one file or list. Debian ships 144, Windows a few hundred. */
export const MAX_CERTIFICATES = 20_000

// RFC 7468 section 5 and OpenSSL's PEM_STRING_X509, PEM_STRING_X509_OLD, PEM_STRING_X509_TRUSTED.
const labels: ReadonlyMap<string, { readonly trusted: boolean; readonly end: Buffer }> = new Map(
  ['CERTIFICATE', 'X509 CERTIFICATE', 'TRUSTED CERTIFICATE'].map((label) => [
    label,
    { trusted: label.startsWith('TRUSTED'), end: Buffer.from(`-----END ${label}-----`) },
  ]),
)

/** Every certificate block, in order; other blocks and the text between them are passed over. One more than `limit` at most. */
export function findCertificateBlocks(bytes: Buffer, limit: number = MAX_CERTIFICATES): PemBlock[] {
  const blocks: PemBlock[] = []
  let at = 0
  while (blocks.length <= limit) {
    const begin = bytes.indexOf(BEGIN, at)
    if (begin < 0) break
    const labelEnd = bytes.indexOf(DASHES, begin + BEGIN.length)
    if (labelEnd < 0) break
    const label = labels.get(bytes.toString('latin1', begin + BEGIN.length, Math.min(labelEnd, begin + 32)))
    if (label === undefined || !startsLine(bytes, begin)) {
      at = labelEnd
      continue
    }
    const start = labelEnd + DASHES.length
    const dashes = bytes.indexOf(DASHES, start)
    const end = dashes < 0 ? bytes.length : dashes
    const complete =
      bytes.compare(label.end, 0, label.end.length, end, Math.min(end + label.end.length, bytes.length)) === 0
    blocks.push({ bytes, start, end, trusted: label.trusted, complete })
    at = complete ? end + label.end.length : end
  }
  return blocks
}

const BEGIN = Buffer.from('-----BEGIN ')
const DASHES = Buffer.from('-----')

function startsLine(bytes: Buffer, at: number): boolean {
  const before = bytes[at - 1]
  return at === 0 || before === 0x0a || before === 0x0d
}

/** The bytes of a block. Characters that are not base64 are passed over: see {@link isBase64}. */
export function decodeBlock(block: PemBlock): Buffer {
  return Buffer.from(body(block), 'base64')
}

/** Whether the body is base64 and white space alone, with padding only at its end. */
export function isBase64(block: PemBlock): boolean {
  const text = body(block)
  if (/[^A-Za-z0-9+/=\s]/.test(text)) return false
  const padding = text.indexOf('=')
  return padding < 0 || /^={1,2}\s*$/.test(text.slice(padding))
}

function body({ bytes, start, end }: PemBlock): string {
  return bytes.toString('latin1', start, end)
}

/** A PEM block of 64 columns (RFC 7468 section 2). */
export function encodeBlock(der: Uint8Array): string {
  const base64 = Buffer.from(der.buffer, der.byteOffset, der.length).toString('base64')
  let text = '-----BEGIN CERTIFICATE-----\n'
  for (let i = 0; i < base64.length; i += 64) text += `${base64.slice(i, i + 64)}\n`
  return `${text}-----END CERTIFICATE-----\n`
}
