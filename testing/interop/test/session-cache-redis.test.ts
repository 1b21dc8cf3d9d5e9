import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { createServer } from 'node:tls'
import { type ByteStore, EncryptedSessionStore, trustKey } from '@x/session-cache'
import { sessionStoreCases } from '@x/session-cache/compliance'
import { connect as connectTls, type PeerEvidence } from '@x/session-cache/tls'
import { TestCa } from '@x-testing/test-ca'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { peer, type RunningPeer, startServer, TemporaryFolder } from '../src/index.ts'

const redis = peer('redis-server')
const ca = new TestCa()
const identity = ca.server('localhost')

describe.skipIf(redis === undefined)('sessions in Redis', () => {
  let server: RunningPeer
  const folder = new TemporaryFolder()
  const clients: RedisLists[] = []
  const key = randomBytes(32)

  beforeAll(async () => {
    server = await startServer(redis as string, (port) => [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--dir',
      folder.path,
    ])
  })
  afterAll(async () => {
    for (const client of clients) client.close()
    await server.stop()
    folder.dispose()
  })
  const client = (): RedisLists => {
    const made = new RedisLists(server.port)
    clients.push(made)
    return made
  }

  for (const { name, run } of sessionStoreCases((now) => new EncryptedSessionStore({ store: client(), key, now })))
    it(name, run)

  it('hands out a TLS 1.3 session once, though many ask over connections of their own', async () => {
    const stores = Array.from({ length: 8 }, () => new EncryptedSessionStore({ store: client(), key }))
    const name = trustKey({ host: 'example.org', run: randomBytes(8) })
    const entry = { protocol: 'TLSv1.3', expires: Date.now() + 60_000, chain: [], name: 'example.org', evidence: null }
    for (let i = 0; i < 5; i++) await stores[0]?.add(name, { ...entry, session: Buffer.from(`session ${i}`) })
    const found = await Promise.all(stores.flatMap((store) => [store.get(name), store.get(name)]))
    const sessions = found.flatMap((session) =>
      session === undefined ? [] : [Buffer.from(session.session).toString()],
    )
    expect(sessions.toSorted()).toEqual(['session 0', 'session 1', 'session 2', 'session 3', 'session 4'])
  })

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('lets one client resume what another has earned (%s)', async (version) => {
    const resumed: boolean[] = []
    const secure = createServer(
      { cert: identity.cert, key: identity.key, minVersion: version, maxVersion: version },
      (socket) => {
        resumed.push(socket.isSessionReused())
        socket.on('error', () => undefined).end('hi')
      },
    ).listen(0, '127.0.0.1')
    await once(secure, 'listening')
    const options = {
      host: '127.0.0.1',
      port: (secure.address() as AddressInfo).port,
      servername: 'localhost',
      ca: ca.ca,
    }
    for (let i = 0; i < 2; i++) {
      const store = new EncryptedSessionStore<PeerEvidence>({ store: client(), key })
      const added = once(clients.at(-1)?.events as EventTarget, 'put')
      const socket = await connectTls(options, { store })
      socket.resume().end()
      await once(socket, 'close')
      if (i === 0) await added
    }
    expect(resumed).toEqual([false, true])
    const text = Buffer.concat(
      await Promise.all(
        [...((await clients[0]?.names()) ?? [])].map(async (name) => (await clients[0]?.peek(name)) ?? Buffer.alloc(0)),
      ),
    )
    expect(text.includes('localhost')).toBe(false)
    secure.close()
  })

  it('forgets sessions in time', async () => {
    const lists = client()
    const store = new EncryptedSessionStore({ store: lists, key, now: () => 0, prefix: 'brief:' })
    const name = trustKey({ host: 'brief', run: randomBytes(8) })
    await store.add(name, {
      protocol: 'TLSv1.3',
      expires: 5,
      session: Buffer.from('x'),
      chain: [],
      name: undefined,
      evidence: null,
    })
    expect((await lists.names()).filter((found) => found.startsWith('brief:'))).toEqual([])
  })
})

/** The `ByteStore` of the README on Redis. RESP is small enough to be written here; a program would use its Redis client. */
class RedisLists implements ByteStore {
  readonly events: EventTarget = new EventTarget()
  readonly #socket: Socket
  readonly #waiting: ((reply: unknown) => void)[] = []
  #rest: Buffer = Buffer.alloc(0)

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1')
    this.#socket.setNoDelay(true).on('data', (chunk: Buffer) => {
      this.#rest = Buffer.concat([this.#rest, chunk])
      for (let reply = readReply(this.#rest); reply !== undefined; reply = readReply(this.#rest)) {
        this.#rest = this.#rest.subarray(reply.end)
        this.#waiting.shift()?.(reply.value)
      }
    })
  }

  async put(
    name: string,
    bytes: Uint8Array,
    { expires, keep }: { readonly expires: number; readonly keep: number },
  ): Promise<void> {
    await Promise.all([
      this.#send('LPUSH', name, bytes),
      this.#send('LTRIM', name, '0', String(keep - 1)),
      this.#send('PEXPIREAT', name, String(Math.floor(expires))),
    ])
    this.events.dispatchEvent(new Event('put'))
  }

  async take(name: string): Promise<Buffer | undefined> {
    return (await this.#send('LPOP', name)) as Buffer | undefined
  }

  async peek(name: string): Promise<Buffer | undefined> {
    return (await this.#send('LINDEX', name, '0')) as Buffer | undefined
  }

  async delete(name: string): Promise<void> {
    await this.#send('DEL', name)
  }

  async names(): Promise<string[]> {
    return ((await this.#send('KEYS', '*')) as Buffer[]).map(String)
  }

  close(): void {
    this.#socket.destroy()
  }

  async #send(...words: readonly (string | Uint8Array)[]): Promise<unknown> {
    const parts = words.flatMap((word) => [
      Buffer.from(`$${Buffer.byteLength(word)}\r\n`),
      Buffer.from(word as string),
      Buffer.from('\r\n'),
    ])
    this.#socket.write(Buffer.concat([Buffer.from(`*${words.length}\r\n`), ...parts]))
    const reply = await new Promise((resolve) => this.#waiting.push(resolve))
    if (reply instanceof Error) throw reply
    return reply
  }
}

function readReply(bytes: Buffer, start = 0): { readonly value: unknown; readonly end: number } | undefined {
  const lineEnd = bytes.indexOf('\r\n', start)
  if (lineEnd === -1) return undefined
  const line = bytes.toString('latin1', start + 1, lineEnd)
  let end = lineEnd + 2
  switch (String.fromCharCode(bytes[start] as number)) {
    case '+':
      return { value: line, end }
    case ':':
      return { value: Number(line), end }
    case '-':
      return { value: new Error(line), end }
    case '$':
      if (line === '-1') return { value: undefined, end }
      return bytes.length < end + Number(line) + 2
        ? undefined
        : { value: bytes.subarray(end, end + Number(line)), end: end + Number(line) + 2 }
    default: {
      const items: unknown[] = []
      for (let i = 0; i < Number(line); i++) {
        const item = readReply(bytes, end)
        if (item === undefined) return undefined
        items.push(item.value)
        end = item.end
      }
      return { value: items, end }
    }
  }
}
