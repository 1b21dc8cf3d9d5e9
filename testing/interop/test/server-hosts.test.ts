import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createAuthority } from '@x/utils'
import { listen, type ListenOptions, type SecureServer } from '@x/socket'
import { afterAll, describe, expect, it } from 'vitest'
import { type Finished, peer, peerOfFull, perlHas, run, TemporaryFolder } from '../src/index.ts'

const authority = createAuthority('interop CA')
const stranger = createAuthority('stranger')
const both = (name: string, type: 'ec' | 'rsa') => {
  const { cert, key } = authority.issue({ names: [name], privateKey: { type } })
  return { cert, key }
}
const client = authority.issue({ names: 'client', purpose: 'client' })
const foreign = stranger.issue({ names: 'client', purpose: 'client' })
const folder = new TemporaryFolder({
  'ca.pem': authority.ca,
  'client.pem': client.cert + client.key,
  'client.key': client.key,
  'foreign.pem': foreign.cert + foreign.key,
  'foreign.key': foreign.key,
  'main.go': `package main

import ("crypto/tls"; "crypto/x509"; "fmt"; "io"; "os")

func main() {
	pem, _ := os.ReadFile(os.Args[3])
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	config := &tls.Config{RootCAs: roots, ServerName: os.Args[2]}
	if os.Args[4] != "" {
		pair, err := tls.LoadX509KeyPair(os.Args[4], os.Args[4])
		if err != nil { fmt.Fprintln(os.Stderr, err); os.Exit(1) }
		config.Certificates = []tls.Certificate{pair}
	}
	conn, err := tls.Dial("tcp", "127.0.0.1:"+os.Args[1], config)
	if err != nil { fmt.Fprintln(os.Stderr, err); os.Exit(1) }
	fmt.Fprintf(conn, "hello\\n")
	answer, err := io.ReadAll(conn)
	if err != nil { fmt.Fprintln(os.Stderr, err); os.Exit(1) }
	fmt.Print(string(answer))
}
`,
})
afterAll(() => folder.dispose())

const hosts = {
  'one.example.org': [both('one.example.org', 'ec'), both('one.example.org', 'rsa')],
  '*.example.org': both('*.example.org', 'rsa'),
  'closed.example.org': { ...both('closed.example.org', 'ec'), requestCert: true, clientCaNames: [] },
}

/** Says who asked for what, to whatever a client says first. */
async function serving(options: ListenOptions = { hosts, ca: authority.ca }): Promise<SecureServer & { port: number }> {
  const server = await listen({ host: '127.0.0.1', port: 0, ...options })
  server.on('tlsClientError', () => undefined)
  server.on('connection', (socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () =>
      socket.end(`this is ${socket.servername} for ${socket.peerCertificate()?.subject ?? 'anybody'}\n`),
    )
  })
  return Object.assign(server, { port: (server.address() as AddressInfo).port })
}

interface Client {
  readonly name: string
  readonly program: string | undefined
  readonly visit: (port: number, host: string, identity: 'client' | 'foreign' | undefined) => Promise<Finished>
}

const openssl = peer('openssl')
const gnutls = peer('gnutls-cli')
const curl = peer('curl')
const python = peer('python3')
const go = peer('go')
const perl = perlHas('IO::Socket::SSL') ? peer('perl') : undefined

const inPython = `
import socket, ssl, sys
port, host, ca, cert = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
if cert: context.load_cert_chain(cert)
with socket.create_connection(('127.0.0.1', int(port))) as raw:
    with context.wrap_socket(raw, server_hostname=host) as s:
        s.sendall(b'hello\\n')
        print(s.recv(1000).decode())
`
const inPerl = `
use strict; use IO::Socket::SSL;
my ($port, $host, $ca, $cert) = @ARGV;
my $s = IO::Socket::SSL->new(PeerAddr => '127.0.0.1', PeerPort => $port, SSL_hostname => $host, SSL_verifycn_name => $host, SSL_ca_file => $ca,
  SSL_verifycn_scheme => 'http', $cert ? (SSL_cert_file => $cert, SSL_key_file => $cert) : ()) or die "refused: $SSL_ERROR";
print $s "hello\\n"; print scalar <$s>;
`

