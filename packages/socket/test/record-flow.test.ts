import { once } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { type SecureSocket, startTls } from '../src/index.ts'
import { tcpPair } from './rigs.ts'
import { authority, identity } from './support.ts'

async function pair(): Promise<readonly [SecureSocket, SecureSocket]> {
  const { ours, theirs } = await tcpPair()
  const sockets = await Promise.all([
    startTls(ours, { host: 'localhost', ca: authority.ca, stoppable: true }),
    startTls(theirs, { isServer: true, cert: identity.cert, key: identity.key, stoppable: true }),
  ])
  for (const socket of sockets) socket.on('error', () => undefined)
  return sockets
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const MB = 1_048_576
/** In CI 50 MB; FLOW_MB=1024 shows the same for a gigabyte. */
const total = Number(process.env['FLOW_MB'] ?? 50) * MB
const chunk = Buffer.alloc(65_536, 'abcdefg')

async function pour(socket: SecureSocket): Promise<void> {
  for (let sent = 0; sent < total; sent += chunk.length) if (!socket.write(chunk)) await once(socket, 'drain')
}

describe('the record engine under load', { timeout: 300_000 }, () => {
  it('carries everything with flat memory', async () => {
    const [client, server] = await pair()
    const sending = pour(server)
    let got = 0
    const held: number[] = []
    collectGarbage()
    const before = process.memoryUsage().arrayBuffers
    let next = 8 * MB
    for await (const data of client) {
      got += (data as Buffer).length
      if (got >= next) {
        next += 8 * MB
        // once more: Node 20 counts what the first has swept
        collectGarbage()
        collectGarbage()
        held.push(process.memoryUsage().arrayBuffers - before)
      }
      if (got >= total) break
    }
    await sending
    expect(got).toBe(total)
    // buffers are swept behind the collection's back, so one sample may be high; a leak makes every later one high
    expect(Math.min(...held.slice(-3))).toBeLessThan(16 * MB)
    server.destroy()
  })

  it('pushes back where nobody reads, in both directions', async () => {
    const [client, server] = await pair()
    let written = 0
    const full = new Promise<void>((resolve) => {
      const more = (): void => {
        let room = true
        while (room) {
          written += chunk.length
          room = server.write(chunk)
        }
        const timer = setTimeout(resolve, 200)
        server.once('drain', () => {
          clearTimeout(timer)
          more()
        })
      }
      more()
    })
    await full
    // the kernel's buffers of both ends hold some MB; ours next to nothing
    expect(written).toBeLessThan(32 * MB)
    expect(client.readableLength).toBeLessThan(MB)
    expect(server.writableLength).toBeLessThan(MB)
    client.destroy()
    server.destroy()
  })
})
