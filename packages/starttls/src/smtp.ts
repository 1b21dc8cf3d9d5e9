import { isIPv6 } from 'node:net'
import type { Duplex } from 'node:stream'
import { converse, type Dialogue } from './dialogue.ts'
import type { StartTlsOptions } from './options.ts'
import { expectReply } from './reply.ts'

/** SMTP and submission (RFC 3207): greeting, EHLO, STARTTLS. The list of features is to be asked for again over TLS. */
export async function smtp(stream: Duplex, options: StartTlsOptions = {}): Promise<void> {
  await converse('smtp', stream, options, async (peer) => upgradeMail(peer, `EHLO ${addressLiteral(stream)}`))
}

/** The dialogue of SMTP, and of LMTP by another word. */
export async function upgradeMail(peer: Dialogue, hello: string): Promise<void> {
  await expectReply(peer, [220], 'the server does not serve')
  await peer.ask(`${hello}\r\n`)
  const features = await expectReply(peer, [250], 'the server does not take the greeting')
  if (!features.lines.slice(1).some((line) => /^STARTTLS\s*$/i.test(line))) {
    throw peer.error('ERR_STARTTLS_UNSUPPORTED', 'the server does not offer STARTTLS')
  }
  await peer.ask('STARTTLS\r\n')
  await expectReply(peer, [220], 'the server refuses to start TLS')
}

/** What a client without a name of its own calls itself (RFC 5321, 4.1.3): its address as the server sees it, or nearly. */
export function addressLiteral(stream: Duplex): string {
  const { localAddress } = stream as { localAddress?: unknown }
  if (typeof localAddress !== 'string' || !/^[0-9a-f.:]+$/i.test(localAddress)) return '[127.0.0.1]'
  return isIPv6(localAddress) ? `[IPv6:${localAddress}]` : `[${localAddress}]`
}