const ca = (): string => folder.file('ca.pem')
const pem = (identity: string | undefined): string => (identity === undefined ? '' : folder.file(`${identity}.pem`))
const goEnvironment = {
  ...process.env,
  GOFLAGS: '-mod=mod',
  GO111MODULE: 'off',
  GOPROXY: 'off',
  GOCACHE: folder.file('go-cache'),
}

const clients: readonly Client[] = [
  {
    name: 'openssl s_client',
    program: openssl,
    visit: (port, host, identity) =>
      run(
        openssl ?? '',
        [
          's_client',
          '-connect',
          `127.0.0.1:${port}`,
          '-servername',
          host,
          '-verify_hostname',
          host,
          '-CAfile',
          ca(),

          '-verify_return_error',
          '-quiet',
          '-ign_eof',
          ...(identity === undefined ? [] : ['-cert', pem(identity)]),
        ],
        { input: 'hello\n' },
      ),
  },
  {
    name: 'gnutls-cli',
    program: gnutls,
    visit: (port, host, identity) =>
      run(
        gnutls ?? '',
        [
          '--x509cafile',
          ca(),
          '--port',
          String(port),
          '--sni-hostname',
          host,
          '--verify-hostname',
          host,
          ...(identity === undefined
            ? []
            : ['--x509certfile', pem(identity), '--x509keyfile', folder.file(`${identity}.key`)]),
          '127.0.0.1',
        ],
        { input: 'hello\n' },
      ),
  },
  {
    name: 'curl',
    program: curl,
    visit: (port, host, identity) =>
      run(curl ?? '', [
        '-sS',
        '--http0.9',
        '--noproxy',
        '*',
        '--cacert',
        ca(),
        '--resolve',
        `${host}:${port}:127.0.0.1`,
        ...(identity === undefined ? [] : ['--cert', pem(identity)]),
        `https://${host}:${port}/`,
      ]),
  },
  {
    name: 'Python',
    program: python,
    visit: (port, host, identity) => run(python ?? '', ['-c', inPython, String(port), host, ca(), pem(identity)]),
  },
  {
    name: 'Go',
    program: go,
    visit: (port, host, identity) =>
      run(go ?? '', ['run', folder.file('main.go'), String(port), host, ca(), pem(identity)], {
        env: goEnvironment,
        timeout: 110_000,
      }),
  },
  {
    name: 'the original',
    program: perl,
    visit: (port, host, identity) => run(perl ?? '', ['-e', inPerl, String(port), host, ca(), pem(identity)]),
  },
]

