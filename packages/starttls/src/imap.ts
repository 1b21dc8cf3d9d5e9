import type { Duplex } from 'node:stream'
import { converse } from './dialogue.ts'
import type { StartTlsOptions } from './options.ts'

const maxUntagged = 64

/**
 * IMAP (RFC 9051, 6.2.1). A server that greets with PREAUTH is refused: the session would be authenticated before it is secure, and STARTTLS is
 * not allowed there, so that somebody in between can keep a client in clear by it. Untagged lines are not believed, features least of all.
 */
export async function imap(stream: Duplex, options: StartTlsOptions = {}): Promise<void> {
  await converse('imap', stream, options, async (peer) => {
    const greeting = await peer.line()
    if (!/^\* (?:OK|PREAUTH|BYE)\b/i.test(greeting))
      throw peer.error('ERR_STARTTLS_PROTOCOL', 'this is no greeting', greeting)
    if (!/^\* OK\b/i.test(greeting))
      throw peer.error('ERR_STARTTLS_REFUSED', 'the server does not wait for STARTTLS', greeting)
    await peer.ask('x1 STARTTLS\r\n')
    for (let i = 0; i < maxUntagged; i++) {
      const line = await peer.line()
      if (line.startsWith('* ')) continue
      if (/^x1 OK\b/i.test(line)) return
      if (/^x1 (?:NO|BAD)\b/i.test(line))
        throw peer.error('ERR_STARTTLS_REFUSED', 'the server refuses to start TLS', line)
      throw peer.error('ERR_STARTTLS_PROTOCOL', 'this is no answer', line)
    }
    throw peer.error('ERR_STARTTLS_LIMIT', `more than ${maxUntagged} lines before the answer`)
  })
}
