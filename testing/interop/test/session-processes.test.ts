import { randomBytes } from 'node:crypto'
import { type AddressInfo, connect as connectTcp } from 'node:net'
import { fileURLToPath } from 'node:url'
import { SessionCache } from '@x/session-cache'
import { connect, type ConnectOptions, listen, type SecureServer } from '@x/socket'
import { TestCa } from '@x-testing/test-ca'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SharedTicketKeys } from '../../../examples/redis-sessions/ticket-keys.ts'
import { peer, type RunningPeer, startServer, TemporaryFolder } from '../src/index.ts'

const redis = peer('redis-server')
const ca = new TestCa()
const identity = ca.server('localhost')
const folder = new TemporaryFolder({ 'cert.pem': identity.cert, 'key.pem': identity.key })
afterAll(() => folder.dispose())
const secret = randomBytes(32)

/** One connection: which process has answered, and whether it has resumed. */
async function visit(port: number, options: Partial<ConnectOptions>): Promise<string> {
  const socket = await connect({ host: 'localhost', port, ca: ca.ca, sessionKey: 'service', ...options })
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  return `${text.trim()} (${socket.sessionReused ? 'resumed' : 'new'})`
}

interface Service extends AsyncDisposable {
  readonly pid: number
  readonly tickets: number
  readonly ids: number
}

describe.skipIf(redis === undefined)('several processes of one service', () => {
  let server: RunningPeer
  const program = folder.file('service.mjs')
  beforeAll(async () => {
    const arguments_ = (port: number): string[] => ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '']
    server = await startServer(redis as string, (port) => [...arguments_(port), '--dir', folder.path])
    await build({
      configFile: false,
      logLevel: 'error',
      ssr: { noExternal: true, resolve: { conditions: ['@x/source'] } },
      build: {
        ssr: fileURLToPath(new URL('../../../examples/redis-sessions/service.ts', import.meta.url)),
        target: 'node20',
        outDir: folder.path,
        emptyOutDir: false,
        rolldownOptions: { output: { entryFileNames: 'service.mjs' } },
      },
    })
  })
  afterAll(() => server.stop())

  async function start(): Promise<Service> {
    const env = {
      ...process.env,
      REDIS_URL: `redis://127.0.0.1:${server.port}`,
      SERVICE_SECRET: secret.toString('hex'),
      CERT_FILE: folder.file('cert.pem'),
      KEY_FILE: folder.file('key.pem'),
    }
    const running = await startServer(process.execPath, () => [program], { ready: /ids on \d+\n/, env })
    const [, tickets, ids] = (await running.printed(/tickets on (\d+), ids on (\d+)/)).map(Number) as [
      0,
      number,
      number,
    ]
    return {
      pid: running.process.pid as number,
      tickets,
      ids,
      [Symbol.asyncDispose]: () => running.stop(),
    }
  }

  it('let a client resume at another one, by tickets and by ids', { timeout: 60_000 }, async () => {
    await using one = await start()
    await using two = await start()
    expect(one.pid).not.toBe(two.pid)
    const ways = [
      ['tickets', 'TLSv1.3'],
      ['tickets', 'TLSv1.2'],
      ['ids', 'TLSv1.2'],
    ] as const
    for (const [way, version] of ways) {
      const sessionCache = new SessionCache()
      const options = { sessionCache, minVersion: version, maxVersion: version }
      expect(await visit(one[way], options)).toBe(`process ${one.pid}, new (new)`)
      expect(await visit(two[way], options)).toBe(`process ${two.pid}, resumed (resumed)`)
      expect(await visit(one[way], options)).toBe(`process ${one.pid}, resumed (resumed)`)
    }
  })

  it('keep in Redis what is of no use by itself', { timeout: 60_000 }, async () => {
    await using one = await start()
    await using two = await start()
    const limits = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const
    const sharing = { sessionCache: new SessionCache(), ...limits }
    expect(await visit(one.ids, sharing)).toContain('new')
    const names = (await ask(server.port, 'KEYS *')).match(/^[a-z-]+:.*$/gm) ?? []
    expect(names.filter((name) => name.startsWith('ticket-key:'))).toHaveLength(3)
    const sessions = names.filter((name) => name.startsWith('server-session:'))
    expect(sessions.length).toBeGreaterThan(0)
    for (const name of sessions) {
      const sealed = /^\$\d+\r\n(.+)\r$/m.exec(await ask(server.port, `LINDEX ${name.trim()} 0`))?.[1]
      const bytes = Buffer.from(sealed ?? '', 'base64')
      expect(bytes.length).toBeGreaterThan(48) // a TLS 1.2 master secret is among what is sealed
      expect(bytes.includes('localhost')).toBe(false)
    }
    // what is altered or gone costs a full handshake and no more
    for (const name of sessions) await ask(server.port, `LSET ${name.trim()} 0 ${randomBytes(300).toString('base64')}`)
    expect(await visit(two.ids, sharing)).toBe(`process ${two.pid}, new (new)`)
    await ask(server.port, 'FLUSHALL')
    expect(await visit(one.ids, sharing)).toBe(`process ${one.pid}, new (new)`)
  })
})

describe('ticket keys that change', () => {
  const kept = new Map<string, string>()
  const numbers = {
    get: async (place: string) => kept.get(place) ?? null,
    set: async (place: string, value: string) => kept.set(place, kept.get(place) ?? value),
  } as unknown as ConstructorParameters<typeof SharedTicketKeys>[0]['redis']
  const day = 86_400_000

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'open the tickets of their time and of the next, in every process (%s)',
    async (version) => {
      const clock = { now: Date.now() }
      const options = { redis: numbers, secret, period: day, now: () => clock.now }
      const keys = [new SharedTicketKeys(options), new SharedTicketKeys(options)]
      const refresh = (): Promise<unknown> => Promise.all(keys.map((one) => one.refresh()))
      await refresh()
      const servers: SecureServer[] = []
      for (const { find } of keys) {
        const { cert, key } = identity
        const made = await listen({ host: '127.0.0.1', port: 0, cert, key, ticketKeys: find })
        servers.push(made.on('connection', (socket) => void socket.on('error', () => undefined).end('hi')))
      }
      const ports = servers.map((made) => (made.address() as AddressInfo).port) as [number, number]
      const sessionCache = new SessionCache()
      const options_ = { sessionCache, minVersion: version, maxVersion: version }
      expect(await visit(ports[0], options_)).toContain('(new)')
      clock.now += day
      await refresh()
      const before = sessionCache.size
      expect(await visit(ports[1], options_)).toContain('(resumed)')
      // opened with the last key, renewed with this one
      expect(sessionCache.size).toBeGreaterThanOrEqual(before)
      clock.now += day
      await refresh()
      expect(await visit(ports[0], options_)).toContain('(resumed)')
      clock.now += 2 * day
      await refresh()
      expect(await visit(ports[1], options_)).toContain('(new)')
      for (const made of servers) await made[Symbol.asyncDispose]()
    },
  )
})

/** The answer to an inline command of Redis, as it comes. */
async function ask(port: number, command: string): Promise<string> {
  const socket = connectTcp(port, '127.0.0.1')
  socket.write(`${command}\r\nQUIT\r\n`)
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  return text
}
