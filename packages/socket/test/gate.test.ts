import { describe, expect, it } from 'vitest'
import type { Engine, EngineSink, PlainEngine, TlsEngine } from '../src/engine/engine.ts'
import { Gate, type GateOutput } from '../src/gate.ts'
import { CHECKS, Verification, waivedByOption } from '../src/verify/verification.ts'

/** An engine that records what it is told, and delivers when a test says so. */
class Probe implements Engine {
  readonly kind: 'plain' | 'native'
  sink: EngineSink | undefined
  readonly log: string[] = []
  readonly pending: (() => void)[] = []

  constructor(kind: 'plain' | 'native') {
    this.kind = kind
  }
  attach(sink: EngineSink): void {
    this.sink = sink
  }
  pull(): void {
    this.log.push('pull')
  }
  write(chunks: readonly Uint8Array[], done: (error?: Error | null) => void): void {
    this.log.push(`write ${Buffer.concat(chunks).toString()}`)
    this.pending.push(() => done())
  }
  end(done: (error?: Error | null) => void): void {
    this.log.push('end')
    done()
  }
  destroy(error: Error | null): void {
    this.log.push(`destroy ${error?.message ?? ''}`)
  }
  ref(): void {
    this.log.push('ref')
  }
  unref(): void {
    this.log.push('unref')
  }
}

function fixture(kind: 'plain' | 'native' = 'native') {
  const events: string[] = []
  const output: GateOutput = {
    push: (chunk) => events.push(`data ${Buffer.from(chunk).toString()}`) > 0,
    ended: (how) => events.push(`end ${how}`),
    shutdown: () => events.push('shutdown'),
    failed: (error) => events.push(`failed ${(error as Error & { code?: string }).code}`),
    active: () => undefined,
  }
  const gate = new Gate(output)
  const engine = new Probe(kind)
  gate.attach(engine)
  return { gate, engine, events, tls: engine as unknown as TlsEngine, plain: engine as unknown as PlainEngine }
}

const verification = Verification.judge(Object.fromEntries(CHECKS.map((check) => [check, waivedByOption('test')])))
const secret = [Buffer.from('secret')]

describe('the gate while closed', () => {
  it('asks the engine for nothing, and holds a write and an end until it opens', () => {
    const { gate, engine, tls } = fixture()
    const done: string[] = []
    gate.pull()
    gate.write(secret, () => done.push('written'))
    gate.finish(() => done.push('finished'))
    expect(engine.log).toEqual([])
    gate.openSecure(tls, verification)
    expect(engine.log).toEqual(['write secret', 'end', 'pull'])
    engine.pending[0]?.()
    expect(done).toEqual(['finished', 'written'])
  })

  it('drops what it holds when it is closed for good, and tells the callbacks', () => {
    const { gate, engine, tls } = fixture()
    const errors: unknown[] = []
    gate.write(secret, (error) => errors.push(error))
    gate.close(new Error('refused'))
    expect(engine.log).toEqual(['destroy refused'])
    expect(errors).toEqual([expect.objectContaining({ message: 'refused' })])
    expect(() => gate.openSecure(tls, verification)).toThrow(
      expect.objectContaining({ code: 'ERR_SECURE_SOCKET_STATE' }),
    )
    gate.write(secret, (error) => errors.push(error))
    expect(errors[1]).toMatchObject({ code: 'ERR_SECURE_SOCKET_CLOSED' })
    expect(engine.log).toEqual(['destroy refused'])
  })

  it('lets no data through from an engine that delivers unasked', () => {
    const { engine, events } = fixture()
    expect(engine.sink?.data(Buffer.from('early'))).toBe(false)
    expect(events).toEqual(['failed ERR_SECURE_SOCKET_STATE'])
  })

  it('delivers an end that came early only after it has opened', () => {
    const { gate, engine, events, tls } = fixture()
    engine.sink?.end('unknown')
    expect(events).toEqual([])
    gate.openSecure(tls, verification)
    expect(events).toEqual(['end unknown'])
  })

  it.each([
    ['a look-alike', { outcomes: verification.outcomes, resumed: false }],
    ['nothing', undefined],
    ['true', true],
    ['an object of the same prototype', Object.create(Verification.prototype)],
  ])('does not open for %s', (_what, fake) => {
    const { gate, engine, tls } = fixture()
    gate.write(secret, () => undefined)
    expect(() => gate.openSecure(tls, fake as Verification)).toThrow(
      expect.objectContaining({ code: 'ERR_SECURE_SOCKET_STATE' }),
    )
    expect(gate.isOpen).toBe(false)
    expect(engine.log).toEqual([])
  })

  it('does not open in clear for a TLS engine, nor for an engine that is not attached', () => {
    const { gate, plain } = fixture('native')
    expect(() => gate.openPlain(plain)).toThrow(expect.objectContaining({ code: 'ERR_SECURE_SOCKET_STATE' }))
    const other = fixture('native')
    expect(() => gate.openSecure(other.tls, verification)).toThrow(
      expect.objectContaining({ code: 'ERR_SECURE_SOCKET_STATE' }),
    )
  })
})

describe('the boundary between two engines', () => {
  it('lets earlier bytes leave through the old engine and holds later ones for the new', () => {
    const { gate, engine, plain } = fixture('plain')
    gate.openPlain(plain)
    let reached = false
    gate.write([Buffer.from('one')], () => undefined)
    gate.closeAfter(3 + 3, 'hold', () => {
      reached = true
    })
    engine.pending.shift()?.()
    expect(reached).toBe(false)
    gate.write([Buffer.from('two'), Buffer.from('three')], () => undefined)
    expect(engine.log).toEqual(['write one', 'write two'])
    engine.pending.shift()?.()
    expect(reached).toBe(true)
    const next = new Probe('native')
    gate.attach(next)
    expect(next.log).toEqual([])
    gate.openSecure(next as unknown as TlsEngine, verification)
    expect(next.log).toEqual(['write three'])
    expect(engine.log).toEqual(['write one', 'write two'])
  })

  it('is reached at once where nothing is on its way', () => {
    const { gate, plain } = fixture('plain')
    gate.openPlain(plain)
    let reached = false
    gate.closeAfter(0, 'hold', () => {
      reached = true
    })
    expect(reached).toBe(true)
  })

  it('refuses later bytes where they might leave in clear', () => {
    const { gate, tls, engine } = fixture()
    gate.openSecure(tls, verification)
    gate.closeAfter(0, 'refuse', () => undefined)
    const errors: unknown[] = []
    gate.write(secret, (error) => errors.push(error))
    expect(errors).toEqual([expect.objectContaining({ code: 'ERR_SECURE_SOCKET_STATE' })])
    expect(engine.log).toEqual([])
  })
})
