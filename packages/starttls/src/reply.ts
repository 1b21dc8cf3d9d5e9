import type { Dialogue } from './dialogue.ts'

/** A numbered reply of SMTP, LMTP, FTP or NNTP. */
export interface Reply {
  readonly code: number
  /** The text of each line, without number and separator. */
  readonly lines: readonly string[]
}

const maxLines = 128

/**
 * Reads a reply of one line or many: `250-first`, `250 last` (RFC 5321, 4.2.1). With `free`, lines between the first and the last need no
 * number, as FTP allows (RFC 959, 4.2).
 */
export async function readReply(peer: Dialogue, { free = false }: { readonly free?: boolean } = {}): Promise<Reply> {
  const lines: string[] = []
  let code: string | undefined
  for (;;) {
    const line = await peer.line()
    const [, number, separator, text] = /^([1-5][0-9]{2})(?:([ -])(.*))?$/.exec(line) ?? []
    const isOfReply = number !== undefined && (code === undefined || number === code)
    if (!isOfReply && !(free && code !== undefined)) throw peer.error('ERR_STARTTLS_PROTOCOL', 'this is no reply', line)
    code ??= number
    lines.push(isOfReply ? (text ?? '') : line)
    if (isOfReply && separator !== '-') return { code: Number(code), lines }
    if (lines.length >= maxLines) throw peer.error('ERR_STARTTLS_LIMIT', `a reply of more than ${maxLines} lines`)
  }
}

/** Reads a reply and demands its code; any other is a refusal. */
export async function expectReply(
  peer: Dialogue,
  codes: readonly number[],
  what: string,
  style?: { readonly free: boolean },
): Promise<Reply> {
  const reply = await readReply(peer, style)
  if (!codes.includes(reply.code))
    throw peer.error('ERR_STARTTLS_REFUSED', what, `${reply.code} ${reply.lines.join(' / ')}`)
  return reply
}
