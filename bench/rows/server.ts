import { once } from 'node:events'
import { connect, createSecureContext, type SecureContext, type SecureVersion, type TLSSocket } from 'node:tls'
import { createAuthority } from '@x/utils'
import { filesOf } from '../src/files.ts'
import { isInstalled, outsideServer } from '../src/outside-peer.ts'
import type { BenchRow, RowMaker } from '../src/row.ts'
import { type ServerPeer, serverPeer } from '../src/server-peer.ts'

const authority = createAuthority('bench')
const names = ['www.example.org', 'api.example.org', 'localhost']

const LIMIT = 'limit: OpenSSL in C'

/** The CPU time of the server alone, by its own process; the clients are node:tls in this one, for all alike. */
export default function rows(): RowMaker[] {
  return [
    handshakes('full handshake, P-256, TLS 1.3', 'ec', 'TLSv1.3', 1.05),
    handshakes('full handshake, RSA-2048, TLS 1.2', 'rsa', 'TLSv1.2', 1.05),
    handshakes('resumed handshake, TLS 1.3', 'ec', 'TLSv1.3', 1.1, true),
    { name: IDLE, make: idle },
  ]
}

type Hosts = Record<string, { readonly cert: string; readonly key: string }>

function hostsOf(type: 'ec' | 'rsa'): Hosts {
  const entry = (name: string): { cert: string; key: string } => {
    const { cert, key } = authority.issue({ names: name, privateKey: { type } })
    return { cert, key }
  }
  return { ...Object.fromEntries(names.map((name) => [name, entry(name)])), '': entry('localhost') }
}

/** What servers in other languages read: the host that clients ask for. */
function identityFile(hosts: Hosts): string {
  const { cert, key } = hosts['www.example.org'] as Hosts['']
  return filesOf({ pem: `${cert}\n${key}` }).pem
}

function handshakes(
  what: string,
  key: 'ec' | 'rsa',
  version: SecureVersion,
  atMost: number,
  resuming = false,
): RowMaker {
  const name = `server: ${what}, hosts by ClientHello`
  const make = async (): Promise<BenchRow> => {
    const hosts = hostsOf(key)
    const peers = {
      '@x/socket': await serverPeer('@x/socket', { hosts }, true),
      'node:tls': await serverPeer('node:tls', { hosts }, true),
      [LIMIT]: await outsideServer('server.c', [identityFile(hosts), 'greet']),
    }
    const secureContext = createSecureContext({ ca: authority.ca, minVersion: version, maxVersion: version })
    for (const peer of [peers['@x/socket'], peers['node:tls']]) await handshakesOf(peer, secureContext, resuming, WARM)
    const measure = Object.fromEntries(
      Object.entries(peers).map(([subject, peer]) => [
        subject,
        peer && ((): Promise<number> => handshakesOf(peer, secureContext, resuming)),
      ]),
    )
    return {
      name,
      measure,
      goals: [{ of: 'node:tls', atMost }],
      close: () => {
        for (const peer of Object.values(peers)) peer?.close()
      },
    }
  }
  return { name, make }
}

/** Enough for a collection or two in each sample, by V8's own choice: one that is forced finds what would have died by itself. */
const COUNT = 700
/** What V8 takes to have compiled all of either server, as of the clients (decision 065): below 2,000 ours is dearer by a tenth. */
const WARM = 8_000

async function handshakesOf(
  peer: ServerPeer,
  secureContext: SecureContext,
  resuming: boolean,
  count = COUNT,
): Promise<number> {
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
  for (let i = 0; i < count; i++) await visit()
  return (await peer.ask('cpu')) / count
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

const IDLE = 'server: memory of an idle connection'

/** What a connection that has echoed once and is idle costs the server. */
function idle(): BenchRow {
  const hosts = hostsOf('ec')
  const pem = identityFile(hosts)
  return {
    name: IDLE,
    measure: {
      '@x/socket': () => memoryOf(serverPeer('@x/socket', { hosts })),
      'node:tls': () => memoryOf(serverPeer('node:tls', { hosts })),
      'IO::Socket::SSL': isInstalled('server.pl') ? () => memoryOf(outsideServer('server.pl', [pem])) : undefined,
      [LIMIT]: isInstalled('server.c') ? () => memoryOf(outsideServer('server.c', [pem, 'echo'])) : undefined,
    },
    unit: 'KiB',
    goals: [{ of: 'node:tls', atMost: 1.1 }],
  }
}

async function memoryOf(starting: Promise<ServerPeer | undefined>): Promise<number> {
  const peer = (await starting) as ServerPeer
  const secureContext = createSecureContext({ ca: authority.ca })
  const sockets: TLSSocket[] = []
  const more = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const socket = await open(peer, secureContext)
      socket.write('x')
      await once(socket, 'data')
      sockets.push(socket)
    }
  }
  await more(100)
  const before = await peer.ask('memory')
  await more(400)
  const after = await peer.ask('memory')
  for (const socket of sockets) socket.destroy()
  peer.close()
  return (after - before) / 400
}
