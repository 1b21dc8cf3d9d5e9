import { once } from 'node:events'
import { createAuthority } from '@x/utils'
import { connect, type ConnectOptions, dial, PeerRefusedError } from '@x/socket'
import { afterAll, describe, expect, it } from 'vitest'
import { peer, RunningPeer, startServer, TemporaryFolder } from '../src/index.ts'

const authority = createAuthority('interop CA')
const names = ['localhost', '127.0.0.1', '::1']
const identities = {
  ECDSA: authority.issue({ names, privateKey: { type: 'ec' } }),
  RSA: authority.issue({ names, privateKey: { type: 'rsa' } }),
} as const
type KeyName = keyof typeof identities

const folder = new TemporaryFolder({ 'ca.pem': authority.ca })
for (const [name, identity] of Object.entries(identities)) {
  folder.write(`${name}-cert.pem`, identity.cert)
  folder.write(`${name}-key.pem`, identity.key)
}
afterAll(() => folder.dispose())

const versions = ['TLSv1.2', 'TLSv1.3'] as const
const keys = ['ECDSA', 'RSA'] as const
const hosts = ['127.0.0.1', '::1'] as const

interface Peer {
  readonly name: string
  readonly program: string | undefined
  readonly start: (key: KeyName, version: (typeof versions)[number], host: string) => Promise<RunningPeer>
  /** What a client says, and what comes back. */
  readonly dialogue: readonly [send: string, expected: RegExp]
}

const openssl = peer('openssl')
const gnutls = peer('gnutls-serv')
const nginx = peer('nginx')

const peers: readonly Peer[] = [
  {
    name: 'openssl s_server',
    program: openssl,
    start: (key, version, host) =>
      startServer(
        openssl ?? '',
        (port) => [
          's_server',
          '-accept',
          host === '::1' ? `[::1]:${port}` : `127.0.0.1:${port}`,
          '-cert',
          folder.file(`${key}-cert.pem`),
          '-key',
          folder.file(`${key}-key.pem`),
          version === 'TLSv1.2' ? '-tls1_2' : '-tls1_3',
          '-rev',
        ],
        { ready: /ACCEPT/, host },
      ),
    dialogue: ['hello\n', /olleh/],
  },
  {
    name: 'gnutls-serv',
    program: gnutls,
    start: (key, version) =>
      startServer(
        gnutls ?? '',
        (port) => [
          '--port',
          String(port),
          '--echo',
          '--x509certfile',
          folder.file(`${key}-cert.pem`),
          '--x509keyfile',
          folder.file(`${key}-key.pem`),
          '--disable-client-cert',
          '--priority',
          `NORMAL:-VERS-ALL:+VERS-TLS${version === 'TLSv1.2' ? '1.2' : '1.3'}`,
        ],
        { ready: /IPv6 [^\n]*\.\.\.done|Echo Server listening on IPv6[^\n]*done/i },
      ),
    dialogue: ['hello\n', /hello/],
  },
  {
    name: 'nginx',
    program: nginx,
    start: (key, version, host) =>
      startServer(
        nginx ?? '',
        (port) => {
          const configuration = folder.write(
            `nginx-${port}.conf`,
            `daemon off; master_process off; worker_processes 1; pid ${folder.file(`nginx-${port}.pid`)}; error_log stderr notice;
             events { worker_connections 64; }
             http { access_log off; client_body_temp_path ${folder.path}; proxy_temp_path ${folder.path}; fastcgi_temp_path ${folder.path}; uwsgi_temp_path ${folder.path}; scgi_temp_path ${folder.path};
               server { listen ${host === '::1' ? '[::1]' : host}:${port} ssl; ssl_protocols ${version.replace('TLSv1.2', 'TLSv1.2')};
                 ssl_certificate ${folder.file(`${key}-cert.pem`)}; ssl_certificate_key ${folder.file(`${key}-key.pem`)};
                 location / { return 200 "hello from nginx\\n"; } } }`,
          )
          return ['-e', 'stderr', '-p', folder.path, '-c', configuration]
        },
        { host },
      ),
    dialogue: ['GET / HTTP/1.0\r\n\r\n', /hello from nginx/],
  },
]

for (const { name, program, start, dialogue } of peers)
  describe.skipIf(program === undefined)(`our client and ${name}`, () => {
    for (const version of versions)
      for (const key of keys)
        for (const host of hosts)
          it(`${version}, ${key}, ${host}: verified, with data both ways`, async () => {
            await using server = await start(key, version, host)
            const socket = await connect({ host, port: server.port, ca: authority.ca })
            expect(socket.getProtocol()).toBe(version)
            expect(socket.remoteFamily).toBe(host === '::1' ? 'IPv6' : 'IPv4')
            expect(socket.verification?.outcomes.name).toMatchObject({ result: 'passed', evidence: { host } })
            socket.write(dialogue[0])
            let got = ''
            while (!dialogue[1].test(got)) got += String((await once(socket, 'data'))[0])
            socket.destroy()
          })

    const refusals: readonly [string, Partial<ConnectOptions>, string][] = [
      ['a wrong name', { verify: { name: 'www.example.org' } }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
      ['an unknown CA', { ca: createAuthority('stranger').ca }, 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'],
      [
        'a pin that does not match',
        { verify: { fingerprints: `sha256$${'00'.repeat(32)}`, forceFingerprints: true } },
        'ERR_SECURE_SOCKET_FINGERPRINT_MISMATCH',
      ],
    ]
    for (const version of versions)
      it.each(refusals)(`${version}: refuses %s`, async (_what, options, code) => {
        await using server = await start('ECDSA', version, '127.0.0.1')
        await expect(connect({ host: '127.0.0.1', port: server.port, ca: authority.ca, ...options })).rejects.toThrow(
          expect.objectContaining({ code }),
        )
        await expect(
          connect({ host: '127.0.0.1', port: server.port, ca: authority.ca, ...options }),
        ).rejects.toBeInstanceOf(PeerRefusedError)
      })
  })

describe.skipIf(openssl === undefined)('a peer that records what it received', () => {
  it.each(versions)('%s: gets a write of before the verdict only where it is trusted', async (version) => {
    const args = (port: number): string[] => [
      's_server',
      '-accept',
      `127.0.0.1:${port}`,
      '-cert',
      folder.file('ECDSA-cert.pem'),
      '-key',
      folder.file('ECDSA-key.pem'),
      version === 'TLSv1.2' ? '-tls1_2' : '-tls1_3',
      '-naccept',
      '2',
    ]
    await using server = await startServer(openssl ?? '', args, { ready: /ACCEPT/ })
    const refused = dial({
      host: '127.0.0.1',
      port: server.port,
      ca: authority.ca,
      verify: { name: 'www.example.org' },
    })
    refused.write('SECRET-FOR-NOBODY\n')
    const closed = new Promise<void>((resolve) => refused.on('error', () => undefined).on('close', () => resolve()))
    await closed
    const trusted = dial({ host: '127.0.0.1', port: server.port, ca: authority.ca })
    trusted.write('SECRET-FOR-THE-PEER\n')
    await server.printed(/SECRET-FOR-THE-PEER/)
    expect(server.output).not.toContain('SECRET-FOR-NOBODY')
    trusted.destroy()
  })
})
