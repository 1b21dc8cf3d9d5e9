import type { DerCursor } from './cursor.ts'
import { DerError } from './errors.ts'
import { Tag } from './tags.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Text of any ASN.1 string type that a certificate may hold, by the current element's tag.
 * TeletexString is read as Latin-1, as everyone does; a PrintableString may hold any ASCII, as certificates in use do.
 * Malformed content is refused, never replaced. Control characters, NUL among them, are kept: who compares must look.
 * @throws DerError `ERR_DER_UNEXPECTED_TAG` for what is no string, `ERR_DER_INVALID_VALUE` for malformed content.
 */
export function readString(cursor: DerCursor): string {
  const decode = decoders[cursor.tag]
  if (decode === undefined) throw new DerError('ERR_DER_UNEXPECTED_TAG', 'expected a string', cursor.start)
  const text = decode(cursor.content())
  if (text === undefined) throw new DerError('ERR_DER_INVALID_VALUE', 'malformed string', cursor.start)
  return text
}

type Decoder = (content: Uint8Array) => string | undefined

const decoders: Readonly<Record<number, Decoder>> = {
  [Tag.UTF8_STRING]: decodeUtf8,
  [Tag.NUMERIC_STRING]: (content) => matching(content, /^[0-9 ]*$/),
  [Tag.PRINTABLE_STRING]: decodeAscii, // '*', '@' and '_' are common in the wild
  [Tag.IA5_STRING]: decodeAscii,
  [Tag.VISIBLE_STRING]: (content) => matching(content, /^[\x20-\x7e]*$/),
  [Tag.TELETEX_STRING]: (content) => latin1(content),
  [Tag.BMP_STRING]: decodeBmp,
  [Tag.UNIVERSAL_STRING]: decodeUniversal,
}

function decodeUtf8(content: Uint8Array): string | undefined {
  try {
    return utf8.decode(content)
  } catch {
    return undefined
  }
}

/** ASCII text of bytes, or undefined where a byte is above 0x7f. Control characters, NUL among them, are kept. */
export function decodeAscii(content: Uint8Array): string | undefined {
  const { length } = content
  for (let i = 0; i < length; i++) if ((content[i] as number) > 0x7f) return undefined
  if (length > 12) return utf8.decode(content) // the decoder's fixed cost is that of about 12 characters
  let text = ''
  for (let i = 0; i < length; i++) text += String.fromCharCode(content[i] as number)
  return text
}

function latin1(content: Uint8Array): string {
  return fromUnits(content.length, (i) => content[i] as number)
}

function matching(content: Uint8Array, form: RegExp): string | undefined {
  const text = decodeAscii(content)
  return text !== undefined && form.test(text) ? text : undefined
}

function decodeBmp(content: Uint8Array): string | undefined {
  if (content.length % 2 !== 0) return undefined
  const unit = (i: number): number => (content[2 * i] as number) * 256 + (content[2 * i + 1] as number)
  const units = content.length / 2
  for (let i = 0; i < units; i++) if (isSurrogate(unit(i))) return undefined
  return fromUnits(units, unit)
}

function decodeUniversal(content: Uint8Array): string | undefined {
  if (content.length % 4 !== 0) return undefined
  const units: number[] = []
  for (let i = 0; i < content.length; i += 4) {
    const plane = (content[i] as number) * 256 + (content[i + 1] as number)
    const low = (content[i + 2] as number) * 256 + (content[i + 3] as number)
    if (plane > 0x10 || (plane === 0 && isSurrogate(low))) return undefined
    if (plane === 0) units.push(low)
    else units.push(0xd800 + ((plane - 1) << 6) + (low >> 10), 0xdc00 + (low & 0x3ff))
  }
  return fromUnits(units.length, (i) => units[i] as number)
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff
}

/** Text of UTF-16 units, in pieces: one character at a time would cost 32 bytes of heap for each. */
function fromUnits(length: number, unit: (i: number) => number): string {
  let text = ''
  for (let from = 0; from < length; from += PIECE) {
    const piece = new Uint16Array(Math.min(PIECE, length - from))
    for (let i = 0; i < piece.length; i++) piece[i] = unit(from + i)
    text += String.fromCharCode(...piece)
  }
  return text
}

const PIECE = 4096
