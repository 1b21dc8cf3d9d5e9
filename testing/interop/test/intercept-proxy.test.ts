import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect as connectH2 } from 'node:http2'
import { request } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { createAuthority, createCertificate, type IssuedIdentity } from '@x/utils'
import { describe, expect, it } from 'vitest'
import { hasChromium, peer, perlHas, run, startChromium, startServer, TemporaryFolder } from '../src/index.ts'
import { World } from './intercept-world.ts'

const DAY = 86_400_000

/** The socket that a CONNECT to `host` gives. */
async function tunnelTo(world: World, host: string, port = 443): Promise<Socket> {
  const connecting = request({ host: '127.0.0.1', port: world.port, method: 'CONNECT', path: `${host}:${port}` })
  connecting.end()
  const [answer, socket, head] = (await once(connecting, 'connect')) as [{ statusCode: number }, Socket, Buffer]
  if (answer.statusCode !== 200) throw new Error(`the proxy said ${answer.statusCode}`)
  if (head.length > 0) socket.unshift(head)
  return socket
}

async function secureTo(world: World, host: string, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connectTls({
    socket: await tunnelTo(world, host),
    servername: host,
    ca: world.proxyCa.cert,
    ...options,
  })
  await once(socket, 'secureConnect')
  return socket
}

async function get(socket: TLSSocket, host: string, path = '/'): Promise<string> {
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  return text
}

