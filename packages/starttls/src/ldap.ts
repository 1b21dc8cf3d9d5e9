import type { Duplex } from 'node:stream'
import { converse, type Dialogue } from './dialogue.ts'
import type { StartTlsOptions } from './options.ts'

/** LDAPMessage 1: extendedReq with requestName 1.3.6.1.4.1.1466.20037. */
const request = Buffer.concat([Buffer.from('301d02010177188016', 'hex'), Buffer.from('1.3.6.1.4.1.1466.20037')])

/** LDAP (RFC 4511, 4.14): the StartTLS extended operation. */
export async function ldap(stream: Duplex, options: StartTlsOptions = {}): Promise<void> {
  await converse('ldap', stream, options, async (peer) => {
    await peer.ask(request)
    const message = new Ber(peer, await readMessage(peer))
    const id = message.next(0x02)
    const response = new Ber(peer, message.next(0x78))
    const result = response.next(0x0a)
    response.next(0x04) // matchedDN
    const diagnostic = response.next(0x04).toString('latin1')
    if (id.toString('hex') !== '01' || result.length !== 1)
      throw peer.error('ERR_STARTTLS_PROTOCOL', 'this answers another request')
    if (result[0] !== 0)
      throw peer.error('ERR_STARTTLS_REFUSED', `the server refuses to start TLS (result ${result[0]})`, diagnostic)
  })
}

/** The content of one SEQUENCE. LDAP is BER: lengths may be longer than they need be, and some servers always write four bytes. */
async function readMessage(peer: Dialogue): Promise<Buffer> {
  const [tag, first] = (await peer.bytes(2)) as unknown as [number, number]
  if (tag !== 0x30 || first === 0x80 || first > 0x84)
    throw peer.error('ERR_STARTTLS_PROTOCOL', 'this is no LDAP message')
  if (first < 0x80) return peer.bytes(first)
  const length = await peer.bytes(first - 0x80)
  return peer.bytes(length.readUIntBE(0, length.length))
}

/** Elements one after the other; whatever follows those that are asked for (controls, a response name) is passed over. */
class Ber {
  readonly #peer: Dialogue
  readonly #bytes: Buffer
  #at = 0

  constructor(peer: Dialogue, bytes: Buffer) {
    this.#peer = peer
    this.#bytes = bytes
  }

  next(tag: number): Buffer {
    const first = this.#bytes[this.#at + 1]
    if (this.#bytes[this.#at] !== tag || first === undefined || first === 0x80 || first > 0x84) throw this.#malformed()
    const size = first < 0x80 ? 0 : first - 0x80
    const start = this.#at + 2 + size
    if (start > this.#bytes.length) throw this.#malformed()
    const end = start + (size === 0 ? first : this.#bytes.readUIntBE(this.#at + 2, size))
    if (end > this.#bytes.length) throw this.#malformed()
    this.#at = end
    return this.#bytes.subarray(start, end)
  }

  #malformed(): Error {
    return this.#peer.error('ERR_STARTTLS_PROTOCOL', 'this is no answer to an extended request')
  }
}
