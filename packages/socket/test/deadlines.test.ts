import { once } from 'node:events'
import { Duplex } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Deadlines, startClock } from '../src/deadlines.ts'
import { dial } from '../src/index.ts'

describe('Deadlines', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
  afterEach(() => void vi.useRealTimers())

  it('tells of each item when its own time is over, by one timer', () => {
    const late: string[] = []
    const deadlines = new Deadlines<string>(1_000, (item) => late.push(item))
    deadlines.add('a')
    vi.advanceTimersByTime(400)
    deadlines.add('b')
    expect(vi.getTimerCount()).toBe(1)
    vi.advanceTimersByTime(599)
    expect(late).toEqual([])
    vi.advanceTimersByTime(1)
    expect(late).toEqual(['a'])
    expect(vi.getTimerCount()).toBe(1)
    vi.advanceTimersByTime(400)
    expect(late).toEqual(['a', 'b'])
    expect([deadlines.size, vi.getTimerCount()]).toEqual([0, 0])
  })

  it('does not tell of what was removed, however often it was', () => {
    const late: string[] = []
    const deadlines = new Deadlines<string>(1_000, (item) => late.push(item))
    const first = deadlines.add('a')
    deadlines.add('b')
    deadlines.remove(first)
    deadlines.remove(first)
    expect(deadlines.size).toBe(1)
    vi.advanceTimersByTime(1_000)
    expect(late).toEqual(['b'])
    deadlines.remove(first)
    deadlines.add('c')
    vi.advanceTimersByTime(1_000)
    expect(late).toEqual(['b', 'c'])
  })

  it('tells of the others where a listener throws', () => {
    const late: string[] = []
    const deadlines = new Deadlines<string>(1_000, (item) => {
      if (item === 'a') throw new Error('of the program')
      late.push(item)
    })
    deadlines.add('a')
    deadlines.add('b')
    expect(() => vi.advanceTimersByTime(1_000)).toThrow('of the program')
    vi.advanceTimersByTime(1)
    expect([late, deadlines.size]).toEqual([['b'], 0])
  })

  it('goes with its last item where no other is to come', () => {
    const late: string[] = []
    const deadlines = new Deadlines<string>(1_000, (item) => late.push(item))
    const [one, two] = [deadlines.add('a'), deadlines.add('b')]
    deadlines.retire()
    expect(vi.getTimerCount()).toBe(1)
    deadlines.remove(one)
    expect(vi.getTimerCount()).toBe(1)
    deadlines.remove(two)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('tells of what waits when another time is asked for, and leaves no timer for each time', () => {
    const told: string[] = []
    const of = (name: string): { interrupt(reason: Error): void } => ({
      interrupt: ({ message }) => told.push(`${name}: ${message}`),
    })
    startClock(of('slow'), 5_000)
    for (let ms = 1_001; ms < 1_100; ms++) startClock(of('quick'), ms)?.stop()
    expect(vi.getTimerCount()).toBe(2)
    vi.advanceTimersByTime(5_000)
    expect(told).toEqual(['slow: the TLS handshake took more than 5000 ms'])
    expect(vi.getTimerCount()).toBe(0)
    expect(startClock(of('endless'), Number.POSITIVE_INFINITY)).toBeUndefined()
  })
})

describe('The clock', () => {
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length

  it('keeps the process alive while anything waits that says so, and no longer', () => {
    const before = timers()
    const deadlines = new Deadlines<string>(60_000, () => undefined)
    for (let round = 0; round < 2; round++) {
      const [one, two] = [deadlines.add('a'), deadlines.add('b')]
      expect(timers()).toBe(before)
      deadlines.hold(one, true)
      deadlines.hold(one, true)
      deadlines.hold(two, true)
      expect(timers()).toBe(before + 1)
      deadlines.hold(one, false)
      expect(timers()).toBe(before + 1)
      deadlines.remove(two)
      expect(timers()).toBe(before)
      deadlines.hold(two, true) // it waits no longer
      expect(timers()).toBe(before)
      deadlines.remove(one)
    }
    deadlines.retire()
  })

  it('of a handshake does, unless the socket is not to', async () => {
    const silent = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() })
    const before = timers()
    const socket = dial({ socket: silent, servername: 'localhost', ca: [], handshakeTimeout: 60_000 })
    socket.on('error', () => undefined)
    while (socket.phase === 'connecting') await new Promise(setImmediate)
    expect(timers()).toBe(before + 1)
    socket.unref()
    expect(timers()).toBe(before)
    socket.ref()
    expect(timers()).toBe(before + 1)
    socket.destroy()
    await once(socket, 'close')
    expect(timers()).toBe(before)
  })
})
