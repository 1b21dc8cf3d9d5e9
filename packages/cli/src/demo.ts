import { once } from 'node:events'
import { type AddressInfo } from 'node:net'
import { type ConnectOptions, connect, listen, type SecureServer } from '@x/socket'
import { createAuthority, createCertificate, fingerprint, type IssuedIdentity } from '@x/utils'
import { checkServer } from './check.ts'
import type { Output } from './command.ts'
import { formatReport } from './report.ts'

const DAY = 86_400_000

interface Scene {
  readonly title: string
  readonly identity: Pick<IssuedIdentity, 'cert' | 'key' | 'certificate'>
  readonly name: string
  /** Whether the demo's CA is trusted in this scene. */
  readonly trusted: boolean
  readonly pinned?: boolean
  readonly accepted: boolean
}

/**
 * The main job on servers made here: one that is trusted, with data both ways, then each kind that must be refused and what a pin
 * accepts. Returns 0 only where every scene ended as it should.
 */
export async function demonstrate({ print, colours }: Output): Promise<number> {
  const ca = createAuthority('x-tls demo CA')
  const good = ca.issue(['www.example.org', '127.0.0.1'])
  const selfSigned = createCertificate({
    subject: { commonName: 'www.example.org' },
    subjectAltNames: [['DNS', 'www.example.org']],
    purpose: 'server',
  })
  const scenes: readonly Scene[] = [
    { title: 'A server that proves its name', identity: good, name: 'www.example.org', trusted: true, accepted: true },
    {
      title: 'Another name than the one asked for',
      identity: good,
      name: 'www.example.com',
      trusted: true,
      accepted: false,
    },
    {
      title: 'An expired certificate',
      identity: ca.issue({ names: 'www.example.org', notBefore: Date.now() - 30 * DAY, notAfter: Date.now() - DAY }),
      name: 'www.example.org',
      trusted: true,
      accepted: false,
    },
    { title: 'A CA that nobody here knows', identity: good, name: 'www.example.org', trusted: false, accepted: false },
    {
      title: 'A self-signed certificate',
      identity: selfSigned,
      name: 'www.example.org',
      trusted: true,
      accepted: false,
    },
    {
      title: 'A wildcard over a public suffix',
      identity: ca.issue('*.co.uk'),
      name: 'example.co.uk',
      trusted: true,
      accepted: false,
    },
    {
      title: 'The self-signed certificate again, pinned',
      identity: selfSigned,
      name: 'www.example.org',
      trusted: true,
      pinned: true,
      accepted: true,
    },
  ]
  let asExpected = true
  for (const scene of scenes) {
    const server = await echoServer(scene.identity)
    const { port } = server.address() as AddressInfo
    const options: ConnectOptions = {
      host: '127.0.0.1',
      port,
      servername: scene.name,
      ca: scene.trusted ? ca.ca : createAuthority('a stranger').ca,
      ...(scene.pinned ? { verify: { fingerprints: fingerprint(scene.identity.certificate) } } : {}),
    }
    const report = await checkServer(options)
    asExpected &&= report.verified === scene.accepted
    print(`${scene.title} (${scene.name}): ${scene.accepted ? 'to be accepted' : 'to be refused'}`)
    print(formatReport(report, colours))
    if (report.verified) print(`  data         ${await conversation(options)}`)
    print('')
    server.closeAllConnections()
    await server.close()
  }
  print(asExpected ? 'Every server was judged as it should be.' : 'A server was judged as it should not be.')
  return asExpected ? 0 : 1
}

async function echoServer(identity: Scene['identity']): Promise<SecureServer> {
  const server = await listen({ host: '127.0.0.1', port: 0, cert: identity.cert, key: identity.key })
  server.on('connection', (socket) => {
    socket.on('error', () => undefined)
    socket.pipe(socket)
  })
  server.on('tlsClientError', () => undefined) // clients that refuse us are what the demo is about
  return server
}

async function conversation(options: ConnectOptions): Promise<string> {
  const socket = await connect(options)
  socket.end('hello, TLS')
  let received = ''
  socket.setEncoding('utf8').on('data', (text: string) => {
    received += text
  })
  await once(socket, 'end')
  socket.destroy()
  return `sent 'hello, TLS', received '${received}' (${socket.bytesRead} bytes on the wire)`
}
