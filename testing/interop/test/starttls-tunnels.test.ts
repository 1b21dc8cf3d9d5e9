import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http'
import { type AddressInfo, connect as connectTcp, createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { connect, type ConnectOptions, listen, type SecureSocket, startTls } from '@x/socket'
import { httpConnect, imap, pop3, postgres, smtp, type StartTls } from '@x/starttls'
import { TestCa } from '@x-testing/test-ca'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type DaemonSetup, daemonSetup, startStunnel, startTinyproxy } from '../src/daemons/index.ts'
import { peer, peerOfFull, run, type RunningPeer, startServer } from '../src/index.ts'

/*
 * Tunnels of other people: stunnel as the TLS front of a plain server, after a dialogue or from the first byte, HTTP proxies, and
 * TLS in TLS through them.
 */

const ca = new TestCa()
const setup: DaemonSetup = daemonSetup(ca.server('proxy.example'))
afterAll(() => setup.folder.dispose())
const identity = ca.server('localhost')
const open: { destroy(): unknown }[] = []
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy()
})

const stunnel = peer('stunnel4')
const openssl = peer('openssl')
const curl = peer('curl')

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

async function reach(options: ConnectOptions): Promise<SecureSocket> {
  const socket = await connect({ ca: ca.ca, ...options })
  open.push(socket.on('error', () => undefined))
  return socket
}

/** Collects what comes until it matches. */
async function answer(stream: Duplex, pattern: RegExp): Promise<string> {
  let text = ''
  for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    text += chunk.toString('latin1')
    if (pattern.test(text)) break
  }
  return text
}

describe.skipIf(stunnel === undefined)('stunnel, which holds the dialogue for a plain server', () => {
  it.each<readonly [string, StartTls, string]>([
    ['smtp', smtp, '220 mail.example.org ESMTP\r\n'],
    ['pop3', pop3, '+OK ready\r\n'],
    ['imap', imap, '* OK ready\r\n'],
    ['pgsql', postgres, ''],
  ])('%s', async (protocol, starttls, greeting) => {
    const backend = createServer((socket) => {
      socket.write(greeting)
      socket
        .on('error', () => undefined)
        .on('data', (data: Buffer) => socket.write(`you said ${data.toString('latin1')}`))
    })
    await using running = await startStunnel(stunnel as string, setup, await portOf(backend), protocol)
    const where = { host: '127.0.0.1', port: running.port, starttls }
    const secure = await reach({ ...where, verify: { name: 'proxy.example' } })
    secure.write('hello')
    expect(await answer(secure, /you said hello/)).toContain('you said hello')
    secure.destroy()
    await expect(reach({ ...where, verify: { name: 'other.example' } })).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    })
    backend.close()
  })
})

