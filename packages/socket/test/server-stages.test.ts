import { once } from 'node:events'
import { connect as connectTcp, createServer, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { connect } from '../src/index.ts'
import { closed, echoing, ourServer, visit } from './server-support.ts'
import { authority } from './support.ts'

const client = authority.issue({ names: 'client', purpose: 'client' })

/** A relay that destroys both sides after so many bytes from the client. */
async function cutting(port: number, after: number): Promise<{ port: number; over: Promise<void>; close: () => void }> {
  let done: () => void
  const over = new Promise<void>((resolve) => (done = resolve))
  const relay = createServer((near) => {
    const far = connectTcp(port, '127.0.0.1')
    let passed = 0
    const cut = (): void => {
      near.destroy()
      far.destroy()
      done()
    }
    near.on('data', (chunk: Buffer) => {
      const rest = after - passed
      passed += chunk.length
      far.write(chunk.subarray(0, Math.max(0, rest)))
      if (passed >= after) setImmediate(cut)
    })
    far.pipe(near)
    for (const socket of [near, far]) socket.on('error', cut).on('close', cut)
  }).listen(0, '127.0.0.1')
  await once(relay, 'listening')
  return { port: (relay.address() as { port: number }).port, over, close: () => relay.close() }
}

const handles = (): number => process.getActiveResourcesInfo().filter((kind) => kind.startsWith('TCPSocket')).length

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('a client that dies, %s', (version) => {
  it('at any byte of its handshake leaves nothing', async () => {
    const server = await ourServer({ requestCert: 'optional', ca: authority.ca, handshakeTimeout: 2_000 })
    echoing(server)
    const before = handles()
    for (const after of [0, 1, 5, 6, 100, 300, 600, 1_000, 1_200, 1_400, 1_700, 2_000]) {
      const relay = await cutting(server.port, after)
      const socket = connectTls({
        port: relay.port,
        host: '127.0.0.1',
        ca: authority.ca,
        servername: 'localhost',
        cert: client.cert,
        key: client.key,
        minVersion: version,
        maxVersion: version,
      })
      socket.on('error', () => undefined).on('secureConnect', () => socket.write('x'.repeat(100)))
      socket.on('data', () => socket.destroy())
      await Promise.all([closed(socket), relay.over])
      relay.close()
    }
    while (server.connections > 0) await new Promise(setImmediate)
    expect(server.handshakes).toBe(0)
    await server.close()
    await new Promise(setImmediate)
    expect(handles()).toBeLessThanOrEqual(before)
  })
})

describe('many clients', () => {
  const full = process.env['SERVER_FULL'] === '1'

  it('in sequence, with flat memory', { timeout: 120_000 }, async () => {
    await using server = await ourServer()
    echoing(server)
    const rounds = full ? 10_000 : 1_000
    const memory: number[] = []
    for (let i = 0; i < rounds; i++) {
      const socket = await connect({
        host: '127.0.0.1',
        port: server.port,
        ca: authority.ca,
        verify: { name: 'localhost' },
      })
      socket.destroy()
      if (i % (rounds / 10) === rounds / 10 - 1) {
        globalThis.gc?.()
        memory.push(process.memoryUsage().rss)
      }
    }
    // the second half must not grow as the first, warming, one may
    expect((memory.at(-1) ?? 0) - (memory[4] ?? 0)).toBeLessThan(40 * 1_048_576)
    while (server.connections > 0) await new Promise(setImmediate)
    expect(server.handshakes).toBe(0)
  })

  it('at once', { timeout: 120_000 }, async () => {
    await using server = await ourServer({ backlog: 1_024 })
    echoing(server)
    const count = full ? 1_000 : 500
    const visits = await Promise.all(Array.from({ length: count }, () => visit(server.port)))
    expect(visits.filter(({ answer }) => answer === 'ping').length).toBe(count)
    const idle: Socket[] = await Promise.all(
      Array.from({ length: 50 }, () =>
        connect({ host: '127.0.0.1', port: server.port, ca: authority.ca, verify: { name: 'localhost' } }),
      ),
    )
    expect(server.connections).toBeGreaterThanOrEqual(50)
    for (const socket of idle) socket.destroy()
  })
})
