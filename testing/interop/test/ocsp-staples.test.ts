import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:tls'
import { checkStaple, createOcspRequest, createStapler, type OcspError } from '@x/ocsp'
import type { IssuedIdentity } from '@x/utils'
import { afterEach, describe, expect, it } from 'vitest'
import { peer, perlHas, run, startServer, TemporaryFolder } from '../src/index.ts'
import { type Entry, OurResponder } from './ocsp-pki.ts'

const openssl = peer('openssl')
const nginx = peer('nginx')
const gnutlsCli = peer('gnutls-cli')
const gnutlsServ = peer('gnutls-serv')
const perl = perlHas('IO::Socket::SSL') ? peer('perl') : undefined

const cleanups: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function ourResponder(): Promise<OurResponder> {
  const responder = await OurResponder.start()
  cleanups.push(() => responder[Symbol.asyncDispose]())
  return responder
}

function folderWith(files: Record<string, string | Uint8Array>): TemporaryFolder {
  const folder = new TemporaryFolder(files)
  cleanups.push(() => folder.dispose())
  return folder
}

/** What our client makes of the staple that a server sends. */
async function judge(port: number, ca: IssuedIdentity, certificate: IssuedIdentity): Promise<string> {
  const options = { port, host: '127.0.0.1', servername: 'localhost', ca: ca.cert, requestOCSP: true }
  const socket = connect(options)
  const staple = once(socket, 'OCSPResponse') as Promise<[Buffer | null]>
  await once(socket, 'secureConnect')
  const verdict = await checkStaple((await staple)[0], { certificate, issuer: ca, staple: 'must' })
  socket.destroy()
  return verdict.result === 'good' ? `good from ${verdict.from}` : verdict.error.code
}

describe('staples of others, judged by our client', () => {
  const table: [Entry['status'], string][] = [
    ['good', 'good from staple'],
    ['revoked', 'ERR_OCSP_REVOKED'],
    ['unknown', 'ERR_OCSP_STATUS_UNKNOWN'],
  ]

  /** A server's files, with the response that it is to staple. */
  async function files(status: Entry['status']) {
    const responder = await ourResponder()
    const identity = responder.issue('localhost', { status })
    const response = responder.answer(createOcspRequest({ certificate: identity, issuer: responder.ca }))
    const folder = folderWith({
      'cert.pem': identity.cert,
      'key.pem': identity.key,
      'response.der': response,
      'ca.pem': responder.ca.cert,
    })
    return { responder, identity, folder, file: (name: string): string => folder.file(name) }
  }

  it.skipIf(openssl === undefined).each(table)('openssl s_server -status_file: %s', async (status, expected) => {
    const { responder, identity, file } = await files(status)
    const server = await startServer(
      openssl as string,
      (port) => [
        's_server',
        '-accept',
        `127.0.0.1:${port}`,
        '-cert',
        file('cert.pem'),
        '-key',
        file('key.pem'),
        '-status_file',
        file('response.der'),
      ],
      { ready: /ACCEPT/ },
    )
    cleanups.push(() => server.stop())
    expect(await judge(server.port, responder.ca, identity)).toBe(expected)
  })

  it.skipIf(openssl === undefined)('openssl s_server without a staple', async () => {
    const { responder, identity, file } = await files('good')
    const server = await startServer(
      openssl as string,
      (port) => ['s_server', '-accept', `127.0.0.1:${port}`, '-cert', file('cert.pem'), '-key', file('key.pem')],
      { ready: /ACCEPT/ },
    )
    cleanups.push(() => server.stop())
    expect(await judge(server.port, responder.ca, identity)).toBe('ERR_OCSP_STAPLE_MISSING')
  })

  it.skipIf(openssl === undefined)('openssl s_server with the staple of another certificate', async () => {
    const { responder, file } = await files('good')
    const other = responder.issue('localhost', { status: 'good' })
    const folder = folderWith({ 'cert.pem': other.cert, 'key.pem': other.key })
    const server = await startServer(
      openssl as string,
      (port) => [
        's_server',
        '-accept',
        `127.0.0.1:${port}`,
        '-cert',
        folder.file('cert.pem'),
        '-key',
        folder.file('key.pem'),
        '-status_file',
        file('response.der'),
      ],
      { ready: /ACCEPT/ },
    )
    cleanups.push(() => server.stop())
    expect(await judge(server.port, responder.ca, other)).toBe('ERR_OCSP_STAPLE_MISSING')
  })

  it.skipIf(gnutlsServ === undefined).each(table)('gnutls-serv --ocsp-response: %s', async (status, expected) => {
    const { responder, identity, file } = await files(status)
    const server = await startServer(
      gnutlsServ as string,
      (port) => [
        '--port',
        `${port}`,
        '--x509certfile',
        file('cert.pem'),
        '--x509keyfile',
        file('key.pem'),
        '--ocsp-response',
        file('response.der'),
        '--ignore-ocsp-response-errors',
        '--echo',
      ],
      { ready: /done/ },
    )
    cleanups.push(() => server.stop())
    expect(await judge(server.port, responder.ca, identity)).toBe(expected)
  })

  it.skipIf(nginx === undefined).each(table)('nginx ssl_stapling_file: %s', async (status, expected) => {
    const { responder, identity, folder, file } = await files(status)
    const server = await startServer(nginx as string, (port) => {
      folder.write(
        'nginx.conf',
        `daemon off; master_process off; pid ${file('pid')}; error_log stderr;
          events {}
          http { access_log off; client_body_temp_path ${file('t1')}; proxy_temp_path ${file('t2')}; fastcgi_temp_path ${file('t3')}; uwsgi_temp_path ${file('t4')}; scgi_temp_path ${file('t5')};
            server { listen 127.0.0.1:${port} ssl; ssl_certificate ${file('cert.pem')}; ssl_certificate_key ${file('key.pem')};
              ssl_stapling on; ssl_stapling_file ${file('response.der')}; return 204; } }`,
      )
      return ['-p', folder.path, '-c', file('nginx.conf'), '-e', 'stderr']
    })
    cleanups.push(() => server.stop())
    expect(await judge(server.port, responder.ca, identity)).toBe(expected)
  })
})