describe('through the proxy', () => {
  it('HTTP/1.1 and HTTP/2 pass as the origin chose, under the clone', async () => {
    await using world = await new World().start()
    await world.origin(['www.example.org', 'www.example.net'])
    const first = await secureTo(world, 'www.example.org', { ALPNProtocols: ['http/1.1'] })
    expect(first.alpnProtocol).toBe('http/1.1')
    expect(first.getPeerX509Certificate()?.checkIssued(world.proxyCa.certificate)).toBe(true)
    expect(await get(first, 'www.example.org')).toMatch(/hello www\.example\.org 1\.1/)

    const second = await secureTo(world, 'www.example.net', { ALPNProtocols: ['h2', 'http/1.1'] })
    expect(second.alpnProtocol).toBe('h2')
    const session = connectH2('https://www.example.net', { createConnection: () => second })
    const answers = await Promise.all(
      ['/a', '/b', '/c'].map(async (path) => {
        const stream = session.request({ ':path': path })
        let text = ''
        for await (const chunk of stream) text += String(chunk)
        return text
      }),
    )
    expect(answers).toEqual(Array.from({ length: 3 }, () => 'hello www.example.net:443 2.0'))
    session.close()
    await once(session, 'close')
    await expect.poll(() => world.log.filter((line) => line.includes('bytes up')).length, { timeout: 15_000 }).toBe(2)
    expect(world.log).toContain('www.example.org: GET / -> 200')
    for (const stream of [1, 3, 5]) expect(world.log).toContain(`www.example.net: h2 stream ${stream}`)
  })

  it('a client without ALPN gets none, and one without SNI is served by the host it asked for', async () => {
    await using world = await new World().start()
    await world.origin('www.example.org')
    const bare = await secureTo(world, 'www.example.org')
    expect(bare.alpnProtocol).toBe(false)
    expect(await get(bare, 'www.example.org')).toMatch(/hello/)
    const nameless = await secureTo(world, 'www.example.org', { servername: '', checkServerIdentity: () => undefined })
    expect(nameless.getPeerX509Certificate()?.checkHost('www.example.org')).toBe('www.example.org')
    nameless.destroy()
  })

  it('10 MB arrive whole in both directions, though one side is slow', async () => {
    await using world = await new World().start()
    const data = randomBytes(10_000_000)
    const digest = createHash('sha256').update(data).digest('hex')
    await world.origin('www.example.org', (incoming, response) => {
      const hash = createHash('sha256')
      incoming.on('data', (chunk: Buffer) => {
        hash.update(chunk)
        incoming.pause()
        setImmediate(() => incoming.resume())
      })
      incoming.on('end', () => response.setHeader('x-digest', hash.digest('hex')).end(data))
    })
    const socket = await secureTo(world, 'www.example.org')
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${data.length}\r\n\r\n`)
    socket.write(data)
    const parts: Buffer[] = []
    for await (const chunk of socket) parts.push(chunk as Buffer)
    const answer = Buffer.concat(parts)
    const body = answer.subarray(answer.indexOf('\r\n\r\n') + 4)
    expect(answer.subarray(0, 400).toString('latin1')).toContain(digest)
    expect(body.length).toBe(data.length)
    expect(createHash('sha256').update(body).digest('hex')).toBe(digest)
    expect(world.log).toContain('www.example.org: POST / -> 200')
  })

  it('websockets pass', async () => {
    await using world = await new World().start()
    const server = await world.origin('ws.example.org')
    server.on('upgrade', (_request, socket: Socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
      socket.pipe(socket)
    })
    const socket = await secureTo(world, 'ws.example.org', { ALPNProtocols: ['http/1.1'] })
    socket.write('GET /chat HTTP/1.1\r\nHost: ws.example.org\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    await once(socket, 'data')
    const frame = Buffer.from('818548454c4c4f', 'hex')
    socket.write(frame)
    const [echo] = (await once(socket, 'data')) as [Buffer]
    expect(echo).toEqual(frame)
    expect(world.log).toContain('ws.example.org: GET /chat -> 101 (switching protocols)')
    socket.destroy()
  })

  it('what is not TLS is tunnelled, and so are pinned hosts', async () => {
    await using world = await new World().start(['pinned.example.org', '*.bank.example'])
    await world.plain('mail.example.org', '220 mail.example.org\r\n')
    const plain = await tunnelTo(world, 'mail.example.org', 25)
    expect(String((await once(plain, 'data'))[0])).toBe('220 mail.example.org\r\n')
    plain.end('QUIT\r\n')
    expect(String((await once(plain, 'data'))[0])).toBe('QUIT\r\n')
    for (const host of ['pinned.example.org', 'www.bank.example']) {
      await world.origin(host)
      const socket = await secureTo(world, host, { ca: world.originCa.cert })
      expect(socket.getPeerX509Certificate()?.checkIssued(world.originCa.certificate)).toBe(true)
      socket.destroy()
    }
    await expect.poll(() => world.log.filter((line) => line.includes('tunnelled')).length, { timeout: 15_000 }).toBe(3)
  })

  it('HTTP without TLS passes', async () => {
    await using world = await new World().start()
    const port = await world.http((incoming, response) => response.end(`plain ${incoming.url}`))
    const asked = request({ port: world.port, host: '127.0.0.1', path: `http://127.0.0.1:${port}/path` }).end()
    const [response] = (await once(asked, 'response')) as [AsyncIterable<Buffer>]
    let text = ''
    for await (const chunk of response) text += String(chunk)
    expect(text).toBe('plain /path')
  })

  it('a host that cannot be reached is a 502', async () => {
    await using world = await new World().start()
    await expect(tunnelTo(world, 'nowhere.example.org', 1)).rejects.toThrow('502')
    await expect(tunnelTo(world, 'no/where', 1)).rejects.toThrow('400')
  })
})

