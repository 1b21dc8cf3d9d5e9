import { createOcspResponse, OcspCache, type OcspSingle } from '@x/ocsp'
import { connect, type RevocationOptions } from '@x/socket'
import { createAuthority } from '@x/utils'
import { afterAll, describe, expect, it } from 'vitest'
import { peer, run, type RunningPeer, startServer, TemporaryFolder } from '../src/index.ts'

const openssl = peer('openssl')
const nginx = peer('nginx')

const DAY = 86_400_000
const root = createAuthority('checks root')
const intermediate = root.issue({ ca: true })
const leaf = intermediate.issue(['localhost', '127.0.0.1'])

const folder = new TemporaryFolder({
  'cert.pem': leaf.cert,
  'key.pem': leaf.key,
  'root.pem': root.ca,
  'root-key.pem': root.key,
})
folder.write('leaf.pem', leaf.certificate.toString())
folder.write('intermediate.pem', intermediate.certificate.toString())
folder.write('intermediate-key.pem', intermediate.key)
afterAll(() => folder.dispose())

function response(name: string, status: OcspSingle['status'], times: object = {}): string {
  const responses = [{ certificate: leaf.certificate, issuer: intermediate.certificate, status, ...times }]
  return folder.write(name, createOcspResponse({ signer: intermediate, responses }))
}

/** What the verification says of revocation, or the code of the refusal. */
async function judged(port: number, revocation: RevocationOptions): Promise<string> {
  try {
    const socket = await connect({
      host: '127.0.0.1',
      port,
      ca: root.ca,
      revocation: { cache: new OcspCache(), ...revocation },
    })
    socket.destroy()
    const outcome = socket.verification?.outcomes.revocation ?? expect.unreachable()
    return outcome.result === 'passed' ? `passed by ${outcome.evidence.by}` : outcome.result
  } catch (error) {
    return (error as { code: string }).code
  }
}

const stapling: readonly [string, string | undefined, (staple: string | undefined) => Promise<RunningPeer>][] = [
  ['openssl s_server', openssl, (staple) => sServer(staple === undefined ? [] : ['-status_file', staple])],
  [
    'nginx',
    nginx,
    (staple) =>
      startServer(nginx ?? '', (port) => {
        const configuration = folder.write(
          `nginx-${port}.conf`,
          `daemon off; master_process off; worker_processes 1; pid ${folder.file(`nginx-${port}.pid`)}; error_log stderr notice;
           events { worker_connections 64; }
           http { access_log off; client_body_temp_path ${folder.path}; proxy_temp_path ${folder.path}; fastcgi_temp_path ${folder.path}; uwsgi_temp_path ${folder.path}; scgi_temp_path ${folder.path};
             server { listen 127.0.0.1:${port} ssl; ssl_certificate ${folder.file('cert.pem')}; ssl_certificate_key ${folder.file('key.pem')};
               ${staple === undefined ? '' : `ssl_stapling on; ssl_stapling_file ${staple};`} location / { return 200 "hello"; } } }`,
        )
        return ['-e', 'stderr', '-p', folder.path, '-c', configuration]
      }),
  ],
]

function sServer(more: readonly string[]): Promise<RunningPeer> {
  const args = (port: number): string[] => [
    's_server',
    '-accept',
    `127.0.0.1:${port}`,
    '-cert',
    folder.file('leaf.pem'),
    '-key',
    folder.file('key.pem'),
    '-cert_chain',
    folder.file('intermediate.pem'),
    ...more,
  ]
  return startServer(openssl ?? '', args, { ready: /ACCEPT/ })
}

