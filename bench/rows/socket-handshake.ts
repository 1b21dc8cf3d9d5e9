import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions, createSecureContext as createPlainContext } from 'node:tls'
import { defaultCaStore } from '@x/ca-store'
import { SessionCache } from '@x/session-cache'
import { connect, type ConnectOptions, createSecureContext } from '@x/socket'
import { clientMemory } from '../src/client-memory.ts'
import { filesOf } from '../src/files.ts'
import { outsidePeer } from '../src/outside-peer.ts'
import type { BenchRow, Goal, MeasuredRow, RowMaker } from '../src/row.ts'
import { request, type TransferPeer, transferPeer } from '../src/transfer-peer.ts'

/** Per sample. */
const HANDSHAKES = 80

/** Before the first sample: a handshake runs through so much of Node and of ours that the optimizer is not done with it before 2,000. */
const WARM_UP = 2000

const PERL = 'IO::Socket::SSL'
const LIMIT = 'limit: OpenSSL in C'

/** One connection from the first byte to its close; answers whether it was resumed. */
type Shake = () => Promise<boolean>
type Version = 'TLSv1.2' | 'TLSv1.3'
type Measures = MeasuredRow['measure']

export default function rows(): RowMaker[] {
  return [
    full('P-256, TLS 1.3', 'TLSv1.3', 'ec', 0.85),
    full('RSA-2048, TLS 1.2', 'TLSv1.2', 'rsa', 0.8),
    optionsEachTime(),
    systemBundle(),
    resumed('TLSv1.3', 0.75),
    resumed('TLSv1.2', 0.85),
    idle(),
  ]
}

function full(name: string, version: Version, key: 'ec' | 'rsa', atMost: number): RowMaker {
  return row(`full handshake, shared context, ${name}`, [{ of: 'node:tls', atMost }], async () => {
    const peer = await transferPeer({ minVersion: version, maxVersion: version }, key)
    const secureContext = await createSecureContext({ ca: peer.ca })
    const plainContext = createPlainContext({ ca: peer.ca })
    const measure = {
      '@x/socket': await here(ours(peer, { secureContext })),
      'node:tls': await here(plain(peer, { secureContext: plainContext })),
      ...elsewhere('full', peer, version),
      'Python ssl': outsidePeer('client.py', { args: whereArgs(peer, version), calls: HANDSHAKES }),
    }
    return { peer, measure }
  })
}

function optionsEachTime(): RowMaker {
  const goals = [
    { of: 'node:tls', atMost: 0.7 },
    { of: PERL, atMost: 0.85 },
  ]
  return row('full handshake, options each time', goals, async () => {
    const peer = await transferPeer({ minVersion: 'TLSv1.3' })
    const measure = {
      '@x/socket': await here(ours(peer, { ca: peer.ca })),
      'node:tls': await here(plain(peer, { ca: peer.ca })),
      ...elsewhere('each', peer, 'TLSv1.3'),
    }
    return { peer, measure }
  })
}

function systemBundle(): RowMaker {
  const goals = [
    { of: 'node:tls', atMost: 0.1 },
    { of: PERL, atMost: 0.1 },
  ]
  return row('full handshake, options each time, the system’s bundle', goals, async () => {
    const peer = await transferPeer({ minVersion: 'TLSv1.3' })
    const { file } = defaultCaStore()
    const bundle = file === undefined ? defaultCaStore().toPem() : readFileSync(file, 'utf8')
    const measure = {
      '@x/socket': await here(ours(peer, { ca: peer.ca, caStore: defaultCaStore() })),
      'node:tls': await here(plain(peer, { ca: [peer.ca, bundle] }), false, 12),
      ...elsewhere('each', { ...peer, ca: `${bundle}\n${peer.ca}` }, 'TLSv1.3', 12),
    }
    return { peer, measure }
  })
}

function resumed(version: Version, atMost: number): RowMaker {
  const name = `resumed handshake, ${version === 'TLSv1.3' ? 'TLS 1.3' : 'TLS 1.2'}`
  return row(name, [{ of: 'node:tls', atMost }], async () => {
    const peer = await transferPeer({ minVersion: version, maxVersion: version })
    const secureContext = await createSecureContext({ ca: peer.ca })
    const sessionCache = new SessionCache({ maxSize: 10 })
    const byUs = async (): Promise<boolean> => {
      // node:tls offers its ticket again and again, and a server of Node sends no other on resumption
      const socket = await connect({ ...where(peer), secureContext, sessionCache, tickets: 'again' })
      return await answered(socket, () => socket.sessionReused)
    }
    const measure = {
      '@x/socket': await here(byUs, true),
      'node:tls': await here(resumedByNode(peer), true),
      ...elsewhere('resumed', peer, version),
    }
    return { peer, measure }
  })
}

function resumedByNode(peer: TransferPeer): Shake {
  const secureContext = createPlainContext({ ca: peer.ca })
  let session: Buffer | undefined
  return async () => {
    const socket = connectTls({ ...where(peer), secureContext, ...(session === undefined ? {} : { session }) })
    socket.on('session', (received) => (session = received))
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
    return await answered(socket, () => socket.isSessionReused())
  }
}

/** What a connection that has received a byte and is idle costs the client. */
function idle(): RowMaker {
  const goals = [{ of: 'node:tls', atMost: 1.1 }]
  return row('memory of an idle connection, client', goals, async () => {
    const peer = await transferPeer()
    const measure = {
      '@x/socket': clientMemory('@x/socket', peer, 100, 400),
      'node:tls': clientMemory('node:tls', peer, 100, 400),
      ...elsewhere('idle', peer, 'TLSv1.3', 400),
    }
    return { peer, measure, unit: 'KiB' }
  })
}

type Setup = () => Promise<{ readonly peer: TransferPeer; readonly measure: Measures; readonly unit?: 'us' | 'KiB' }>

function row(name: string, goals: readonly Goal[], setup: Setup): RowMaker {
  const make = async (): Promise<BenchRow> => {
    const { peer, measure, unit } = await setup()
    return { name: `socket: ${name}`, measure, goals, unit: unit ?? 'us', close: peer.close }
  }
  return { name: `socket: ${name}`, make }
}

/** Warms a client of this process up, and measures it. */
async function here(shake: Shake, resuming = false, count: number = HANDSHAKES): Promise<() => Promise<number>> {
  for (let i = 0; i < (WARM_UP / HANDSHAKES) * count; i++) await shake()
  return async () => {
    const before = process.cpuUsage()
    for (let i = 0; i < count; i++)
      if ((await shake()) !== resuming)
        throw Object.assign(new TypeError('not what is to be measured'), { code: 'ERR_BENCH_PEER' })
    const { user, system } = process.cpuUsage(before)
    return (user + system) / count
  }
}

/** The original, and the limit. */
function elsewhere(mode: string, peer: TransferPeer, version: Version, calls: number = HANDSHAKES): Measures {
  const args = [mode, ...whereArgs(peer, version)]
  return { [PERL]: outsidePeer('client.pl', { args, calls }), [LIMIT]: outsidePeer('client.c', { args, calls }) }
}

function whereArgs({ port, ca }: TransferPeer, version: Version): string[] {
  return [String(port), version, filesOf({ ca }).ca]
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
