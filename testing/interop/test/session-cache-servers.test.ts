import { once } from 'node:events'
import { SessionCache } from '@x/session-cache'
import { connect, type PeerEvidence, sessionPeer } from '@x/session-cache/tls'
import { TestCa } from '@x-testing/test-ca'
import { afterAll, describe, expect, it } from 'vitest'
import { peer, startServer, TemporaryFolder } from '../src/index.ts'

const ca = new TestCa()
const identity = ca.server('localhost')
const folder = new TemporaryFolder({ 'cert.pem': identity.cert, 'key.pem': identity.key })
afterAll(() => folder.dispose())

const files = ['-cert', folder.file('cert.pem'), '-key', folder.file('key.pem')]
const gnutlsFiles = ['--x509certfile', folder.file('cert.pem'), '--x509keyfile', folder.file('key.pem')]
const openssl = peer('openssl')
const gnutls = peer('gnutls-serv')

/** Servers that send a new ticket on resumption: used once, tickets suffice for all connections but the first. */
describe.each([
  [
    'openssl s_server',
    openssl,
    'TLSv1.2',
    (port: number) => ['s_server', '-accept', `127.0.0.1:${port}`, ...files, '-tls1_2', '-rev'],
    /ACCEPT/,
  ],
  [
    'openssl s_server',
    openssl,
    'TLSv1.3',
    (port: number) => ['s_server', '-accept', `127.0.0.1:${port}`, ...files, '-tls1_3', '-rev'],
    /ACCEPT/,
  ],
  [
    'gnutls-serv',
    gnutls,
    'TLSv1.2',
    (port: number) => ['--echo', '-p', String(port), ...gnutlsFiles, '--priority', 'NORMAL:-VERS-ALL:+VERS-TLS1.2'],
    undefined,
  ],
  [
    'gnutls-serv',
    gnutls,
    'TLSv1.3',
    (port: number) => ['--echo', '-p', String(port), ...gnutlsFiles, '--priority', 'NORMAL:-VERS-ALL:+VERS-TLS1.3'],
    undefined,
  ],
] as const)('%s', (_name, program, version, args, ready) => {
  it.skipIf(program === undefined)(`resumes 19 of 20 connections over ${version}`, { timeout: 60_000 }, async () => {
    await using server = await startServer(program as string, args, ready === undefined ? {} : { ready })
    const store = new SessionCache<PeerEvidence>()
    const options = { host: '127.0.0.1', port: server.port, servername: 'localhost', ca: ca.ca }
    let resumed = 0
    for (let i = 0; i < 20; i++) {
      const socket = await connect(options, { store })
      expect(socket.getProtocol()).toBe(version)
      expect(sessionPeer(socket)?.chain[0]?.fingerprint256).toBe(identity.certificate.fingerprint256)
      if (socket.isSessionReused()) resumed++
      socket.write('hello\n')
      await once(socket, 'data')
      socket.resume().end()
      await once(socket, 'close')
    }
    expect(resumed).toBe(19)
  })
})
