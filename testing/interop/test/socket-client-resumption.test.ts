import { once } from 'node:events'
import { SessionCache } from '@x/session-cache'
import { connect } from '@x/socket'
import { createAuthority } from '@x/utils'
import { afterAll, describe, expect, it } from 'vitest'
import { peer, type RunningPeer, startServer, TemporaryFolder } from '../src/index.ts'

/* Our client resumes at other programs' servers, by ticket and by session id, and is told the same of the peer as by the full handshake. */

const authority = createAuthority('interop CA')
const identity = authority.issue({ names: ['localhost', 'www.example.org'], privateKey: { type: 'ec' } })
const folder = new TemporaryFolder({ 'cert.pem': identity.cert, 'key.pem': identity.key })
afterAll(() => folder.dispose())
const [cert, key] = [folder.file('cert.pem'), folder.file('key.pem')]

const openssl = peer('openssl')
const gnutls = peer('gnutls-serv')
const nginx = peer('nginx')

type Version = 'TLSv1.2' | 'TLSv1.3'

function startOpenssl(version: Version, ...more: readonly string[]): Promise<RunningPeer> {
  const limit = version === 'TLSv1.2' ? '-tls1_2' : '-tls1_3'
  const args = (port: number) => ['-accept', `127.0.0.1:${port}`, '-cert', cert, '-key', key, limit, '-rev', ...more]
  return startServer(openssl ?? '', (port) => ['s_server', ...args(port)], { ready: /ACCEPT/ })
}

function startGnutls(version: Version, ...more: readonly string[]): Promise<RunningPeer> {
  const files = ['--x509certfile', cert, '--x509keyfile', key, '--disable-client-cert']
  const limit = ['--priority', `NORMAL:-VERS-ALL:+VERS-TLS${version.slice(4)}`]
  return startServer(gnutls ?? '', (port) => ['--port', String(port), '--echo', ...files, ...limit, ...more])
}

function startNginx(version: Version, tickets: 'on' | 'off'): Promise<RunningPeer> {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder.path};`,
  )
  const text = (port: number): string => `daemon off; master_process off; worker_processes 1;
    pid ${folder.file(`${port}.pid`)}; error_log stderr notice; events { worker_connections 64; }
    http { access_log off; ${temporary.join(' ')} server { listen 127.0.0.1:${port} ssl; ssl_protocols ${version};
      ssl_session_tickets ${tickets}; ssl_session_cache shared:all:1m; ssl_certificate ${cert}; ssl_certificate_key ${key};
      location / { return 200 "hello from nginx\\n"; } } }`
  return startServer(nginx ?? '', (port) => [
    '-e',
    'stderr',
    '-p',
    folder.path,
    '-c',
    folder.write(`${port}.conf`, text(port)),
  ])
}

interface Case {
  readonly name: string
  readonly program: string | undefined
  readonly version: Version
  readonly start: () => Promise<RunningPeer>
}

const versions = ['TLSv1.2', 'TLSv1.3'] as const
const cases: readonly Case[] = [
  ...versions.flatMap((version): Case[] => [
    { name: 'openssl s_server, tickets', program: openssl, version, start: () => startOpenssl(version) },
    { name: 'openssl s_server, ids', program: openssl, version, start: () => startOpenssl(version, '-no_ticket') },
    { name: 'gnutls-serv, tickets', program: gnutls, version, start: () => startGnutls(version) },
    { name: 'nginx, tickets', program: nginx, version, start: () => startNginx(version, 'on') },
    { name: 'nginx, ids', program: nginx, version, start: () => startNginx(version, 'off') },
  ]),
  {
    name: 'gnutls-serv, ids',
    program: gnutls,
    version: 'TLSv1.2',
    start: () => startGnutls('TLSv1.2', '--noticket'),
  },
]

const request = 'GET / HTTP/1.0\r\n\r\n'

describe.each(cases.filter(({ program }) => program !== undefined))('$name, $version', ({ version, start }) => {
  it('resumes, and trusts the same certificate by the same checks', async () => {
    await using server = await start()
    const sessionCache = new SessionCache<never>()
    const options = { host: '127.0.0.1', servername: 'localhost', port: server.port, ca: authority.ca, sessionCache }
    const visit = async (): Promise<boolean> => {
      const socket = await connect(options)
      expect(socket.getProtocol()).toBe(version)
      expect(socket.peerCertificate('subject')).toBe(identity.certificate.subject)
      expect(socket.verification?.outcomes.name).toMatchObject({ result: 'passed', evidence: { host: 'localhost' } })
      expect(socket.verification?.resumed).toBe(socket.sessionReused)
      socket.write(request)
      await once(socket, 'data')
      // an OpenSSL that keeps sessions forgets those of connections that were not ended properly
      socket.resume().end()
      await once(socket, 'close')
      return socket.sessionReused
    }
    expect(await visit()).toBe(false)
    const reused: boolean[] = []
    for (let i = 0; i < 10; i++) reused.push(await visit())
    expect(reused.filter(Boolean).length).toBeGreaterThanOrEqual(9)
    // what was earned as localhost is nothing as another name, though the certificate has it too
    const other = await connect({ ...options, servername: 'www.example.org' })
    expect(other.sessionReused).toBe(false)
    other.destroy()
    await expect(connect({ ...options, servername: 'elsewhere.example' })).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    })
  })
})
