import { once } from 'node:events'
import { connect, type SecureSocket } from '@x/socket'
import { createAuthority, type IssuedIdentity } from '@x/utils'
import { afterAll, describe, expect, it } from 'vitest'
import { peer, perlHas, type RunningPeer, startServer, TemporaryFolder } from '../src/index.ts'

const openssl = peer('openssl')
const gnutls = peer('gnutls-serv')
const perl = perlHas('IO::Socket::SSL') ? peer('perl') : undefined

const authority = createAuthority('client certificates')
const intermediate = authority.issue({ ca: true })
const served = authority.issue(['localhost', '127.0.0.1'])
const folder = new TemporaryFolder({ 'cert.pem': served.cert, 'key.pem': served.key, 'ca.pem': authority.ca })
afterAll(() => folder.dispose())

const original = `
use strict; use IO::Socket::SSL;
my ($port, $dir, $version) = @ARGV;
my $server = IO::Socket::SSL->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 5, ReuseAddr => 1,
  SSL_version => $version, SSL_cert_file => "$dir/cert.pem", SSL_key_file => "$dir/key.pem", SSL_ca_file => "$dir/ca.pem",
  SSL_verify_mode => SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT) or die "listen: $SSL_ERROR";
$| = 1; print "READY\\n";
while (1) { my $client = $server->accept or next; my $line = <$client>; print $client "echo $line" if defined $line; close $client }
`

const peers: readonly [string, string | undefined, (version: '1.2' | '1.3') => Promise<RunningPeer>][] = [
  [
    'openssl s_server -Verify',
    openssl,
    (version) =>
      startServer(
        openssl ?? '',
        (port) => [
          's_server',
          '-accept',
          `127.0.0.1:${port}`,
          '-cert',
          folder.file('cert.pem'),
          '-key',
          folder.file('key.pem'),
          '-CAfile',
          folder.file('ca.pem'),
          '-Verify',
          '3',
          '-verify_return_error',
          '-rev',
          version === '1.2' ? '-tls1_2' : '-tls1_3',
        ],
        { ready: /ACCEPT/ },
      ),
  ],
  [
    'gnutls-serv --require-client-cert',
    gnutls,
    (version) =>
      startServer(
        gnutls ?? '',
        (port) => [
          '--port',
          String(port),
          '--echo',
          '--x509certfile',
          folder.file('cert.pem'),
          '--x509keyfile',
          folder.file('key.pem'),
          '--x509cafile',
          folder.file('ca.pem'),
          '--require-client-cert',
          '--verify-client-cert',
          '--priority',
          `NORMAL:-VERS-ALL:+VERS-TLS${version}`,
        ],
        { ready: /IPv6 [^\n]*\.\.\.done|Echo Server listening on IPv6[^\n]*done/i },
      ),
  ],
  [
    'the original as a server',
    perl,
    (version) =>
      startServer(
        perl ?? '',
        (port) => ['-e', original, String(port), folder.path, version === '1.2' ? 'TLSv1_2' : 'TLSv1_3'],
        {
          ready: /READY/,
        },
      ),
  ],
]

/** 'answered' where the server takes us, else the code with which it ends. In TLS 1.3 it says so after our handshake. */
async function talk(port: number, identity?: Pick<IssuedIdentity, 'cert' | 'key'>): Promise<string> {
  const own = identity === undefined ? {} : { cert: identity.cert, key: identity.key }
  let socket: SecureSocket | undefined
  try {
    socket = await connect({ host: '127.0.0.1', port, ca: authority.ca, truncation: 'allow', ...own })
    socket.write('hello\n')
    const answer = await Promise.race([once(socket, 'data'), once(socket, 'end').then(() => undefined)])
    return answer === undefined ? 'ended' : 'answered'
  } catch (error) {
    return (error as { code: string }).code
  } finally {
    socket?.destroy()
  }
}

for (const [name, program, start] of peers)
  describe.skipIf(program === undefined).each(['1.2', '1.3'] as const)(`${name}, TLS %s`, (version) => {
    it('takes a client with a certificate of its CA, with and without an intermediate', async () => {
      await using server = await start(version)
      expect(await talk(server.port, authority.issue({ names: 'client', purpose: 'client' }))).toBe('answered')
      expect(await talk(server.port, intermediate.issue({ names: 'client', purpose: 'client' }))).toBe('answered')
    })

    it('refuses a client without one, or with one of another CA, and we report it', async () => {
      await using server = await start(version)
      const strange = createAuthority('stranger').issue({ names: 'client', purpose: 'client' })
      for (const identity of [undefined, strange]) {
        const outcome = await talk(server.port, identity)
        expect(outcome).not.toBe('answered')
        expect(outcome).toMatch(/^(ERR_SSL_|ECONNRESET|EPIPE|ended|ERR_SECURE_SOCKET_)/)
      }
    })
  })
