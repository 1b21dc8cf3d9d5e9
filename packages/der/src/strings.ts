import type { DerCursor } from './cursor.ts'
import { DerError } from './errors.ts'
import { Tag } from './tags.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Text of any ASN.1 string type that a certificate may hold, by the current element's tag.
 * TeletexString is read as Latin-1, as everyone does. Malformed content is refused, never replaced.
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

/** ASCII text of bytes, or undefined where a byte is above 0x7f. */
export function decodeAscii(content: Uint8Array): string | undefined {
  for (const byte of content) if (byte > 0x7f) return undefined
  return latin1(content)
}

function latin1(content: Uint8Array): string {
  let text = ''
  for (let i = 0; i < content.length; i += 4096) text += String.fromCharCode(...content.subarray(i, i + 4096))
  return text
}

function matching(content: Uint8Array, form: RegExp): string | undefined {
  const text = latin1(content)
  return form.test(text) ? text : undefined
}

function decodeBmp(content: Uint8Array): string | undefined {
  if (content.length % 2 !== 0) return undefined
  let text = ''
  for (let i = 0; i < content.length; i += 2) {
    const unit = (content[i] as number) * 256 + (content[i + 1] as number)
    if (unit >= 0xd800 && unit <= 0xdfff) return undefined
    text += String.fromCharCode(unit)
  }
  return text
}

function decodeUniversal(content: Uint8Array): string | undefined {
  if (content.length % 4 !== 0) return undefined
  let text = ''
  for (let i = 0; i < content.length; i += 4) {
    const point =
      (content[i] as number) * 0x1000000 +
      (content[i + 1] as number) * 0x10000 +
      (content[i + 2] as number) * 256 +
      (content[i + 3] as number)
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return undefined
    text += String.fromCodePoint(point)
  }
  return text
}
