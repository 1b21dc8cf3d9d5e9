import { CertificateError } from './errors.ts'

/** One block of a PEM text (RFC 7468, and RFC 1421 for its headers). */
export interface PemBlock {
  /** What stands after BEGIN: 'CERTIFICATE', 'RSA PRIVATE KEY' and so on. */
  readonly label: string
  readonly der: Uint8Array
  /** The block as it stands in the text, headers and all. */
  readonly text: string
  /** True where it has RFC 1421 headers, as traditionally encrypted keys do. */
  readonly headers: boolean
}

/** The largest input that is looked at: beyond every trust store and far below what would hurt. */
export const MAX_INPUT_BYTES: number = 64 * 1024 * 1024

const BEGIN = '-----BEGIN '
const DASHES = '-----'

/**
 * Every block of a PEM text, in order; text between the blocks is skipped. The time is linear in the length.
 *
 * @param wanted - which labels are decoded; blocks with other labels are stepped over unread.
 * @throws CertificateError ERR_CERT_PEM_INVALID where a wanted block has no end or is not base64,
 *   ERR_CERT_TOO_LARGE above `MAX_INPUT_BYTES`.
 */
export function readPem(text: string, wanted: (label: string) => boolean = () => true): PemBlock[] {
  if (text.length > MAX_INPUT_BYTES)
    throw new CertificateError('ERR_CERT_TOO_LARGE', `PEM of ${text.length} characters`)
  const blocks: PemBlock[] = []
  for (let at = nextBegin(text, 0); at >= 0; ) {
    const labelStart = at + BEGIN.length
    const lineEnd = endOfLine(text, labelStart)
    const line = text.slice(labelStart, lineEnd).trimEnd()
    const label = line.endsWith(DASHES) ? line.slice(0, -DASHES.length) : undefined
    if (label === undefined || !wanted(label)) {
      at = nextBegin(text, labelStart)
      continue
    }
    const end = text.indexOf(`${DASHES}END ${label}${DASHES}`, lineEnd)
    const next = nextBegin(text, labelStart)
    if (end < 0 || (next >= 0 && next < end))
      throw new CertificateError('ERR_CERT_PEM_INVALID', `PEM block '${label}' has no END line`)
    const body = text.slice(lineEnd, end)
    const headers = body.includes(':')
    blocks.push({
      label,
      headers,
      der: decodeBody(headers ? withoutHeaders(body) : body, label),
      text: text.slice(at, end + label.length + 14),
    })
    at = nextBegin(text, end)
  }
  return blocks
}

/** True where bytes look like text with a PEM block in it, rather than like DER. */
export function looksLikePem(bytes: Uint8Array): boolean {
  return (
    bytes[0] !== 0x30 ||
    (/^0[\t\n\r -~]/.test(String.fromCharCode(...bytes.subarray(0, 2))) &&
      Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(BEGIN))
  )
}

/** PEM of DER (RFC 7468 section 2): lines of 64 characters, with a newline at the end. */
export function writePem(label: string, der: Uint8Array): string {
  const base64 = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString('base64')
  let text = `-----BEGIN ${label}-----\n`
  for (let i = 0; i < base64.length; i += 64) text += `${base64.slice(i, i + 64)}\n`
  return `${text}-----END ${label}-----\n`
}

function nextBegin(text: string, from: number): number {
  for (let at = text.indexOf(BEGIN, from); at >= 0; at = text.indexOf(BEGIN, at + 1)) {
    const before = text.charCodeAt(at - 1)
    if (at === 0 || before === 10 || before === 13 || (at === 1 && before === 0xfeff)) return at
  }
  return -1
}

/** Looks no further than the line goes: a text of lone carriage returns has no newline at all. */
function endOfLine(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 10 || code === 13) return at
  }
  return text.length
}

function withoutHeaders(body: string): string {
  const blank = /\r?\n[ \t]*\r?\n/.exec(body)
  return blank === null ? body : body.slice(blank.index)
}

function decodeBody(body: string, label: string): Uint8Array {
  const base64 = body.replace(/[ \t\r\n]+/g, '')
  if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64))
    throw new CertificateError('ERR_CERT_PEM_INVALID', `PEM block '${label}' is not base64`)
  return Buffer.from(base64, 'base64')
}
