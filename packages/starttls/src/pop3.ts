import type { Duplex } from 'node:stream'
import { converse, type Dialogue } from './dialogue.ts'
import type { StartTlsOptions } from './options.ts'

/** POP3 (RFC 2595, 4): greeting, STLS. */
export async function pop3(stream: Duplex, options: StartTlsOptions = {}): Promise<void> {
  await converse('pop3', stream, options, async (peer) => {
    await expectOk(peer, 'the server does not serve')
    await peer.ask('STLS\r\n')
    await expectOk(peer, 'the server refuses to start TLS')
  })
}

async function expectOk(peer: Dialogue, otherwise: string): Promise<void> {
  const line = await peer.line()
  if (/^\+OK\b/.test(line)) return
  if (/^-ERR\b/.test(line)) throw peer.error('ERR_STARTTLS_REFUSED', otherwise, line)
  throw peer.error('ERR_STARTTLS_PROTOCOL', 'this is no answer', line)
}
