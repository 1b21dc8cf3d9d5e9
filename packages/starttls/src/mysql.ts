import type { Duplex } from 'node:stream'
import { converse } from './dialogue.ts'
import type { StartTlsOptions } from './options.ts'

const clientSsl = 0x0800
/** LONG_PASSWORD, LONG_FLAG, PROTOCOL_41, SSL, TRANSACTIONS, SECURE_CONNECTION, PLUGIN_AUTH. */
const capabilities = 0x0008_aa05

/**
 * MySQL and MariaDB (protocol 10): the server's handshake, then SSLRequest, which has no answer. The server's scramble goes with the handshake, so that this
 * is for looking at a server's TLS; to log in, a driver must hold the dialogue itself, with these capabilities and packet number 2.
 */
export async function mysql(stream: Duplex, options: StartTlsOptions = {}): Promise<void> {
  await converse('mysql', stream, options, async (peer) => {
    const header = await peer.bytes(4)
    const packet = await peer.bytes(header.readUIntLE(0, 3))
    if (packet[0] === 0xff)
      throw peer.error('ERR_STARTTLS_REFUSED', 'the server does not serve', packet.toString('latin1', 3))
    // Protocol version, server version up to NUL, connection id (4), scramble (8), filler (1), capabilities (2).
    const at = packet.indexOf(0, 1) + 1 + 4 + 8 + 1
    if (packet[0] !== 10 || header[3] !== 0 || !packet.includes(0, 1) || at + 2 > packet.length) {
      throw peer.error('ERR_STARTTLS_PROTOCOL', 'this is no handshake of protocol version 10')
    }
    if ((packet.readUInt16LE(at) & clientSsl) === 0)
      throw peer.error('ERR_STARTTLS_UNSUPPORTED', 'the server does not offer TLS')
    const request = Buffer.alloc(36)
    request.writeUIntLE(32, 0, 3)
    request[3] = 1
    request.writeUInt32LE(capabilities, 4)
    request.writeUInt32LE(0x0100_0000, 8) // largest packet
    request[12] = 45 // utf8mb4_general_ci
    await peer.ask(request)
  })
}
