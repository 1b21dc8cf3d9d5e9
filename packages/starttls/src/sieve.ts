import type { Duplex } from 'node:stream'
import { converse, type Dialogue } from './dialogue.ts'
import type { StartTlsOptions } from './options.ts'

const maxLines = 128

/** ManageSieve (RFC 5804, 2.2): list of features, STARTTLS. The server sends the list again over TLS by itself; only that one counts. */
export async function sieve(stream: Duplex, options: StartTlsOptions = {}): Promise<void> {
  await converse('sieve', stream, options, async (peer) => {
    const features = await readResponse(peer, 'the server does not serve')
    if (!features.some((line) => /^"STARTTLS"\s*$/i.test(line))) {
      throw peer.error('ERR_STARTTLS_UNSUPPORTED', 'the server does not offer STARTTLS')
    }
    await peer.ask('STARTTLS\r\n')
    await readResponse(peer, 'the server refuses to start TLS')
  })
}

/** Lines up to OK. */
async function readResponse(peer: Dialogue, otherwise: string): Promise<string[]> {
  const lines: string[] = []
  while (lines.length < maxLines) {
    const line = await readLine(peer)
    if (/^OK\b/i.test(line)) return lines
    if (/^(?:NO|BYE)\b/i.test(line)) throw peer.error('ERR_STARTTLS_REFUSED', otherwise, line)
    if (!line.startsWith('"')) throw peer.error('ERR_STARTTLS_PROTOCOL', 'this is no answer', line)
    lines.push(line)
  }
  throw peer.error('ERR_STARTTLS_LIMIT', `a response of more than ${maxLines} lines`)
}

/** A line whose literals (`{5}` at the line's end announces five bytes, after which the line goes on) are written as quoted strings. */
async function readLine(peer: Dialogue): Promise<string> {
  let line = await peer.line()
  for (;;) {
    const [announced, length] = /\{([0-9]{1,9})\+?\}$/.exec(line) ?? []
    if (announced === undefined) return line
    const bytes = await peer.bytes(Number(length))
    line = line.slice(0, -announced.length) + JSON.stringify(bytes.toString('latin1')) + (await peer.line())
  }
}
