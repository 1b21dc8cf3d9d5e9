import { once } from 'node:events'
import { connect, createSecureContext, type SecureContext, type SecureVersion, type TLSSocket } from 'node:tls'
import type { HostsOption } from '@x/socket'
import { createAuthority } from '@x/utils'
import type { BenchRow } from '../src/row.ts'
import { type ServerPeer, serverPeer } from '../src/server-peer.ts'

const authority = createAuthority('bench')
const names = ['www.example.org', 'api.example.org', 'localhost']

/** The CPU time of the server alone, by its own process; the clients are node:tls in this one, for both alike. */
export default async function rows(): Promise<BenchRow[]> {
  return [
    await handshakes('full handshake, P-256, TLS 1.3', hosts('ec'), 'TLSv1.3', 1.05),
    await handshakes('full handshake, RSA-2048, TLS 1.2', hosts('rsa'), 'TLSv1.2', 1.05),
    await handshakes('resumed handshake, TLS 1.3', hosts('ec'), 'TLSv1.3', 1.1, true),
    await idle(),
  ]
}

function hosts(type: 'ec' | 'rsa'): HostsOption {
  const entry = (name: string): { cert: string; key: string } => {
    const { cert, key } = authority.issue({ names: name, privateKey: { type } })
    return { cert, key }
  }
  return { ...Object.fromEntries(names.map((name) => [name, entry(name)])), '': entry('localhost') }
}

async function both(options: object): Promise<Record<'@x/socket' | 'node:tls', ServerPeer>> {
  return {
    '@x/socket': await serverPeer('@x/socket', options, true),
    'node:tls': await serverPeer('node:tls', options, true),
  }
}

async function handshakes(
  name: string,
  served: HostsOption,
  version: SecureVersion,
  atMost: number,
  resuming = false,
): Promise<BenchRow> {
  const peers = await both({ hosts: served })
  const secureContext = createSecureContext({ ca: authority.ca, minVersion: version, maxVersion: version })
  const measure = Object.fromEntries(
    Object.entries(peers).map(([subject, peer]) => [subject, () => handshakesOf(peer, secureContext, resuming)]),
  )
  return {
    name: `server: ${name}, hosts by ClientHello`,
    measure,
    goals: [{ of: 'node:tls', atMost }],
    close: () => {
      for (const peer of Object.values(peers)) peer.close()
    },
  }
}

const COUNT = 400

async function handshakesOf(peer: ServerPeer, secureContext: SecureContext, resuming: boolean): Promise<number> {
  let session: Buffer | undefined
  // the server has accepted, said a byte and closed: its side is over
  const visit = async (): Promise<void> => {
    const socket = await open(peer, secureContext, resuming ? session : undefined)
    if (resuming) socket.once('session', (received: Buffer) => (session ??= received))
    socket.resume()
    await once(socket, 'close')
  }
  await visit()
  await peer.ask('cpu')
  for (let i = 0; i < COUNT; i++) await visit()
  return (await peer.ask('cpu')) / COUNT
}

async function open(peer: ServerPeer, secureContext: SecureContext, session?: Buffer): Promise<TLSSocket> {
  const socket = connect({
    port: peer.port,
    host: '127.0.0.1',
    servername: 'www.example.org',
    secureContext,
    ...(session === undefined ? {} : { session }),
  })
  socket.on('error', () => undefined)
  await once(socket, 'secureConnect')
  return socket
}

/** What a connection that has echoed once and is idle costs the server. */
async function idle(): Promise<BenchRow> {
  const served = hosts('ec')
  const secureContext = createSecureContext({ ca: authority.ca })
  const memoryOf = async (kind: '@x/socket' | 'node:tls'): Promise<number> => {
    const peer = await serverPeer(kind, { hosts: served })
    const sockets: TLSSocket[] = []
    const more = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const socket = await open(peer, secureContext)
        socket.write('x')
        await once(socket, 'data')
        sockets.push(socket)
      }
    }
    await more(200)
    const before = await peer.ask('memory')
    await more(800)
    const after = await peer.ask('memory')
    for (const socket of sockets) socket.destroy()
    peer.close()
    return (after - before) / 800
  }
  return {
    name: 'server: memory of an idle connection',
    measure: { '@x/socket': () => memoryOf('@x/socket'), 'node:tls': () => memoryOf('node:tls') },
    unit: 'KiB',
    goals: [{ of: 'node:tls', atMost: 1.1 }],
  }
}
