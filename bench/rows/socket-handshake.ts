import { readFileSync } from 'node:fs'
import { defaultCaStore } from '@x/ca-store'
import { clientMemory } from '../src/client-memory.ts'
import { filesOf } from '../src/files.ts'
import { type Handshakes, HandshakeSubjects, PROCESSES } from '../src/handshake-subject.ts'
import { outsidePeer } from '../src/outside-peer.ts'
import type { BenchRow, Goal, MeasuredRow, RowMaker } from '../src/row.ts'
import { type TransferPeer, transferPeer } from '../src/transfer-peer.ts'

/** Per sample. */
const HANDSHAKES = 400

/** Before the first sample: a handshake runs through so much of Node and of ours that the optimizer is not done with it before. */
const WARM_UP = 6000

const PERL = 'IO::Socket::SSL'
const LIMIT = 'limit: OpenSSL in C'

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
    const subjects = new HandshakeSubjects(peer)
    const measure = {
      ...here(subjects, { mode: 'full' }),
      ...elsewhere('full', peer, version),
      'Python ssl': outsidePeer('client.py', { args: whereArgs(peer, version), calls: HANDSHAKES }),
    }
    return { close: subjects.close, measure }
  })
}

function optionsEachTime(): RowMaker {
  const goals = [
    { of: 'node:tls', atMost: 0.7 },
    { of: PERL, atMost: 0.85 },
  ]
  return row('full handshake, options each time', goals, async () => {
    const peer = await transferPeer({ minVersion: 'TLSv1.3' })
    const subjects = new HandshakeSubjects(peer)
    const measure = {
      ...here(subjects, { mode: 'each' }),
      ...elsewhere('each', peer, 'TLSv1.3'),
    }
    return { close: subjects.close, measure }
  })
}

function systemBundle(): RowMaker {
  const goals = [
    { of: 'node:tls', atMost: 0.1 },
    { of: PERL, atMost: 0.1 },
  ]
  return row('full handshake, options each time, the system’s bundle', goals, async () => {
    const peer = await transferPeer({ minVersion: 'TLSv1.3' })
    const subjects = new HandshakeSubjects(peer)
    const { file } = defaultCaStore()
    const bundle = file === undefined ? defaultCaStore().toPem() : readFileSync(file, 'utf8')
    const measure = {
      ...here(subjects, { mode: 'each', bundle: true, count: 12, warmUp: 300 }),
      ...elsewhere('each', { ...peer, ca: `${bundle}\n${peer.ca}` }, 'TLSv1.3', 12),
    }
    return { close: subjects.close, measure }
  })
}

function resumed(version: Version, atMost: number): RowMaker {
  const name = `resumed handshake, ${version === 'TLSv1.3' ? 'TLS 1.3' : 'TLS 1.2'}`
  return row(name, [{ of: 'node:tls', atMost }], async () => {
    const peer = await transferPeer({ minVersion: version, maxVersion: version })
    const subjects = new HandshakeSubjects(peer)
    const measure = {
      ...here(subjects, { mode: 'resumed' }),
      ...elsewhere('resumed', peer, version),
    }
    return { close: subjects.close, measure }
  })
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
    return { close: peer.close, measure, unit: 'KiB' }
  })
}

type Setup = () => Promise<{ readonly close: () => void; readonly measure: Measures; readonly unit?: 'us' | 'KiB' }>

function row(name: string, goals: readonly Goal[], setup: Setup): RowMaker {
  const make = async (): Promise<BenchRow> => {
    const { close, measure, unit } = await setup()
    return {
      name: `socket: ${name}`,
      measure,
      goals,
      passes: unit === 'KiB' ? 1 : PROCESSES,
      unit: unit ?? 'us',
      close,
    }
  }
  return { name: `socket: ${name}`, make }
}

/** Ours and node:tls, each in a process of its own. */
function here(subjects: HandshakeSubjects, what: Partial<Handshakes> & Pick<Handshakes, 'mode'>): Measures {
  const handshakes = { count: HANDSHAKES, warmUp: WARM_UP, ...what }
  return {
    '@x/socket': subjects.script('@x/socket', handshakes),
    'node:tls': subjects.script('node:tls', handshakes),
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
