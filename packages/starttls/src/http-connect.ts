import { isIPv6 } from 'node:net'
import type { Duplex } from 'node:stream'
import { converse } from './dialogue.ts'
import { invalidValue, requireName, type StartTlsOptions } from './options.ts'

const maxHeaders = 128

/**
 * A tunnel through an HTTP proxy (RFC 9110, 9.3.6), to `options.name`: `host`, `host:port`, an address, or `[address]:port`; port 443 unless told. The proxy
 * sees this name. Any status but 2xx is refused.
 */
export async function httpConnect(stream: Duplex, options: StartTlsOptions = {}): Promise<void> {
  const target = authority(requireName(options))
  await converse('httpConnect', stream, options, async (peer) => {
    await peer.ask(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`)
    const status = await peer.line()
    const [, code] = /^HTTP\/1\.[01] ([1-5][0-9]{2})(?: |$)/.exec(status) ?? []
    if (code === undefined) throw peer.error('ERR_STARTTLS_PROTOCOL', 'this is no status line', status)
    // No interim answers (1xx): nothing was asked that calls for one.
    if (!code.startsWith('2')) throw peer.error('ERR_STARTTLS_REFUSED', 'the proxy refuses the tunnel', status)
    for (let i = 0; i < maxHeaders; i++) if ((await peer.line()) === '') return
    throw peer.error('ERR_STARTTLS_LIMIT', `more than ${maxHeaders} header lines`)
  })
}

function authority(name: string): string {
  if (isIPv6(name)) return `[${name}]:443`
  const [, host, port = '443'] = /^(\[[0-9A-Fa-f:.]+\]|[^:[\]]+)(?::([0-9]{1,5}))?$/.exec(name) ?? []
  const isHost = host !== undefined && (!host.startsWith('[') || isIPv6(host.slice(1, -1)))
  if (!isHost || Number(port) < 1 || Number(port) > 65_535)
    throw invalidValue('options.name', 'must be a host, or a host and a port')
  return `${host}:${port}`
}
