/** One block of a PEM text. */
export interface PemBlock {
  readonly label: string
  readonly der: Uint8Array
}

const block = /^-----BEGIN ([A-Z0-9 ]+)-----\r?\n((?:[A-Za-z0-9+/=]{1,76}\r?\n)+)-----END \1-----\r?$/gm

/**
 * The blocks of a PEM text, or undefined where the text is no PEM or where two readers could disagree about it (odd line lengths,
 * headers, an unfinished block, bad base64). Text between the blocks does not count. Refusing too much is safe here: what is not
 * taken apart is digested as the text that it is.
 */
export function readPem(text: string): PemBlock[] | undefined {
  if (!text.includes('-----BEGIN ')) return undefined
  const blocks: PemBlock[] = []
  for (const [, label, body] of text.matchAll(block)) {
    const base64 = (body as string).replaceAll(/\s/g, '')
    const der = Buffer.from(base64, 'base64')
    if (der.toString('base64') !== base64) return undefined
    blocks.push({ label: label as string, der })
  }
  const marks = text.split('-----BEGIN').length - 1
  return blocks.length > 0 && marks === blocks.length && text.split('-----END').length - 1 === marks
    ? blocks
    : undefined
}
