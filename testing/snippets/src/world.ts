// What the snippets of README.md and docs/ take for granted, so that they can run as they stand, without a network: every host is this
// process, well-known ports lead to servers of these kinds, and the machine trusts their CA (SSL_CERT_FILE, NODE_EXTRA_CA_CERTS).
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer as createHttps } from 'node:https'
import { type AddressInfo, connect as connectTcp, Server, Socket } from 'node:net'
import { connect as connectTls, createServer as createTls } from 'node:tls'
import { createCrl } from '@x/crl'
import { listen, type SecureSocket } from '@x/socket'
import { createCertificate, parsePrivateKey } from '@x/utils'

const issuer = {
  certificate: readFileSync(process.env['SSL_CERT_FILE'] as string, 'utf8'),
  privateKey: parsePrivateKey(readFileSync(process.env['WORLD_CA_KEY'] as string, 'utf8')),
}
const names = ['example.org', '*.example.org', 'localhost']
const identity = createCertificate({
  issuer,
  subject: { commonName: 'example.org' },
  subjectAltNames: names.map((name) => ['DNS', name] as const),
})
const { cert, key } = identity

writeFileSync('ca.pem', issuer.certificate)
writeFileSync('server-cert.pem', cert)
writeFileSync('server-key.pem', key)
writeFileSync('crl.pem', createCrl({ issuer }).toPem())

/** Where the ports that a snippet names are in truth. */
const ports = new Map<number, number>()
const { connect } = Socket.prototype
const listenAs = Server.prototype.listen as (this: Server, ...args: unknown[]) => Server

async function open(server: Server, ...known: readonly number[]): Promise<void> {
  listenAs.call(server, 0, '127.0.0.1')
  await once(server, 'listening')
  for (const port of known) ports.set(port, (server.address() as AddressInfo).port)
  server.unref()
}

await open(
  createHttps({ cert, key }, (_request, response) => response.end('hello\n')),
  443,
)
await open(
  createTls({ cert, key }, (socket) => socket.on('error', () => undefined).end('hello\n')),
  636,
  993,
)

/** A mail server: a greeting, EHLO, STARTTLS, TLS. A file server: TLS on and off, as often as the client likes. */
async function mail(socket: SecureSocket): Promise<void> {
  socket.write('220 mail.example.org ESMTP\r\n')
  for await (const line of socket.lines())
    if (String(line).startsWith('EHLO')) socket.write('250-mail.example.org\r\n250 STARTTLS\r\n')
    else break
  socket.write('220 go ahead\r\n')
  await socket.startTls()
}
async function files(socket: SecureSocket): Promise<void> {
  for (;;) {
    await socket.startTls()
    await once(socket.resume(), 'peerShutdown')
    await socket.stopTls()
  }
}
for (const [talk, known] of [
  [mail, [25, 587]],
  [files, [21]],
] as const) {
  const server = await listen({ host: '127.0.0.1', port: 0, cert, key, startHandshake: false, stoppable: true })
  server.on('connection', (socket) => void talk(socket).catch(() => socket.destroy()))
  for (const port of known) ports.set(port, (server.address() as AddressInfo).port)
  server.unref()
}

Socket.prototype.connect = function (this: Socket, ...args: never[]): Socket {
  const [first, ...rest]: readonly unknown[] = args
  const options = (
    Array.isArray(first) ? first[0] : typeof first === 'object' ? first : { port: first, host: rest[0] }
  ) as {
    port: number | string
    host?: string
    lookup?: unknown
  }
  options.port = ports.get(Number(options.port)) ?? options.port
  options.lookup = (_host: string, { all }: { all?: boolean }, done: (...answer: unknown[]) => void) =>
    all === true ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4)
  return connect.apply(this, (typeof first === 'object' ? args : [options]) as unknown as Parameters<typeof connect>)
}

/** A server that a snippet starts gets a client; once that one is served, the snippet has shown what it should. */
Server.prototype.listen = function (this: Server, options: { port: number }, ...rest: unknown[]): Server {
  this.once('listening', () => {
    const { port } = this.address() as AddressInfo
    connectTls({ port, servername: 'www.example.org' }).once('data', () => process.exit(0))
  })
  return listenAs.call(this, { ...options, port: 0, host: '127.0.0.1' }, ...rest)
} as Server['listen']

const openConnection = connectTcp(21, 'ftp.example.org')
await once(openConnection, 'connect')

Object.assign(globalThis, {
  host: 'www.example.org',
  port: 443,
  fingerprint: `sha256$${identity.certificate.fingerprint256}`,
  serve: (socket: SecureSocket) => socket.end('welcome\n'),
  openConnection,
})
