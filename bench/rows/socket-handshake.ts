import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions, createSecureContext as createPlainContext } from 'node:tls'
import { defaultCaStore } from '@x/ca-store'
import { SessionCache } from '@x/session-cache'
import { connect, type ConnectOptions, createSecureContext } from '@x/socket'
import type { BenchRow } from '../src/row.ts'
import { request, type TransferPeer, transferPeer } from '../src/transfer-peer.ts'

const HANDSHAKES = 120

/** One connection from the first byte to its close; answers whether it was resumed. */
type Shake = () => Promise<boolean>

export default async function rows(): Promise<BenchRow[]> {
  return [
    await full('P-256, TLS 1.3', 'TLSv1.3', 'ec', 0.85),
    await full('RSA-2048, TLS 1.2', 'TLSv1.2', 'rsa', 0.8),
    await optionsEachTime(),
    await systemBundle(),
    await resumed('TLSv1.3', 0.75),
    await resumed('TLSv1.2', 0.85),
  ]
}

async function full(
  name: string,
  version: 'TLSv1.2' | 'TLSv1.3',
  key: 'ec' | 'rsa',
  atMost: number,
): Promise<BenchRow> {
  const peer = await transferPeer({ minVersion: version, maxVersion: version }, key)
  const secureContext = await createSecureContext({ ca: peer.ca })
  const plainContext = createPlainContext({ ca: peer.ca })
  return row(`full handshake, shared context, ${name}`, atMost, peer, {
    '@x/socket': ours(peer, { secureContext }),
    'node:tls': plain(peer, { secureContext: plainContext }),
  })
}

async function optionsEachTime(): Promise<BenchRow> {
  const peer = await transferPeer()
  return row('full handshake, options each time', 0.7, peer, {
    '@x/socket': ours(peer, { ca: peer.ca }),
    'node:tls': plain(peer, { ca: peer.ca }),
  })
}

async function systemBundle(): Promise<BenchRow> {
  const peer = await transferPeer()
  const { file } = defaultCaStore()
  const bundle = file === undefined ? defaultCaStore().toPem() : readFileSync(file, 'utf8')
  return row(
    'full handshake, options each time, the system’s bundle',
    0.1,
    peer,
    {
      '@x/socket': ours(peer, { ca: peer.ca, caStore: defaultCaStore() }),
      'node:tls': plain(peer, { ca: [peer.ca, bundle] }),
    },
    12,
  )
}

async function resumed(version: 'TLSv1.2' | 'TLSv1.3', atMost: number): Promise<BenchRow> {
  const peer = await transferPeer({ minVersion: version, maxVersion: version })
  const secureContext = await createSecureContext({ ca: peer.ca })
  const sessionCache = new SessionCache({ maxSize: 10 })
  const plainContext = createPlainContext({ ca: peer.ca })
  let session: Buffer | undefined
  const byNode = async (): Promise<boolean> => {
    const socket = connectTls({
      ...where(peer),
      secureContext: plainContext,
      ...(session === undefined ? {} : { session }),
    })
    socket.on('session', (received) => (session = received))
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
    return await answered(socket, () => socket.isSessionReused())
  }
  const byUs = async (): Promise<boolean> => {
    // node:tls offers its ticket again and again, and a server of Node sends no other on resumption
    const socket = await connect({ ...where(peer), secureContext, sessionCache, tickets: 'again' })
    return await answered(socket, () => socket.sessionReused)
  }
  const name = `resumed handshake, ${version === 'TLSv1.3' ? 'TLS 1.3' : 'TLS 1.2'}`
  return row(name, atMost, peer, { '@x/socket': byUs, 'node:tls': byNode }, HANDSHAKES, true)
}

function row(
  name: string,
  atMost: number,
  peer: TransferPeer,
  subjects: Readonly<Record<string, Shake>>,
  count: number = HANDSHAKES,
  resuming = false,
): BenchRow {
  const measure = Object.fromEntries(
    Object.entries(subjects).map(([subject, shake]) => [subject, () => perCall(shake, count, resuming)]),
  )
  return { name: `socket: ${name}`, measure, goals: [{ of: 'node:tls', atMost }], close: peer.close }
}

async function perCall(shake: Shake, count: number, resuming: boolean): Promise<number> {
  for (let i = 0; i < 5; i++) await shake()
  const before = process.cpuUsage()
  for (let i = 0; i < count; i++) if ((await shake()) !== resuming) throw new Error('not what is to be measured')
  const { user, system } = process.cpuUsage(before)
  return (user + system) / count
}

function where({ port }: TransferPeer): { host: string; port: number; servername: string } {
  return { host: '127.0.0.1', port, servername: 'localhost' }
}

function ours(peer: TransferPeer, options: ConnectOptions): Shake {
  return async () => {
    const socket = await connect({ ...where(peer), ...options })
    const reused = socket.sessionReused
    socket.destroy()
    await new Promise((resolve) => socket.once('close', resolve))
    return reused
  }
}

function plain(peer: TransferPeer, options: ConnectionOptions): Shake {
  return async () => {
    const socket = connectTls({ ...where(peer), ...options })
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
    const reused = socket.isSessionReused()
    socket.destroy()
    await new Promise((resolve) => socket.once('close', resolve))
    return reused
  }
}

/** Waits for the server's answer, with which its tickets have come. */
async function answered(socket: Socket, reused: () => boolean): Promise<boolean> {
  socket.write(request('H', 0))
  await new Promise((resolve, reject) => socket.once('data', resolve).once('error', reject))
  const result = reused()
  socket.destroy()
  await new Promise((resolve) => socket.once('close', resolve))
  return result
}
