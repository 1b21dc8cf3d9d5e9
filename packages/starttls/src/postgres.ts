import type { Duplex } from 'node:stream'
import { converse } from './dialogue.ts'
import type { StartTlsOptions } from './options.ts'

/** Length 8, code 80877103. */
const sslRequest = Buffer.from('0000000804d2162f', 'hex')

/** PostgreSQL (manual, 55.2.10): SSLRequest, one byte. The client warned of in CVE-2021-23222 reads on; this one refuses what follows. */
export async function postgres(stream: Duplex, options: StartTlsOptions = {}): Promise<void> {
  await converse('postgres', stream, options, async (peer) => {
    await peer.ask(sslRequest)
    const answer = (await peer.bytes(1)).toString('latin1')
    if (answer === 'S') return
    if (answer === 'N') throw peer.error('ERR_STARTTLS_UNSUPPORTED', 'the server does not offer TLS')
    throw peer.error(
      answer === 'E' ? 'ERR_STARTTLS_REFUSED' : 'ERR_STARTTLS_PROTOCOL',
      'the server does not take the request',
      answer,
    )
  })
}
