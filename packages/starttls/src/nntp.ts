import type { Duplex } from 'node:stream'
import { converse } from './dialogue.ts'
import type { StartTlsOptions } from './options.ts'
import { expectReply } from './reply.ts'

/** NNTP (RFC 4642, 2.2): greeting, STARTTLS. */
export async function nntp(stream: Duplex, options: StartTlsOptions = {}): Promise<void> {
  await converse('nntp', stream, options, async (peer) => {
    await expectReply(peer, [200, 201], 'the server does not serve')
    await peer.ask('STARTTLS\r\n')
    await expectReply(peer, [382], 'the server refuses to start TLS')
  })
}