/** A CONNECT proxy of node:http. */
function httpProxy(): HttpServer {
  const proxy = createHttpServer()
  proxy.on('connect', (request, client: Socket) => {
    const [host, port] = (request.url ?? '').split(':')
    const upstream = connectTcp(Number(port), host)
    upstream.once('connect', () => {
      client.write('HTTP/1.1 200 Connection established\r\nProxy-Agent: test\r\n\r\n')
      upstream.pipe(client).pipe(upstream)
    })
    upstream.once('error', () => client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'))
    client.on('error', () => upstream.destroy())
  })
  return proxy
}

/** `httpConnect` to a port of this machine, whatever name is to be proven there. */
const to =
  (port: number): NonNullable<ConnectOptions['starttls']> =>
  (stream, options) =>
    httpConnect(stream, { ...options, name: `127.0.0.1:${port}` })

describe.skipIf(openssl === undefined)('a tunnel through an HTTP proxy', () => {
  let server: RunningPeer
  beforeAll(async () => {
    const files = daemonSetup(identity)
    const args = ['-cert', files.tls?.cert ?? '', '-key', files.tls?.key ?? '', '-rev']
    server = await startServer(openssl as string, (port) => ['s_server', '-accept', `127.0.0.1:${port}`, ...args], {
      ready: /ACCEPT/,
    })
    files.folder.dispose()
  })
  afterAll(() => server?.stop())

  async function show(port: number, refused: RegExp): Promise<void> {
    const where = { host: 'localhost', port }
    const secure = await reach({ ...where, starttls: to(server.port) })
    secure.write('hello\n')
    expect(await answer(secure, /olleh/)).toContain('olleh')
    secure.destroy()
    const wrong = { ...where, starttls: to(server.port), verify: { name: 'other.example' } }
    await expect(reach(wrong)).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
    await expect(reach({ ...where, starttls: to(1) })).rejects.toMatchObject({
      code: 'ERR_STARTTLS_REFUSED',
      phase: 'starttls',
      reply: expect.stringMatching(refused) as string,
    })
  }

  it('of node:http leads to openssl s_server', async () => {
    const proxy = httpProxy()
    await show(await portOf(proxy), /^HTTP\/1\.1 502 Bad Gateway$/)
    proxy.closeAllConnections()
    proxy.close()
  })

  const tinyproxy = peerOfFull('tinyproxy')
  it.skipIf(tinyproxy === undefined)('of tinyproxy leads to openssl s_server', async () => {
    await using proxy = await startTinyproxy(tinyproxy as string, setup, [server.port])
    await show(proxy.port, /^HTTP\/1\.\d 403 /)
  })
})

describe.skipIf(stunnel === undefined)('TLS in TLS, with stunnel as the outer end', () => {
  const bytes = Buffer.alloc(4_000_000)
  for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32BE(at, at)
  const digest = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex')

  /** A server of node:tls behind stunnel: what it accepts, and where both are. */
  interface Front extends AsyncDisposable {
    readonly running: RunningPeer
    readonly accepted: () => Promise<TLSSocket>
    readonly raw: Set<Socket>
  }

  async function front(): Promise<Front> {
    const inner = createTlsServer({ cert: identity.cert, key: identity.key, allowHalfOpen: true })
    const raw = new Set<Socket>()
    inner.on('connection', (socket: Socket) => void raw.add(socket.on('error', () => undefined)))
    inner.on('tlsClientError', () => undefined)
    const running = await startStunnel(stunnel as string, setup, await portOf(inner))
    return {
      running,
      raw,
      accepted: async () => {
        const [socket] = (await once(inner, 'secureConnection')) as [TLSSocket]
        return socket.on('error', () => undefined)
      },
      async [Symbol.asyncDispose]() {
        for (const socket of raw) socket.destroy()
        inner.close()
        await running.stop()
      },
    }
  }

  const outerOptions = (port: number): ConnectOptions => ({
    host: '127.0.0.1',
    port,
    verify: { name: 'proxy.example' },
  })

  async function both({ running, accepted }: Front, outerMore: object, innerMore: object) {
    const outer = await reach({ ...outerOptions(running.port), ...outerMore })
    const accepting = accepted()
    const inner = await startTls(outer, { host: 'localhost', ca: ca.ca, ...innerMore })
    open.push(inner.on('error', () => undefined))
    return { outer, inner, server: await accepting }
  }

  const engines = [
    ['native in stunnel, ', {}],
    ['record in stunnel, ', { stoppable: true }],
  ] as const
  const versions = ['TLSv1.2', 'TLSv1.3'] as const

  it.each(engines.flatMap(([what, more]) => versions.map((version) => [what + version, more, version] as const)))(
    '%s: megabytes both ways, and a clean end from either side',
    async (_what, more, version) => {
      const limits = { minVersion: version, maxVersion: version }
      await using fronted = await front()
      for (const first of ['client', 'server'] as const) {
        const { inner, server } = await both(fronted, { ...more, ...limits }, limits)
        expect(inner.verification?.outcomes.name).toMatchObject({ evidence: { host: 'localhost' } })
        expect(inner.getProtocol()).toBe(version)
        const received: Buffer[] = []
        let length = 0
        const uploaded = new Promise<void>((resolve) => {
          server.on('data', (chunk: Buffer) => {
            received.push(chunk)
            length += chunk.length
            if (length === bytes.length) resolve()
          })
        })
        inner.write(bytes)
        server.write(bytes)
        expect(digest(await inner.readBytes(bytes.length))).toBe(digest(bytes))
        await uploaded
        expect(digest(Buffer.concat(received))).toBe(digest(bytes))
        // without close_notify it would be ERR_SECURE_SOCKET_TRUNCATED for us
        const ended = first === 'client' ? once(server, 'end') : once(inner.resume(), 'end')
        if (first === 'client') inner.end()
        else server.end()
        await ended
        inner.destroy()
        server.destroy()
      }
    },
  )

  it('tells where the inner connection is cut off, though the outer one ends as it should', async () => {
    await using fronted = await front()
    const { inner, server } = await both(fronted, {}, {})
    server.write('half of it')
    expect(String(await inner.readBytes(10))).toBe('half of it')
    const failed = once(inner.resume(), 'error')
    for (const socket of fronted.raw) socket.destroy() // FIN, and no close_notify
    expect((await failed)[0]).toMatchObject({ code: 'ERR_SECURE_SOCKET_TRUNCATED' })
  })

  it('tells where stunnel dies', async () => {
    await using fronted = await front()
    const { inner, server } = await both(fronted, {}, {})
    server.write('half of it')
    expect(String(await inner.readBytes(10))).toBe('half of it')
    const failed = once(inner.resume(), 'error')
    fronted.running.process.kill('SIGKILL')
    expect((await failed)[0]).toMatchObject({
      code: expect.stringMatching(/^(?:ERR_SECURE_SOCKET_TRUNCATED|ECONNRESET)$/) as string,
    })
  })

  it('refuses either end for its name, and closes both', async () => {
    await using fronted = await front()
    const { port } = fronted.running
    const refusal = { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }
    const elsewhere = { ...outerOptions(port), verify: { name: 'localhost' } }
    await expect(reach(elsewhere)).rejects.toMatchObject(refusal)
    const outer = await reach(outerOptions(port))
    await expect(startTls(outer, { host: 'proxy.example', ca: ca.ca })).rejects.toMatchObject(refusal)
    expect(outer.destroyed).toBe(true)
  })

  const proxies: readonly (readonly [string, string | undefined])[] = [
    ['node:http', stunnel],
    ['tinyproxy', peerOfFull('tinyproxy')],
  ]
  it.each(proxies.filter(([, program]) => program !== undefined))(
    'an HTTP proxy behind it (%s) leads on to a TLS server',
    async (kind, program) => {
      const inner = createTlsServer({ cert: identity.cert, key: identity.key }, (socket) => {
        socket.on('error', () => undefined).pipe(socket)
      })
      const target = await portOf(inner)
      const own = kind === 'node:http' ? httpProxy() : undefined
      const theirs = own === undefined ? await startTinyproxy(program as string, setup, [target]) : undefined
      const proxyPort = own === undefined ? (theirs?.port ?? 0) : await portOf(own)
      await using running = await startStunnel(stunnel as string, setup, proxyPort)
      const outer = await reach(outerOptions(running.port))
      const secure = await reach({ socket: outer, host: 'localhost', starttls: to(target) })
      secure.write(bytes.subarray(0, 1_000_000))
      expect(digest(await secure.readBytes(1_000_000))).toBe(digest(bytes.subarray(0, 1_000_000)))
      secure.destroy()
      const again = await reach(outerOptions(running.port))
      await expect(reach({ socket: again, host: 'localhost', starttls: to(1) })).rejects.toMatchObject({
        code: 'ERR_STARTTLS_REFUSED',
      })
      expect(again.destroyed).toBe(true)
      await theirs?.stop()
      own?.closeAllConnections()
      own?.close()
      inner.close()
    },
  )
})

describe.skipIf(curl === undefined)('TLS in TLS, with curl as the client', () => {
  it('goes through our TLS proxy to our server', async () => {
    const origin = await listen({ host: '127.0.0.1', port: 0, cert: identity.cert, key: identity.key })
    const http = createHttpServer((_request, response) => response.end('a'.repeat(2_000_000)))
    origin.on('connection', (socket) => void http.emit('connection', socket))
    const { cert, key } = ca.server('proxy.example')
    const front = await listen({ host: '127.0.0.1', port: 0, cert, key })
    const proxy = httpProxy()
    front.on('connection', (socket) => void proxy.emit('connection', socket))
    const [originPort, frontPort] = [origin, front].map((server) => (server.address() as AddressInfo).port)
    const caFile = setup.folder.write('ca.pem', ca.ca)
    const fetched = await run(curl as string, [
      '-sS',
      '--cacert',
      caFile,
      '--proxy-cacert',
      caFile,
      '--resolve',
      `proxy.example:${frontPort}:127.0.0.1`,
      '--proxy',
      `https://proxy.example:${frontPort}`,
      `https://localhost:${originPort}/`,
    ])
    expect([fetched.code, fetched.stderr, fetched.stdout.length]).toEqual([0, '', 2_000_000])
    await Promise.all([origin.close(), front.close()])
  })
})
