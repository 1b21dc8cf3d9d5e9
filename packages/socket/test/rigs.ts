import { once } from 'node:events'
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from 'node:net'
import { connect as connectTls, createSecureContext, type SecureVersion, TLSSocket } from 'node:tls'
import { Duplex } from 'node:stream'
import type { TlsEngine } from '../src/engine/engine.ts'
import { RecordTls } from '../src/engine/record.ts'
import { startTlsEngine } from '../src/engine/choose.ts'
import { authority, identity } from './support.ts'

/** Two connected TCP sockets, both half-open capable. */
export async function tcpPair(): Promise<{
  readonly ours: Socket
  readonly theirs: Socket
  readonly close: () => void
}> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const ours = connectTcp({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    allowHalfOpen: true,
    noDelay: true,
  })
  const [[theirs]] = (await Promise.all([once(server, 'connection'), once(ours, 'connect')])) as [[Socket], unknown]
  server.close()
  for (const socket of [ours, theirs]) socket.on('error', () => undefined)
  return {
    ours,
    theirs,
    close: () => {
      ours.destroy()
      theirs.destroy()
    },
  }
}

export const serverContext = createSecureContext({ cert: identity.cert, key: identity.key })
export const clientContext = createSecureContext({ ca: authority.ca })

export interface TlsRig {
  readonly engine: TlsEngine
  readonly peer: TLSSocket
  readonly close: () => void
}

/** How an engine is made from a connected transport, for either role. */
export type MakeEngine = (transport: Socket, role: 'client' | 'server', version: SecureVersion) => TlsEngine

export const makeNative: MakeEngine = (transport, role, version) =>
  startTlsEngine({
    role,
    transport,
    secureContext: contextOf(role, version),
    handshake: { servername: role === 'client' ? 'localhost' : undefined } as never,
    host: undefined,
    staple: false,
  })

/** The record engine, as `stoppable` and otherwise. */
export const makeRecord: MakeEngine = (transport, role, version) => makeRecordOf(transport, role, version, false)
export const makeStoppable: MakeEngine = (transport, role, version) => makeRecordOf(transport, role, version, true)

function makeRecordOf(
  transport: Duplex,
  role: 'client' | 'server',
  version: SecureVersion,
  stoppable: boolean,
): TlsEngine {
  const secureContext = contextOf(role, version)
  return new RecordTls(
    transport,
    role === 'client'
      ? {
          role,
          options: {
            secureContext,
            servername: 'localhost',
            rejectUnauthorized: false,
            checkServerIdentity: () => undefined,
            requestOCSP: false,
            minDHSize: 2_048,
          },
        }
      : { role, options: { secureContext, isServer: true, rejectUnauthorized: false } },
    { stoppable },
  )
}

export function contextOf(role: 'client' | 'server', version: SecureVersion): ReturnType<typeof createSecureContext> {
  const limits = { minVersion: version, maxVersion: version }
  return createSecureContext(
    role === 'client' ? { ca: authority.ca, ...limits } : { cert: identity.cert, key: identity.key, ...limits },
  )
}

/** One of our engines and a node:tls socket as its peer, before the handshake. */
export async function tlsRig(make: MakeEngine, role: 'client' | 'server', version: SecureVersion): Promise<TlsRig> {
  const pair = await tcpPair()
  const engine = make(pair.ours, role, version)
  const peer =
    role === 'client'
      ? new TLSSocket(pair.theirs, { isServer: true, secureContext: contextOf('server', version) })
      : connectTls({ socket: pair.theirs, secureContext: contextOf('client', version), servername: 'localhost' })
  peer.on('error', () => undefined)
  return {
    engine,
    peer,
    close: () => {
      engine.destroy(null)
      peer.destroy()
      pair.close()
    },
  }
}

/** The same after the handshake. */
export async function handshaken(make: MakeEngine, role: 'client' | 'server', version: SecureVersion): Promise<TlsRig> {
  const rig = await tlsRig(make, role, version)
  const peerReady = once(rig.peer, role === 'client' ? 'secure' : 'secureConnect')
  await Promise.all([rig.engine.handshake(new AbortController().signal), peerReady])
  return rig
}

/** Two ends of a connection in memory, whose second end's bytes can be held and then come in segments of a chosen size. */
export interface SegmentedPair {
  readonly ours: Duplex
  readonly theirs: Duplex
  hold(): void
  /** Delivers what is held: one segment of `first` bytes, then the rest in one. */
  flush(first: number): void
}

export function segmentedPair(): SegmentedPair {
  let held: Buffer[] | undefined
  let ended = false
  const end = (write: (chunk: Buffer) => void, finish: () => void): Duplex =>
    new Duplex({
      allowHalfOpen: true,
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        write(chunk)
        setImmediate(done)
      },
      final: (done) => {
        finish()
        done()
      },
    })
  const ours: Duplex = end(
    (chunk) => theirs.push(chunk),
    () => theirs.push(null),
  )
  const theirs: Duplex = end(
    (chunk) => (held === undefined ? ours.push(chunk) : held.push(chunk)),
    () => {
      ended = true
      if (held === undefined) ours.push(null)
    },
  )
  return {
    ours,
    theirs,
    hold: () => {
      held = []
    },
    flush: (first) => {
      const bytes = Buffer.concat(held ?? [])
      held = undefined
      for (const segment of [bytes.subarray(0, first), bytes.subarray(first)])
        if (segment.length > 0) ours.push(segment)
      if (ended) ours.push(null)
    },
  }
}
