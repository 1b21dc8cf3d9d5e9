/** One block of a PEM text. */
export interface PemBlock {
  readonly label: string
  readonly der: Uint8Array
}

const begin = /^-----BEGIN ([A-Z0-9 ]+)-----$/
const base64Line = /^[A-Za-z0-9+/=]{1,76}$/

/**
 * The blocks of a PEM text, or undefined where the text is no PEM or where two readers could disagree about it (odd line lengths,
 * headers, an unfinished block, bad base64). Text between the blocks does not count. Refusing too much is safe here: what is not
 * taken apart is digested as the text that it is.
 */
export function readPem(text: string): PemBlock[] | undefined {
  if (!text.includes('-----BEGIN ')) return undefined
  const blocks: PemBlock[] = []
  const lines = text.split(/\r?\n/)
  for (let i = 0; i < lines.length; i++) {
    const label = begin.exec(lines[i] as string)?.[1]
    if (label === undefined) {
      if (/-----(?:BEGIN|END)/.test(lines[i] as string)) return undefined
      continue
    }
    const start = i + 1
    while (base64Line.test(lines[++i] ?? '')) continue
    if (lines[i] !== `-----END ${label}-----`) return undefined
    const base64 = lines.slice(start, i).join('')
    const der = Buffer.from(base64, 'base64')
    if (der.length === 0 || der.toString('base64') !== base64) return undefined
    blocks.push({ label, der })
  }
  return blocks.length > 0 ? blocks : undefined
}
