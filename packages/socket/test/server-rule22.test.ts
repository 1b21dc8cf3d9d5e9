import { once } from 'node:events'
import { connect as connectTcp, createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { echoing, ourServer, refusal, visit } from './server-support.ts'
import { readHello } from '../src/read-hello.ts'
import { readFirstBytes } from '../src/client-hello.ts'

/**
 * A server that reads one hello and hands another to TLS: what an attacker would like to bring about. In a transport of this test, since neither
 * Node's client nor OpenSSL's sends a second hello with another name.
 */
describe('the name that OpenSSL has understood', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('must be the one that the host was chosen by, %s', async (version) => {
    const { acceptTls } = await import('../src/accept.ts')
    const { HostTable } = await import('../src/hosts.ts')
    const { resolveServer } = await import('../src/options/resolve.ts')
    const { coreOf } = await import('../src/facade.ts')
    const { makeSocket } = await import('../src/secure-socket.ts')
    const { identity } = await import('./support.ts')
    const server = resolveServer('listen', { cert: identity.cert, key: identity.key })
    const table = await HostTable.create(server, { ticketKeys: undefined })
    const outcome = new Promise<unknown>((resolve) => {
      const tcp = createServer((transport) => {
        tcp.close()
        const socket = makeSocket({}).on('error', () => undefined)
        const core = coreOf(socket)
        core.transport = transport
        // the table is asked once; here it is given another name's hello, and TLS gets the real one
        const lying = Object.create(table, {
          choose: {
            value: (hello: { servername: string }) => {
              hello.servername = 'other.example.org'
              return table.find('')
            },
          },
          server: { value: table.server },
        }) as typeof table
        acceptTls(socket, core, { transport, table: lying }).then(resolve, (error: unknown) => {
          core.closeWith(error as Error)
          resolve(error)
        })
      }).listen(0, '127.0.0.1', () => {
        const { port } = tcp.address() as { port: number }
        void visit(port, { minVersion: version, maxVersion: version })
      })
    })
    expect(await outcome).toMatchObject({ code: 'ERR_SECURE_SOCKET_UNRECOGNIZED_NAME' })
  })

  it('is missing on a resumed TLS 1.2 session, which is bound to its host', async () => {
    await using server = await ourServer()
    echoing(server)
    const { session } = await visit(server.port, { maxVersion: 'TLSv1.2' })
    expect(await visit(server.port, { maxVersion: 'TLSv1.2', session })).toMatchObject({ reused: true, answer: 'ping' })
  })

  it('is read strictly: two names, two extensions and lengths that lie are refused', async () => {
    await using server = await ourServer()
    const real = await helloOf()
    expect(readFirstBytes(real)).toMatchObject({ kind: 'hello', hello: { servername: 'localhost' } })
    const at = real.indexOf('localhost')
    // the list says 12 bytes, the name 9: say 8 for the name, and a second entry begins
    const lying = Buffer.from(real)
    lying[at - 1] = 8
    for (const bytes of [lying, twice(real)]) {
      expect(() => readFirstBytes(bytes)).toThrow(expect.objectContaining({ code: 'ERR_SECURE_SOCKET_CLIENT_HELLO' }))
      const told = refusal(server)
      const socket = connectTcp(server.port, '127.0.0.1', () => socket.write(bytes)).on('error', () => undefined)
      expect(await told).toMatchObject({ code: 'ERR_SECURE_SOCKET_CLIENT_HELLO' })
      socket.destroy()
    }
  })
})

/** What node:tls sends first, records and all. */
async function helloOf(): Promise<Buffer> {
  const tcp = createServer().listen(0, '127.0.0.1')
  await once(tcp, 'listening')
  const { port } = tcp.address() as { port: number }
  const arrived = once(tcp, 'connection') as Promise<[import('node:net').Socket]>
  const done = visit(port)
  const [transport] = await arrived
  const first = await readHello(transport, { maxHelloSize: 10_000, timeout: 4_000 })
  expect(first.kind).toBe('hello')
  const bytes = transport.read() as Buffer
  transport.destroy()
  tcp.close()
  await done
  return bytes
}

/** The first extension once more, with all lengths mended. */
function twice(record: Buffer): Buffer {
  const hello = record.subarray(9)
  let at = 34
  at += 1 + (hello[at] as number)
  at += 2 + hello.readUInt16BE(at)
  at += 1 + (hello[at] as number)
  const extensions = hello.subarray(at + 2)
  const first = extensions.subarray(0, 4 + extensions.readUInt16BE(2))
  const all = Buffer.concat([extensions, first])
  const head = Buffer.concat([hello.subarray(0, at), Buffer.from([all.length >> 8, all.length & 255])])
  const length = head.length + all.length
  return Buffer.concat([
    Buffer.from([22, 3, 1, (length + 4) >> 8, (length + 4) & 255, 1, 0, length >> 8, length & 255]),
    head,
    all,
  ])
}
