import type { NetConnectOpts } from 'node:net'
import type { TLSSocket } from 'node:tls'

/** Where a client's engine connects to by itself. Node's own defaults hold for what is not said. */
export class Dial {
  readonly options: NetConnectOpts

  constructor(options: NetConnectOpts) {
    this.options = options
  }
}

/** What net.connect reads and tls.connect does not. Before the connection, Node keeps it until there is one. */
export function setUp(tls: TLSSocket, { options }: Dial): void {
  if (!('port' in options)) return
  const { noDelay, keepAlive, keepAliveInitialDelay } = options
  if (noDelay === true) tls.setNoDelay(true)
  if (keepAlive === true) tls.setKeepAlive(true, keepAliveInitialDelay)
}
