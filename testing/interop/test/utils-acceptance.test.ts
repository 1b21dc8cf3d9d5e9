import { once } from 'node:events'
import { isIP, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import tls from 'node:tls'
import { createAuthority } from '@x/utils'
import { afterAll, describe, expect, it } from 'vitest'
import { peer, perlHas, run, TemporaryFolder } from '../src/index.ts'
import { type Variant, variants } from './utils-variants.ts'

const all = variants()
const folder = new TemporaryFolder()
afterAll(() => folder[Symbol.dispose]())
const at = (name: string): string => join(folder.path, name)
const id = ({ name }: Variant): string => name.replaceAll(' ', '-')
for (const variant of all) {
  folder.write(`${id(variant)}.pem`, variant.identity.cert)
  folder.write(`${id(variant)}.key`, variant.identity.key)
  folder.write(`${id(variant)}.root`, variant.identity.ca)
}
const stranger = createAuthority('A stranger')
folder.write('stranger.pem', stranger.cert)
const past = createAuthority('Past')
const expired = past.issue({
  names: 'www.example.org',
  notBefore: Date.now() - 2 * 86_400_000,
  notAfter: Date.now() - 86_400_000,
})
folder.write('past.pem', past.cert)
folder.write('expired.pem', expired.cert)

const openssl = peer('openssl')
describe.skipIf(openssl === undefined)('openssl verify -x509_strict', () => {
  const verify = async (root: string, chain: string, ...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(openssl as string, [
      'verify',
      '-x509_strict',
      '-CAfile',
      at(root),
      '-untrusted',
      at(chain),
      ...args,
      at(chain),
    ])
    return code === 0 && stdout.trim().endsWith(': OK') ? 'OK' : stderr
  }
  const purpose = (variant: Variant): string[] => ['-purpose', variant.role === 'server' ? 'sslserver' : 'sslclient']
  const name = ({ host }: Variant): string[] =>
    host === '' ? [] : [isIP(host) === 0 ? '-verify_hostname' : '-verify_ip', host]

  it.each(all)('accepts $name', async (variant) => {
    expect(await verify(`${id(variant)}.root`, `${id(variant)}.pem`, ...purpose(variant), ...name(variant))).toBe('OK')
  })

  it('refuses what it should', async () => {
    const server = all.find((one) => one.name === 'P-256 server') as Variant
    const file = `${id(server)}.pem`
    expect(await verify(`${id(server)}.root`, file, '-purpose', 'sslclient')).toContain(
      'unsuitable certificate purpose',
    )
    expect(await verify(`${id(server)}.root`, file, '-verify_hostname', 'other.example.org')).toContain(
      'hostname mismatch',
    )
    expect(await verify('stranger.pem', file)).toContain('unable to get')
    expect(await verify('past.pem', 'expired.pem')).toContain('certificate has expired')
  })

  it('takes the root as a CA, not the leaf', async () => {
    expect(await verify('stranger.pem', 'stranger.pem', '-purpose', 'crlsign')).toBe('OK')
    const leaf = id(all.find((one) => one.name === 'P-256 server') as Variant)
    const { stderr } = await run(openssl as string, [
      'verify',
      '-x509_strict',
      '-partial_chain',
      '-CAfile',
      at(`${leaf}.pem`),
      at('expired.pem'),
    ])
    expect(stderr).toContain('error')
  })
})

const certtool = peer('certtool')
describe.skipIf(certtool === undefined)('certtool --verify', () => {
  const verify = (
    root: string,
    chain: string,
    ...args: string[]
  ): Promise<{ code: number | null; stdout: string; stderr: string }> =>
    run(certtool as string, ['--verify', '--load-ca-certificate', at(root), '--infile', at(chain), ...args])

  it.each(all)('accepts $name', async (variant) => {
    const purpose = variant.role === 'server' ? '1.3.6.1.5.5.7.3.1' : '1.3.6.1.5.5.7.3.2'
    const name = variant.host === '' ? [] : ['--verify-hostname', variant.host]
    const { code, stdout } = await verify(
      `${id(variant)}.root`,
      `${id(variant)}.pem`,
      '--verify-purpose',
      purpose,
      ...name,
    )
    expect(stdout).toContain('Chain verification output: Verified. The certificate is trusted.')
    expect(code).toBe(0)
  })

  it('refuses what it should', async () => {
    const server = id(all.find((one) => one.name === 'P-256 server') as Variant)
    expect((await verify('stranger.pem', `${server}.pem`)).code).not.toBe(0)
    expect((await verify('past.pem', 'expired.pem')).code).not.toBe(0)
    expect((await verify(`${server}.root`, `${server}.pem`, '--verify-hostname', 'other.example.org')).code).not.toBe(0)
    expect((await verify(`${server}.root`, `${server}.pem`, '--verify-purpose', '1.3.6.1.5.5.7.3.2')).code).not.toBe(0)
  })
})

const PYTHON = `
import json, ssl, sys
def verdict(case):
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    server.verify_flags |= ssl.VERIFY_X509_STRICT
    if case['role'] == 'server':
        server.load_cert_chain(case['cert'], case['key'])
        client.load_verify_locations(case['root'])
        host = case['host']
    else:
        server.load_cert_chain(case['server']['cert'], case['server']['key'])
        client.load_verify_locations(case['server']['root'])
        client.load_cert_chain(case['cert'], case['key'])
        server.verify_mode = ssl.CERT_REQUIRED
        server.load_verify_locations(case['root'])
        host = case['server']['host']
    a, b = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [client.wrap_bio(a, b, server_hostname=host), server.wrap_bio(b, a, server_side=True)]
    done = [False, False]
    try:
        for _ in range(20):
            for i, end in enumerate(ends):
                if not done[i]:
                    try:
                        end.do_handshake(); done[i] = True
                    except ssl.SSLWantReadError:
                        pass
    except ssl.SSLError as error:
        return str(error)
    return 'OK' if all(done) else 'stuck'
print(json.dumps([verdict(case) for case in json.load(sys.stdin)]))
`

const python = peer('python3')
describe.skipIf(python === undefined)("Python's ssl with VERIFY_X509_STRICT", () => {
  it('accepts what it should and nothing else', async () => {
    const files = (variant: Variant): object => ({
      role: variant.role,
      host: variant.host,
      cert: at(`${id(variant)}.pem`),
      key: at(`${id(variant)}.key`),
      root: at(`${id(variant)}.root`),
    })
    const server = all.find((one) => one.name === 'P-256 server') as Variant
    const cases = [
      ...all.map((variant) => ({ ...files(variant), server: files(server) })),
      { ...files(server), host: 'other.example.org' },
      { ...files(server), root: at('stranger.pem') },
      { ...files(all.find((one) => one.name === 'P-256 client') as Variant), role: 'server', host: 'A client' },
    ]
    const { stdout, stderr } = await run(python as string, ['-c', PYTHON], {
      input: JSON.stringify(cases),
      timeout: 60_000,
    })
    expect(stderr).toBe('')
    const verdicts = JSON.parse(stdout) as string[]
    expect(Object.fromEntries(all.map(({ name }, i) => [name, verdicts[i]]))).toEqual(
      Object.fromEntries(all.map(({ name }) => [name, 'OK'])),
    )
    for (const verdict of verdicts.slice(all.length)) expect(verdict).toContain('CERTIFICATE_VERIFY_FAILED')
  })
})

const GO = `package main

import ("crypto/x509"; "encoding/json"; "encoding/pem"; "fmt"; "os")

type variant struct { Role, Host, Cert, Root string }

func certs(text string) (list []*x509.Certificate) {
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil { return }
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil { panic(err) }
		list = append(list, cert)
	}
}

func main() {
	var all []variant
	if err := json.NewDecoder(os.Stdin).Decode(&all); err != nil { panic(err) }
	for _, one := range all {
		roots, between := x509.NewCertPool(), x509.NewCertPool()
		roots.AddCert(certs(one.Root)[0])
		chain := certs(one.Cert)
		for _, cert := range chain[1:] { between.AddCert(cert) }
		usage := x509.ExtKeyUsageServerAuth
		if one.Role == "client" { usage = x509.ExtKeyUsageClientAuth }
		_, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, DNSName: one.Host, KeyUsages: []x509.ExtKeyUsage{usage}})
		if err == nil { fmt.Println("OK") } else { fmt.Println(err) }
	}
}
`

const go = peer('go')
describe.skipIf(go === undefined)("Go's crypto/x509", () => {
  it('accepts what it should and nothing else', async () => {
    folder.write('main.go', GO)
    const row = ({ role, host, identity }: Variant): object => ({
      Role: role,
      Host: host,
      Cert: identity.cert,
      Root: identity.ca,
    })
    const server = all.find((one) => one.name === 'P-256 server') as Variant
    const cases = [
      ...all.map(row),
      { ...row(server), Host: 'other.example.org' },
      { ...row(server), Root: stranger.cert },
      { ...row(server), Role: 'client' },
    ]
    const env = { ...process.env, GOCACHE: at('go-cache'), GOFLAGS: '-mod=mod', GO111MODULE: 'off', CGO_ENABLED: '0' }
    const { stdout, stderr } = await run(go as string, ['run', at('main.go')], {
      input: JSON.stringify(cases),
      env,
      timeout: 170_000,
    })
    const verdicts = stdout.trim().split('\n')
    expect({ stderr, verdicts: verdicts.slice(0, all.length) }).toEqual({ stderr: '', verdicts: all.map(() => 'OK') })
    expect(verdicts.slice(all.length)).toHaveLength(3)
    for (const verdict of verdicts.slice(all.length)) expect(verdict).toContain('x509: ')
  }, 180_000)
})

const PERL = `
use strict; use warnings; use IO::Socket::SSL; use JSON::PP;
for my $case (@{ decode_json(join '', <STDIN>) }) {
  my $socket = IO::Socket::SSL->new(PeerHost => '127.0.0.1', PeerPort => $case->{port}, SSL_ca_file => $case->{root},
    SSL_verifycn_scheme => 'http', SSL_verifycn_name => $case->{host}, SSL_hostname => '',
    $case->{cert} ? (SSL_cert_file => $case->{cert}, SSL_key_file => $case->{key}) : ());
  my $line = $socket && <$socket>;
  print $socket && $line && $line eq "hello\\n" ? "OK\\n" : "refused: $SSL_ERROR\\n";
}
`

const perl = peer('perl')
describe.skipIf(perl === undefined || !perlHas('IO::Socket::SSL'))('the original', () => {
  it('accepts what it should and nothing else', async () => {
    const servers: tls.Server[] = []
    const listen = async (options: tls.TlsOptions): Promise<number> => {
      const server = tls
        .createServer(options, (socket) => socket.on('error', () => undefined).end('hello\n'))
        .listen(0, '127.0.0.1')
      server.on('tlsClientError', () => undefined)
      await once(server, 'listening')
      servers.push(server)
      return (server.address() as AddressInfo).port
    }
    const server = all.find((one) => one.name === 'P-256 server') as Variant
    const own = { cert: server.identity.cert, key: server.identity.key }
    const cases: object[] = []
    for (const variant of all) {
      const { cert, key, ca } = variant.identity
      if (variant.role === 'server')
        cases.push({ port: await listen({ cert, key }), root: at(`${id(variant)}.root`), host: variant.host })
      else
        cases.push({
          port: await listen({ ...own, ca, requestCert: true }),
          root: at(`${id(server)}.root`),
          host: server.host,
          cert: at(`${id(variant)}.pem`),
          key: at(`${id(variant)}.key`),
        })
    }
    const port = await listen(own)
    cases.push(
      { port, root: at(`${id(server)}.root`), host: 'other.example.org' },
      { port, root: at('stranger.pem'), host: server.host },
    )
    const { stdout, stderr } = await run(perl as string, ['-e', PERL], {
      input: JSON.stringify(cases),
      timeout: 60_000,
    })
    for (const one of servers) one.close()
    const verdicts = stdout.trim().split('\n')
    expect({ stderr, verdicts: verdicts.slice(0, all.length) }).toEqual({ stderr: '', verdicts: all.map(() => 'OK') })
    for (const verdict of verdicts.slice(all.length))
      expect(verdict).toMatch(/^refused: .*(verify failed|hostname verification failed)/)
  }, 90_000)
})
