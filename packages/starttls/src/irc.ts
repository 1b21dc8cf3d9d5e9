import type { Duplex } from 'node:stream'
import { converse } from './dialogue.ts'
import type { StartTlsOptions } from './options.ts'

const maxLines = 64

/**
 * IRC (IRCv3 `tls`, deprecated there in favour of TLS from the first byte): STARTTLS, and the server answers with 670. Servers chat before the answer
 * (NOTICE, PING); behind it nothing may follow.
 */
export async function irc(stream: Duplex, options: StartTlsOptions = {}): Promise<void> {
  await converse('irc', stream, options, async (peer) => {
    peer.write('STARTTLS\r\n')
    for (let i = 0; i < maxLines; i++) {
      const line = await peer.line()
      const [, command, parameters] = /^(?::[^ ]+ +)?([A-Za-z]+|[0-9]{3})(?: +(.*))?$/.exec(line) ?? []
      if (command === undefined) throw peer.error('ERR_STARTTLS_PROTOCOL', 'this is no message', line)
      if (command === '670') return
      if (command.toUpperCase() === 'PING') peer.write(`PONG ${parameters ?? ''}\r\n`)
      // 691 STARTTLS failed, 421 unknown command, 451 not registered, ERROR: the server closes.
      const isRefusal = ['691', '421', '451'].includes(command) || command.toUpperCase() === 'ERROR'
      if (isRefusal) throw peer.error('ERR_STARTTLS_REFUSED', 'the server refuses to start TLS', line)
    }
    throw peer.error('ERR_STARTTLS_LIMIT', `more than ${maxLines} lines before the answer`)
  })
}
