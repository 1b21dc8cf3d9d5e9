import type { Duplex } from 'node:stream'
import { converse } from './dialogue.ts'
import type { StartTlsOptions } from './options.ts'
import { addressLiteral, upgradeMail } from './smtp.ts'

/** LMTP (RFC 2033 with RFC 3207): SMTP whose client says LHLO. */
export async function lmtp(stream: Duplex, options: StartTlsOptions = {}): Promise<void> {
  await converse('lmtp', stream, options, async (peer) => upgradeMail(peer, `LHLO ${addressLiteral(stream)}`))
}
