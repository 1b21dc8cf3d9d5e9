import type { AddressInfo } from 'node:net'
import { createAuthority } from '@x/utils'
import { listen, type ListenOptions, type SecureServer } from '@x/socket'
import { afterAll, describe, expect, it } from 'vitest'
import { type Finished, peer, perlHas, run, TemporaryFolder } from '../src/index.ts'

const authority = createAuthority('interop CA')
const names = ['localhost', '127.0.0.1', '::1']
const identities = {
  ECDSA: authority.issue({ names, privateKey: { type: 'ec' } }),
  RSA: authority.issue({ names, privateKey: { type: 'rsa' } }),
} as const
const folder = new TemporaryFolder({ 'ca.pem': authority.ca, 'stranger.pem': createAuthority('stranger').ca })
afterAll(() => folder.dispose())

const versions = ['TLSv1.2', 'TLSv1.3'] as const
const keys = ['ECDSA', 'RSA'] as const
const hosts = ['127.0.0.1', '::1'] as const

/** One answer of HTTP/1.0, to whatever a client says first. */
async function server(options: Partial<ListenOptions>): Promise<SecureServer> {
  const made = await listen({
    host: '127.0.0.1',
    port: 0,
    cert: identities.ECDSA.cert,
    key: identities.ECDSA.key,
    ...options,
  })
  made.on('tlsClientError', () => undefined)
  made.on('connection', (socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => socket.end('HTTP/1.0 200 OK\r\nContent-Length: 15\r\n\r\nhello from here'))
  })
  return made
}

interface Client {
  readonly name: string
  readonly program: string | undefined
  readonly visit: (host: string, port: number, ca: string, version: (typeof versions)[number]) => Promise<Finished>
}

const request = 'GET / HTTP/1.0\r\n\r\n'
const openssl = peer('openssl')
const gnutls = peer('gnutls-cli')
const curl = peer('curl')
const perl = perlHas('IO::Socket::SSL') ? peer('perl') : undefined

const original = `
use strict; use IO::Socket::SSL;
my ($host, $port, $ca, $version) = @ARGV;
my $s = IO::Socket::SSL->new(PeerAddr => $host, PeerPort => $port, SSL_ca_file => $ca, SSL_version => $version, SSL_verifycn_scheme => 'http') or do { print STDERR "refused: $IO::Socket::SSL::SSL_ERROR"; exit 1 };
print $s "GET / HTTP/1.0\\r\\n\\r\\n"; local $/; print <$s>;
`

const clients: readonly Client[] = [
  {
    name: 'openssl s_client',
    program: openssl,
    visit: (host, port, ca, version) =>
      run(
        openssl ?? '',
        [
          's_client',
          '-connect',
          host === '::1' ? `[::1]:${port}` : `${host}:${port}`,
          '-CAfile',
          ca,
          '-verify_return_error',
          '-verify_ip',
          host,
          '-quiet',
          '-no_ign_eof',
          version === 'TLSv1.2' ? '-tls1_2' : '-tls1_3',
          '-ign_eof',
        ],
        { input: request },
      ),
  },
  {
    name: 'gnutls-cli',
    program: gnutls,
    visit: (host, port, ca, version) =>
      run(
        gnutls ?? '',
        [
          '--x509cafile',
          ca,
          '--port',
          String(port),
          '--priority',
          `NORMAL:-VERS-ALL:+VERS-TLS${version.slice(4)}`,
          host,
        ],
        { input: request },
      ),
  },
  {
    name: 'curl',
    program: curl,
    visit: (host, port, ca, version) =>
      run(curl ?? '', [
        '-sS',
        '--noproxy',
        '*',
        '--cacert',
        ca,
        version === 'TLSv1.2' ? '--tls-max' : '--tlsv1.3',
        ...(version === 'TLSv1.2' ? ['1.2'] : []),
        `https://${host === '::1' ? '[::1]' : host}:${port}/`,
      ]),
  },
  {
    name: 'the original',
    program: perl,
    visit: (host, port, ca, version) =>
      run(perl ?? '', ['-e', original, host, String(port), ca, version.replace('TLSv1.', 'TLSv1_')]),
  },
]

for (const { name, program, visit } of clients)
  describe.skipIf(program === undefined)(`our server and ${name}`, () => {
    for (const version of versions)
      for (const key of keys)
        for (const host of hosts)
          it(`${version}, ${key}, ${host}`, async () => {
            await using made = await server({
              host,
              cert: identities[key].cert,
              key: identities[key].key,
              minVersion: version,
              maxVersion: version,
            })
            const { port } = made.address() as AddressInfo
            const { stdout, stderr } = await visit(host, port, folder.file('ca.pem'), version)
            expect(stdout, stderr).toContain('hello from here')
          })

    it('refuses us where it does not know our CA', async () => {
      await using made = await server({})
      const told = new Promise<Error>((resolve) => made.once('tlsClientError', resolve))
      const { code, stdout } = await visit(
        '127.0.0.1',
        (made.address() as AddressInfo).port,
        folder.file('stranger.pem'),
        'TLSv1.2',
      )
      expect(code).not.toBe(0)
      expect(stdout).not.toContain('hello from here')
      expect(await told).toMatchObject({ phase: 'handshake', host: '127.0.0.1' })
    })
  })

describe.skipIf(openssl === undefined)('a server of ours that ends in the tick in which it has a client', () => {
  // OpenSSL calls an end without close_notify an error
  it.each(versions)('%s: openssl s_client sees a proper end', async (version) => {
    await using made = await listen({
      host: '127.0.0.1',
      port: 0,
      cert: identities.ECDSA.cert,
      key: identities.ECDSA.key,
    })
    made.on('connection', (socket) => void socket.on('error', () => undefined).end('bye'))
    const { port } = made.address() as AddressInfo
    const where = ['-connect', `127.0.0.1:${port}`, '-CAfile', folder.file('ca.pem'), '-verify_return_error']
    const limit = version === 'TLSv1.2' ? '-tls1_2' : '-tls1_3'
    const { stdout, stderr } = await run(openssl ?? '', ['s_client', ...where, '-quiet', limit], { input: '' })
    expect(stdout).toBe('bye')
    expect(stderr).not.toMatch(/unexpected eof|error:/)
  })
})