for (const { name, program, visit } of clients)
  describe.skipIf(program === undefined)(`our hosts and ${name}`, { timeout: 240_000 }, () => {
    it.each(['one.example.org', 'ONE.example.org', 'two.example.org'])('%s', async (host) => {
      await using server = await serving()
      const { stdout, stderr } = await visit(server.port, host, undefined)
      expect(stdout, stderr).toContain(`this is ${host.toLowerCase()} for anybody`)
    })

    it('a name that is not served', async () => {
      await using server = await serving({ hosts: { 'one.example.org': hosts['one.example.org'] } })
      const told = new Promise<Error>((resolve) => server.once('tlsClientError', resolve))
      const { code, stdout } = await visit(server.port, 'two.example.org', undefined)
      expect(code).not.toBe(0)
      expect(stdout).not.toContain('this is')
      expect(await told).toMatchObject({ code: 'ERR_SECURE_SOCKET_UNRECOGNIZED_NAME' })
    })

    it('a client certificate: ours, none, a foreign one', async () => {
      await using server = await serving()
      const { stdout, stderr } = await visit(server.port, 'closed.example.org', 'client')
      expect(stdout, stderr).toContain('this is closed.example.org for CN=client')
      for (const [identity, code] of [
        [undefined, 'ERR_SECURE_SOCKET_NO_PEER_CERTIFICATE'],
        ['foreign', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'],
      ] as const) {
        const told = new Promise<Error>((resolve) => server.once('tlsClientError', resolve))
        expect((await visit(server.port, 'closed.example.org', identity)).stdout).not.toContain('this is')
        expect(await told).toMatchObject({ code })
      }
    })
  })

const sslscan = peer('sslscan')
describe.skipIf(sslscan === undefined)('sslscan', { timeout: 120_000 }, () => {
  it('finds no weakness in the defaults', async () => {
    await using server = await serving({ ...both('localhost', 'rsa') })
    const { stdout } = await run(sslscan ?? '', ['--no-colour', '--sni-name=localhost', `127.0.0.1:${server.port}`], {
      timeout: 100_000,
    })
    expect(stdout).toMatch(/TLSv1\.3\s+enabled/)
    for (const old of ['SSLv2', 'SSLv3', 'TLSv1.0', 'TLSv1.1']) expect(stdout).toMatch(new RegExp(`${old}\\s+disabled`))
    expect(stdout).not.toMatch(/(?<!not )vulnerable to heartbleed|Compression enabled|Insecure session renegotiation/)
    expect(stdout).toContain('Session renegotiation not supported')
    const suites = [...stdout.matchAll(/(?:Preferred|Accepted)\s+TLSv1\.\d\s+\d+ bits\s+(\S+)/g)].map(
      (match) => match[1],
    )
    expect(suites.length).toBeGreaterThan(4)
    expect(suites.filter((suite) => !/^(?:TLS_|ECDHE-|DHE-).*(?:GCM|CHACHA20)/.test(suite ?? ''))).toEqual([])
    for (const [, version] of stdout.matchAll(/(TLSv1\.\d) (?:not )?vulnerable to heartbleed/g))
      expect(stdout).toContain(`${version} not vulnerable to heartbleed`)
    expect(stdout).not.toMatch(/\b(?:NULL|EXPORT|RC4|3DES|MD5|anon)\b/i)
  })
})

const testssl = peerOfFull('testssl')
describe.skipIf(testssl === undefined)('testssl.sh', { timeout: 600_000 }, () => {
  it.each(['ec', 'rsa'] as const)('finds no weakness in the defaults, with a certificate of type %s', async (type) => {
    await using server = await listen({ host: '127.0.0.1', port: 0, ...both('localhost', type) })
    server.on('tlsClientError', () => undefined)
    server.on('connection', (socket) => {
      socket.on('error', () => undefined)
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello'))
    })
    const { port } = server.address() as AddressInfo
    const report = folder.file(`testssl-${type}.json`)
    const what = ['--protocols', '--std', '--fs', '--vulnerable', '--server-defaults']
    const how = ['--quiet', '--color', '0', '--nodns', 'none', '--warnings', 'off', '--jsonfile', report]
    await run(testssl as string, [...how, ...what, `localhost:${port}`], { timeout: 590_000 })
    const found = JSON.parse(readFileSync(report, 'utf8')) as { id: string; severity: string; finding: string }[]
    for (const id of ['heartbleed', 'CCS', 'ROBOT', 'secure_client_renego', 'CRIME_TLS', 'LOGJAM'])
      expect(found.find((one) => one.id === id)).toMatchObject({ severity: 'OK' })
    // the certificate is of a CA of our own, without responder or list; WARN means that something could not be tested
    const weaknesses = ['LOW', 'MEDIUM', 'HIGH', 'CRITICAL', 'FATAL']
    const weak = found.filter(({ id, severity }) => weaknesses.includes(severity) && !/^(?:cert|OCSP|DNS_CAA)/.test(id))
    expect(weak).toEqual([])
  })
})