describe('an origin that is not trusted is not hidden from the client', () => {
  const strangers: readonly [title: string, identity: (world: World) => IssuedIdentity, code: string][] = [
    [
      'expired',
      ({ originCa }) =>
        originCa.issue({ names: 'bad.example.org', notBefore: Date.now() - 2 * DAY, notAfter: Date.now() - DAY }),
      'CERT_HAS_EXPIRED',
    ],
    ['for another name', ({ originCa }) => originCa.issue('other.example.org'), 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['self-signed', () => ({ ...createAuthority('bad.example.org'), ...selfSigned() }), 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['of an unknown CA', () => createAuthority('Unknown').issue('bad.example.org'), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    [
      'for clients only',
      ({ originCa }) => originCa.issue({ names: 'bad.example.org', purpose: 'client' }),
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    ],
    [
      'of an unknown CA and for another name',
      () => createAuthority('Unknown').issue('other.example.org'),
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    ],
  ]
  it.each(strangers)('%s', async (_, identity, code) => {
    await using world = await new World().start()
    let asked = 0
    await world.origin('bad.example.org', (_request, response) => response.end(`${++asked}`), identity(world))
    await expect(secureTo(world, 'bad.example.org')).rejects.toMatchObject({ code })
    // A client that looks away is not let through either.
    const careless = await secureTo(world, 'bad.example.org', { rejectUnauthorized: false })
    expect(await get(careless, 'bad.example.org')).toMatch(/^HTTP\/1\.1 502 /)
    expect(asked).toBe(0)
    expect(world.log.join('\n')).toContain('the origin is not trusted')
  })
})

function selfSigned(): ReturnType<typeof createCertificate> {
  return createCertificate({ subjectAltNames: [['DNS', 'bad.example.org']] })
}

describe('clients of all kinds', () => {
  const curl = peer('curl')
  const python = peer('python3')

  it.skipIf(curl === undefined)('curl, from nothing, by the two commands of the README', async () => {
    await using world = new World()
    const server = await world.origin('127.0.0.1')
    const { port: originPort } = server.address() as { port: number }
    using folder = new TemporaryFolder({ 'origin-ca.pem': world.originCa.cert })
    const start = new URL('../../../examples/mitm-proxy/start.mjs', import.meta.url).pathname
    await using proxy = await startServer(
      process.execPath,
      (port) => [start, '--port', `${port}`, '--folder', folder.file('ca'), '--ca', folder.file('origin-ca.pem')],
      { ready: /Listening on/ },
    )
    const url = `https://127.0.0.1:${originPort}/`
    const proxied = ['-sS', '--proxy', `http://127.0.0.1:${proxy.port}`]
    const trusted = await run(curl as string, [...proxied, '--cacert', `${folder.file('ca')}/ca.pem`, url])
    expect(trusted).toMatchObject({ code: 0, stdout: `hello 127.0.0.1:${originPort} 2.0` })
    const untold = await run(curl as string, [...proxied, url])
    expect(untold.code).toBe(60)
    const { stdout } = await run('stat', ['-c', '%a', `${folder.file('ca')}/ca.key`])
    expect(stdout.trim()).toBe('600')
  })

  it.skipIf(python === undefined)('Python, strictly', async () => {
    await using world = await new World().start()
    await world.origin('www.example.org')
    using folder = new TemporaryFolder({ 'ca.pem': world.proxyCa.cert })
    const program = `
import ssl, urllib.request, sys
context = ssl.create_default_context(cafile=sys.argv[1])
context.verify_flags |= ssl.VERIFY_X509_STRICT
opener = urllib.request.build_opener(urllib.request.ProxyHandler({'https': sys.argv[2]}), urllib.request.HTTPSHandler(context=context))
print(opener.open('https://www.example.org/').read().decode())`
    const finished = await run(python as string, ['-c', program, folder.file('ca.pem'), world.url])
    expect(finished).toMatchObject({ code: 0, stdout: 'hello www.example.org 1.1\n' })
  })

  it.skipIf(!perlHas('IO::Socket::SSL'))('the original', async () => {
    await using world = await new World().start()
    await world.origin('www.example.org')
    using folder = new TemporaryFolder({ 'ca.pem': world.proxyCa.cert })
    const program = `
use strict; use IO::Socket::INET; use IO::Socket::SSL;
my ($port, $ca) = @ARGV;
my $socket = IO::Socket::INET->new("127.0.0.1:$port") or die;
print $socket "CONNECT www.example.org:443 HTTP/1.1\\r\\n\\r\\n";
my $answer = ''; sysread($socket, $answer, 1, length $answer) while $answer !~ /\\r\\n\\r\\n$/;
IO::Socket::SSL->start_SSL($socket, SSL_ca_file => $ca, SSL_hostname => 'www.example.org',
  SSL_verifycn_name => 'www.example.org', SSL_verifycn_scheme => 'http', SSL_verify_mode => SSL_VERIFY_PEER) or die $SSL_ERROR;
print $socket "GET / HTTP/1.0\\r\\nHost: www.example.org\\r\\n\\r\\n";
local $/; print <$socket>;`
    const finished = await run('perl', ['-e', program, `${world.port}`, folder.file('ca.pem')])
    expect(finished.stderr).toBe('')
    expect(finished.stdout).toContain('hello www.example.org')
  })

  it('Node’s fetch', async () => {
    const { fetch, ProxyAgent } = await import('undici')
    await using world = await new World().start()
    await world.origin(['www.example.org', 'api.example.org'])
    const dispatcher = new ProxyAgent({ uri: world.url, requestTls: { ca: world.proxyCa.cert } })
    const answers = await Promise.all(
      ['www', 'api', 'www'].map(async (host) => (await fetch(`https://${host}.example.org/`, { dispatcher })).text()),
    )
    expect(answers).toEqual(['hello www.example.org 1.1', 'hello api.example.org 1.1', 'hello www.example.org 1.1'])
    await dispatcher.close()
  })

  it.skipIf(!hasChromium)(
    'Chromium, a page with parts from three origins',
    async () => {
      await using world = await new World().start()
      using folder = new TemporaryFolder()
      const cors = { 'access-control-allow-origin': '*' }
      let report: (text: string) => void = () => undefined
      const reported = new Promise<string>((resolve) => (report = resolve))
      await world.origin('www.example.org', (incoming, response) => {
        if (incoming.url?.startsWith('/report?')) report(decodeURIComponent(incoming.url.slice(8)))
        response
          .writeHead(200, { 'content-type': 'text/html' })
          .end(`<link rel="stylesheet" href="https://style.example.net/a.css">
          <script src="https://script.example.com/a.js"></script>
          <script>addEventListener('load', () => fetch('/report?' + encodeURIComponent([window.ran, getComputedStyle(document.body).color,
            performance.getEntriesByType('navigation')[0].nextHopProtocol])))</script>`)
      })
      await world.origin('style.example.net', (_incoming, response) => {
        response.writeHead(200, { ...cors, 'content-type': 'text/css' }).end('body { color: rgb(1, 2, 3) }')
      })
      await world.origin('script.example.com', (_incoming, response) => {
        response.writeHead(200, { ...cors, 'content-type': 'text/javascript' }).end('window.ran = "ran"')
      })
      await using browser = await startChromium(
        folder,
        'https://www.example.org/',
        [world.proxyCa.cert],
        `--proxy-server=${world.url}`,
      )
      // Before the test's own limit, so that the browser is stopped in every case.
      const late = sleep(45_000, 'Chromium said nothing', { ref: false })
      const ended = browser.printed(/(?!)/).then(
        () => 'Chromium ended',
        (error: unknown) => String(error),
      )
      const seen = await Promise.race([reported, ended, late])
      await browser.stop()
      expect(seen).toBe('ran,rgb(1, 2, 3),h2')
      for (const host of ['www.example.org', 'style.example.net', 'script.example.com'])
        expect(world.log.some((line) => line.startsWith(`${host}: h2 stream`))).toBe(true)
    },
    60_000,
  )

  it('200 at once, to 50 hosts', async () => {
    await using world = await new World().start()
    const hosts = Array.from({ length: 50 }, (_, i) => `host-${i}.example.org`)
    for (const host of hosts) await world.origin(host)
    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, i) => {
        const host = hosts[i % 50] as string
        return get(await secureTo(world, host, { ALPNProtocols: ['http/1.1'] }), host)
      }),
    )
    for (const [i, answer] of answers.entries()) expect(answer).toContain(`hello ${hosts[i % 50]} 1.1`)
    expect(world.log.filter((line) => line.endsWith('GET / -> 200')).length).toBe(200)
  })
})
