import { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { startTls } from '../src/index.ts'
import { authority, identity } from './support.ts'

/** One end of a connection in memory, whose bytes arrive a tick later in segments that end where `cuts` says. */
class End extends Duplex {
  other: End | undefined
  sent = 0
  #pending: Buffer[] = []
  readonly #cuts: (offset: number) => boolean

  constructor(cuts: (offset: number) => boolean) {
    super({ allowHalfOpen: true })
    this.#cuts = cuts
  }

  override _read(): void {
    // bytes are pushed as they come
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#pending.push(chunk)
    // everything of one turn goes into one segment, unless it is cut
    if (this.#pending.length === 1) setImmediate(() => this.#deliver())
    done()
  }

  #deliver(): void {
    const bytes = Buffer.concat(this.#pending.splice(0))
    let from = 0
    for (let at = 1; at <= bytes.length; at++)
      if (at === bytes.length || this.#cuts(this.sent + at)) {
        this.other?.push(bytes.subarray(from, at))
        from = at
      }
    this.sent += bytes.length
  }
}

type Version = 'TLSv1.2' | 'TLSv1.3'

/** TLS, data, out of TLS with plaintext right behind, and once more. Returns what came in, and how many bytes were on the wire. */
async function converse(
  version: Version,
  role: 'client' | 'server',
  cuts: (offset: number) => boolean,
): Promise<readonly [string, number]> {
  const ours = new End(() => false)
  const theirs = new End(cuts)
  ours.other = theirs
  theirs.other = ours
  const shared = { stoppable: true, minVersion: version, maxVersion: version }
  const options = {
    client: { host: 'localhost', ca: authority.ca, ...shared },
    server: { isServer: true, cert: identity.cert, key: identity.key, ...shared },
  }
  const [socket, peer] = await Promise.all([
    startTls(ours, options[role]),
    startTls(theirs, options[role === 'client' ? 'server' : 'client']),
  ])
  let got = ''
  for (let round = 0; round < 2; round++) {
    socket.write('?')
    await peer.readBytes(1)
    peer.write(`secret ${round};`)
    const stopped = peer.stopTls()
    got += String(await socket.readBytes(9))
    // the peer's plaintext follows its close_notify at once, since it has seen ours
    const [mine] = await Promise.all([socket.stopTls(), stopped.then((plain) => plain.write(`clear ${round};`))])
    got += String(await mine.readBytes(8))
    if (round === 0) await Promise.all([socket.startTls(), peer.startTls()])
  }
  const length = theirs.sent
  socket.destroy()
  peer.destroy()
  return [got, length]
}

const expected = 'secret 0;clear 0;secret 1;clear 1;'
/** Every position with FUZZ_SEGMENTS=all; else each round's end of TLS, byte by byte, and every 29th position. */
const all = process.env['FUZZ_SEGMENTS'] === 'all'
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now()) >>> 0
const runs = Number(process.env['FUZZ_RUNS'] ?? 10)

/** Cuts at random, about one in `distance` bytes (mulberry32). */
function randomCuts(state: number, distance: number): () => boolean {
  let at = state
  return () => {
    at = (at + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(at ^ (at >>> 15), at | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % distance === 0
  }
}

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('a dialogue with the peer’s bytes cut anywhere, %s', (version) => {
  it.each(['client', 'server'] as const)('gives the same, as %s', { timeout: 300_000 }, async (role) => {
    const [whole, length] = await converse(version, role, () => false)
    expect(whole).toBe(expected)
    expect((await converse(version, role, () => true))[0], 'byte by byte').toBe(expected)
    for (let cut = 1; cut < length + 40; cut++)
      if (all || cut % 29 === 0 || cut > length - 90)
        expect((await converse(version, role, (offset) => offset === cut))[0], `cut at ${cut}`).toBe(expected)
  })

  // so that every position is a boundary in one of them
  it.each(['client', 'server'] as const)(
    'gives the same in pieces of 17 bytes, as %s',
    { timeout: 300_000 },
    async (role) => {
      for (let first = 0; first < 17; first++)
        expect((await converse(version, role, (offset) => offset % 17 === first))[0], `from ${first}`).toBe(expected)
    },
  )

  it.each(['client', 'server'] as const)(
    `gives the same in many pieces, as %s (FUZZ_SEED=${seed})`,
    { timeout: 300_000 },
    async (role) => {
      for (let run = 0; run < runs; run++)
        for (const distance of [3, 40, 400])
          expect((await converse(version, role, randomCuts(seed + run, distance)))[0], `run ${run}`).toBe(expected)
    },
  )
})
