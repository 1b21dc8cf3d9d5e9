import type { Duplex } from 'node:stream'
import { converse } from './dialogue.ts'
import type { StartTlsOptions } from './options.ts'
import { expectReply } from './reply.ts'

/** FTP (RFC 4217, 4): greeting, AUTH TLS. Data connections are protected only after `PBSZ 0` and `PROT P`, sent over TLS. */
export async function ftp(stream: Duplex, options: StartTlsOptions = {}): Promise<void> {
  await converse('ftp', stream, options, async (peer) => {
    await expectReply(peer, [220], 'the server does not serve', { free: true })
    await peer.ask('AUTH TLS\r\n')
    await expectReply(peer, [234], 'the server refuses to start TLS', { free: true })
  })
}

/**
 * FTP's way back (CCC, RFC 4217, 5): asked over the secure connection. When it resolves, the server has agreed, and the next step is to close TLS
 * and keep the connection (`stopTls` of `@x/socket`; plain node:tls cannot). What follows on the control connection is in clear and can be altered.
 */
export async function ftpClearCommandChannel(secureStream: Duplex, options: StartTlsOptions = {}): Promise<void> {
  await converse('ftp', secureStream, options, async (peer) => {
    await peer.ask('CCC\r\n')
    await expectReply(peer, [200], 'the server refuses to clear the command channel', { free: true })
  })
}