describe('our staples, judged by others', () => {
  /** A node:tls server that staples through createStapler what our responder says. */
  async function stapling(status: Entry['status'], url?: string) {
    const responder = await ourResponder()
    const identity = responder.issue('localhost', {
      status,
      ...(status === 'revoked' && { reason: 'keyCompromise' as const }),
    })
    const errors: OcspError[] = []
    const stapler = createStapler({
      issuers: responder.ca.cert,
      onError: (error) => errors.push(error),
      ...(url !== undefined && { url }),
    })
    const server = createServer({ cert: identity.cert, key: identity.key }, (socket) => {
      socket.on('error', () => undefined)
      socket.end('hello\n')
    })
    server.on('OCSPRequest', stapler.onRequest)
    server.on('tlsClientError', () => undefined)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    cleanups.push(async () => {
      stapler.close()
      server.close()
      await once(server, 'close')
    })
    const { port } = server.address() as AddressInfo
    const folder = folderWith({ 'ca.pem': responder.ca.cert })
    return { responder, identity, port, ca: folder.file('ca.pem'), errors }
  }

  it('our own client', async () => {
    const { responder, identity, port } = await stapling('good')
    expect(await judge(port, responder.ca, identity)).toBe('good from staple')
    expect(await judge(port, responder.ca, identity)).toBe('good from staple')
    expect(responder.requests).toEqual([1])
  })

  it('our own client, while the responder is down', async () => {
    const { responder, identity, port, errors } = await stapling('good', 'http://127.0.0.1:9/')
    expect(await judge(port, responder.ca, identity)).toBe('ERR_OCSP_STAPLE_MISSING')
    expect(errors.map((error) => error.code)).toEqual(['ERR_OCSP_FETCH_FAILED'])
  })

  it.skipIf(openssl === undefined).each([
    ['good', /Cert Status: good/],
    ['revoked', /Cert Status: revoked[^]*keyCompromise/],
    ['unknown', /OCSP response: no response sent/],
  ] as const)('openssl s_client -status: %s', async (status, expected) => {
    const { port, ca } = await stapling(status)
    const { stdout } = await run(openssl as string, [
      's_client',
      '-connect',
      `127.0.0.1:${port}`,
      '-servername',
      'localhost',
      '-CAfile',
      ca,
      '-status',
    ])
    expect(stdout).toMatch(expected)
  })

  it.skipIf(gnutlsCli === undefined).each([
    ['good', /Status: The certificate is trusted[^]*Handshake was completed/],
    ['revoked', /Status: .*revoked/],
  ] as const)('gnutls-cli: %s', async (status, expected) => {
    const { port, ca } = await stapling(status)
    const {
      code: found,
      stdout,
      stderr,
    } = await run(gnutlsCli as string, [
      '--port',
      `${port}`,
      '--x509cafile',
      ca,
      '--sni-hostname',
      'localhost',
      '--verify-hostname',
      'localhost',
      '127.0.0.1',
    ])
    expect(`${stdout}${stderr}`).toMatch(expected)
    // trusted, it goes on until either side ends: how says its exit status
    if (status === 'revoked') expect(found).toBe(1)
    if (status === 'good') expect(stdout).toContain('OCSP status request')
  })

  describe.skipIf(perl === undefined)('the original', () => {
    /** Prints what IO::Socket::SSL makes of the connection. */
    const script = `
      use strict; use warnings; use IO::Socket::SSL;
      my ($port, $ca, $mode) = @ARGV;
      my %modes = (must => SSL_OCSP_MUST_STAPLE, none => SSL_OCSP_NO_STAPLE, 'none-hard' => SSL_OCSP_NO_STAPLE | SSL_OCSP_FAIL_HARD);
      my $socket = IO::Socket::SSL->new(PeerAddr => '127.0.0.1', PeerPort => $port, SSL_hostname => 'localhost', SSL_verifycn_name => 'localhost',
        SSL_ca_file => $ca, SSL_ocsp_mode => $modes{$mode}) or do { print "refused: $SSL_ERROR\\n"; exit };
      if ($mode eq 'must') { print "connected\\n"; exit }
      my $resolver = $socket->ocsp_resolver;
      my $error = $resolver->resolve_blocking;
      print defined $error && $error eq '' ? "resolved\\n" : "error: $error\\n";
    `
    async function original(port: number, ca: string, mode: string): Promise<string> {
      const { stdout, stderr } = await run(perl as string, ['-e', script, `${port}`, ca, mode])
      return stdout || stderr
    }

    it.each([
      ['good', 'must', /^connected$/m],
      ['revoked', 'must', /^refused: .*revoked/m],
      ['unknown', 'must', /^refused: /m],
      ['good', 'none', /^resolved$/m],
      ['good', 'none-hard', /^resolved$/m],
      ['revoked', 'none', /^error: .*revoked/m],
      ['unknown', 'none', /^error: .*unknown/m],
    ] as const)('certificate %s, mode %s', async (status, mode, expected) => {
      const { responder, port, ca } = await stapling(status)
      expect(await original(port, ca, mode)).toMatch(expected)
      if (mode !== 'must') expect(responder.requests.length).toBeGreaterThan(0)
    })
  })
})
