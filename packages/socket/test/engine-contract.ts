import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import type { EndKind, Engine, EngineSink } from '../src/engine/engine.ts'

/** An engine that is ready to carry data, and the other end of its connection, decrypted. */
export interface Rig {
  readonly engine: Engine
  readonly peer: Duplex
  /** Destroys whatever is still open. */
  readonly close: () => void
}

/** A sink that records, and says no to more data while `full`. */
export class Recorder implements EngineSink {
  received = ''
  full = false
  ends: EndKind[] = []
  failures: Error[] = []
  afterEnd = 0
  #waiting: (() => void)[] = []

  data(chunk: Uint8Array): boolean {
    if (this.ends.length > 0 || this.failures.length > 0) this.afterEnd++
    this.received += Buffer.from(chunk).toString('latin1')
    this.#wake()
    return !this.full
  }
  shutdown(): void {
    this.#wake()
  }
  end(how: EndKind): void {
    if (this.failures.length > 0) this.afterEnd++
    this.ends.push(how)
    this.#wake()
  }
  failed(error: Error): void {
    this.failures.push(error)
    this.#wake()
  }
  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }
}

/** Resolves when the other end has noticed that the connection is over, in whatever way it is told. */
function over(peer: Duplex): Promise<unknown> {
  peer.on('error', () => undefined).resume()
  return Promise.race([once(peer, 'end'), once(peer, 'close')])
}

/** What every engine must do, whatever carries its bytes. */
export function engineContract(name: string, make: () => Promise<Rig>): void {
  describe(`engine contract: ${name}`, () => {
    const rigs: Rig[] = []
    afterEach(() => {
      for (const rig of rigs.splice(0)) rig.close()
    })
    async function rig(): Promise<Rig & { sink: Recorder }> {
      const made = await make()
      rigs.push(made)
      const sink = new Recorder()
      made.engine.attach(sink)
      return { ...made, sink }
    }
    /** Resolves when everything written before by the peer must have arrived at the engine's side of the machine. */
    async function turnAround({ engine, peer }: Rig): Promise<void> {
      const echoed = once(peer, 'data')
      await new Promise<void>((resolve) => engine.write([Buffer.from('?')], () => resolve()))
      await echoed
    }

    it('delivers nothing before the first pull, and everything after it', async () => {
      const { engine, peer, sink, close } = await rig()
      peer.write('early')
      await turnAround({ engine, peer, close })
      expect(sink.received).toBe('')
      engine.pull()
      await sink.until(() => sink.received === 'early')
    })

    it('stops when the sink is full, and goes on in order when pulled', async () => {
      const { engine, peer, sink } = await rig()
      const sent = Array.from({ length: 40 }, (_, at) => String.fromCharCode(65 + (at % 26)).repeat(20_000)).join('')
      sink.full = true
      engine.pull()
      peer.write(sent, 'latin1')
      for (let last = -1; sink.received.length < sent.length; ) {
        await sink.until(() => sink.received.length > last)
        last = sink.received.length
        engine.pull()
        engine.pull()
      }
      expect(sink.received).toBe(sent)
    })

    it('writes batches in order and calls back once each', async () => {
      const { engine, peer } = await rig()
      let got = ''
      peer.on('data', (chunk: Buffer) => {
        got += chunk.toString()
      })
      const calls: string[] = []
      engine.write([Buffer.from('a'), Buffer.from(''), Buffer.from('b')], () => calls.push('1'))
      engine.write([Buffer.from('c')], () => calls.push('2'))
      await new Promise<void>((resolve) => engine.end(() => resolve()))
      if (!peer.readableEnded) await once(peer, 'end')
      expect(got).toBe('abc')
      expect(calls).toEqual(['1', '2'])
    })

    it('ends our direction only', async () => {
      const { engine, peer, sink } = await rig()
      peer.resume()
      const ended = once(peer, 'end')
      engine.end(() => undefined)
      await ended
      peer.write('still here')
      engine.pull()
      await sink.until(() => sink.received === 'still here')
      expect(sink.failures).toEqual([])
    })

    it('tells the end of the peer once, after its last data', async () => {
      const { engine, peer, sink } = await rig()
      engine.pull()
      peer.end('last words')
      await sink.until(() => sink.ends.length > 0)
      expect(sink.received).toBe('last words')
      expect(sink.ends).toHaveLength(1)
      expect(sink.afterEnd).toBe(0)
    })

    it('is silent after destroy, which may be called twice and from within a delivery', async () => {
      const { engine, peer, sink } = await rig()
      const data = sink.data.bind(sink)
      sink.data = (chunk) => {
        engine.destroy(null)
        engine.destroy(new Error('again'))
        return data(chunk)
      }
      const gone = over(peer)
      peer.on('error', () => undefined)
      engine.pull()
      peer.write('x')
      await gone
      expect([sink.received, sink.ends, sink.failures]).toEqual(['x', [], []])
    })

    it('fails a write after destroy, or drops it, but never sends it', async () => {
      const { engine, peer } = await rig()
      let got = ''
      peer.on('data', (chunk: Buffer) => {
        got += chunk.toString()
      })
      peer.on('error', () => undefined)
      const gone = over(peer)
      engine.destroy(null)
      engine.write([Buffer.from('late')], () => undefined)
      await gone
      expect(got).toBe('')
    })

    it('tells a connection that is cut once, and nothing after it', async () => {
      const { engine, peer, sink } = await rig()
      engine.pull()
      peer.on('error', () => undefined)
      peer.destroy()
      await sink.until(() => sink.failures.length + sink.ends.length > 0)
      expect(sink.failures.length + sink.ends.length).toBe(1)
      expect(sink.afterEnd).toBe(0)
    })

    it('takes ref and unref', async () => {
      const { engine } = await rig()
      engine.unref()
      engine.ref()
    })
  })
}