for (const [name, program, start] of stapling)
  describe.skipIf(program === undefined)(`staples of ${name}`, () => {
    const stale = { thisUpdate: Date.now() - 9 * DAY, nextUpdate: Date.now() - 2 * DAY }
    it.each<[string, () => string | undefined, string, string, string]>([
      ['good', () => response('good.der', 'good'), 'passed by staple', 'passed by staple', 'passed by staple'],
      ['revoked', () => response('revoked.der', 'revoked'), 'CERT_REVOKED', 'CERT_REVOKED', 'CERT_REVOKED'],
      [
        'unknown',
        () => response('unknown.der', 'unknown'),
        'ERR_OCSP_STATUS_UNKNOWN',
        'ERR_OCSP_STATUS_UNKNOWN',
        'ERR_OCSP_STATUS_UNKNOWN',
      ],
      [
        'expired',
        () => response('expired.der', 'good', stale),
        'waived',
        'ERR_OCSP_STAPLE_MISSING',
        'ERR_OCSP_STAPLE_MISSING',
      ],
      ['absent', () => undefined, 'waived', 'ERR_OCSP_STAPLE_MISSING', 'ERR_OCSP_STAPLE_MISSING'],
    ])('%s', async (_what, staple, underTry, underMust, underHard) => {
      await using server = await start(staple())
      expect(await judged(server.port, { staple: 'try' })).toBe(underTry)
      expect(await judged(server.port, { staple: 'must' })).toBe(underMust)
      expect(await judged(server.port, { failure: 'hard' })).toBe(underHard)
      expect(await judged(server.port, { staple: 'off' })).toBe('waived')
    })
  })

describe.skipIf(openssl === undefined)('lists of openssl ca', () => {
  /** A list of one CA, with these certificates in it. */
  async function list(
    name: string,
    ca: string,
    key: string,
    revoked: readonly string[],
    more: readonly string[] = [],
  ): Promise<string> {
    using data = new TemporaryFolder({ 'index.txt': '', crlnumber: '01\n' })
    const config = data.write(
      'ca.cnf',
      `[ca]\ndefault_ca=x\n[x]\ndatabase=${data.file('index.txt')}\ncrlnumber=${data.file('crlnumber')}\ndefault_md=sha256\ndefault_crl_days=7\ncertificate=${folder.file(ca)}\nprivate_key=${folder.file(key)}\n`,
    )
    for (const certificate of revoked)
      await ok(['ca', '-config', config, '-revoke', folder.file(certificate), '-crl_reason', 'keyCompromise'])
    await ok(['ca', '-config', config, '-gencrl', '-out', folder.file(name), ...more])
    return folder.file(name)
  }
  async function ok(args: readonly string[]): Promise<void> {
    const { code, stderr } = await run(openssl ?? '', args)
    expect(code, stderr).toBe(0)
  }
  const ofIntermediate = (name: string, revoked: readonly string[], more?: readonly string[]): Promise<string> =>
    list(name, 'intermediate.pem', 'intermediate-key.pem', revoked, more)

  it('that do not have the certificate, that have it, and that have expired', async () => {
    await using server = await sServer([])
    expect(await judged(server.port, { crlFile: await ofIntermediate('empty.pem', []) })).toBe('passed by crl')
    expect(await judged(server.port, { crlFile: await ofIntermediate('full.pem', ['leaf.pem']) })).toBe('CERT_REVOKED')
    const old = await ofIntermediate(
      'old.pem',
      [],
      ['-crl_lastupdate', '20240101000000Z', '-crl_nextupdate', '20240108000000Z'],
    )
    expect(await judged(server.port, { crlFile: old })).toBe('CRL_HAS_EXPIRED')
    expect(await judged(server.port, { crlFile: await list('other.pem', 'root.pem', 'root-key.pem', []) })).toBe(
      'UNABLE_TO_GET_CRL',
    )
  })

  it('for the whole chain', async () => {
    await using server = await sServer([])
    const { readFileSync } = await import('node:fs')
    const read = (path: string): string => readFileSync(path, 'latin1')
    const leafs = read(await ofIntermediate('leafs.pem', []))
    const both = folder.write('both.pem', leafs + read(await list('roots.pem', 'root.pem', 'root-key.pem', [])))
    expect(await judged(server.port, { crlFile: both, crlDepth: 'chain' })).toBe('passed by crl')
    const revoking = folder.write(
      'revoking.pem',
      leafs + read(await list('roots2.pem', 'root.pem', 'root-key.pem', ['intermediate.pem'])),
    )
    expect(await judged(server.port, { crlFile: revoking, crlDepth: 'chain' })).toBe('CERT_REVOKED')
    expect(await judged(server.port, { crlFile: revoking, crlDepth: 'leaf' })).toBe('passed by crl')
  })
})
