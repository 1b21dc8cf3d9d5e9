import { once } from 'node:events'
import { connect, createSecureContext } from 'node:tls'
import { createAuthority } from '@x/utils'
import type { Chart } from '../src/chart.ts'
import { grow, type Setup } from '../src/growth.ts'
import { sniPeer } from '../src/sni-peer.ts'
import type { ServerPeer } from '../src/server-peer.ts'

const HANDSHAKES = 100

const authority = createAuthority()
const { cert, key } = authority.issue(['*.example.org', 'localhost'])
const secureContext = createSecureContext({ ca: authority.ca, minVersion: 'TLSv1.3' })

export default async function charts(): Promise<Chart[]> {
  return [
    {
      id: 'sni-hosts',
      title: 'A server with so many hosts',
      text: `A full handshake for the host in the middle of the list, the server's side of it, P-256, TLS 1.3: listen({ hosts }) beside addContext() of node:tls. ${HANDSHAKES} handshakes per sample.`,
      x: 'hosts',
      y: 'CPU time per handshake, µs',
      lines: await grow([1, 10, 100, 1000, 3000, 10_000], setupOf, 3),
    },
  ]
}

async function setupOf(count: number): Promise<Setup> {
  const servername = `host${Math.floor(count / 2)}.example.org`
  const [ours, plain] = [
    await sniPeer('@x/socket', { count, cert, key }),
    await sniPeer('node:tls', { count, cert, key }),
  ]
  const samples = { '@x/socket': () => visits(ours, servername), 'node:tls': () => visits(plain, servername) }
  for (const sample of Object.values(samples)) for (let i = 0; i < 3; i++) await sample()
  return {
    samples,
    close: () => {
      ours.close()
      plain.close()
    },
  }
}

async function visits(peer: ServerPeer, servername: string): Promise<number> {
  await peer.ask('cpu')
  for (let i = 0; i < HANDSHAKES; i++) {
    const socket = connect({ port: peer.port, host: '127.0.0.1', servername, secureContext })
    socket.on('error', () => undefined)
    await once(socket, 'secureConnect')
    socket.resume()
    await once(socket, 'close')
  }
  return (await peer.ask('cpu')) / HANDSHAKES
}
