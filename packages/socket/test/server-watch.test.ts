import { once } from 'node:events'
import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import { join } from 'node:path'
import { createOcspResponse, createStapler } from '@x/ocsp'
import { afterAll, describe, expect, it } from 'vitest'
import { connect } from '../src/index.ts'
import { echoing, ourServer, visit } from './server-support.ts'
import { authority } from './support.ts'

const folder = mkdtempSync(join(tmpdir(), 'x-socket-'))
afterAll(() => rmSync(folder, { recursive: true }))

const issued = (commonName: string) => authority.issue({ names: ['localhost'], subject: { commonName } })
const [first, second, third] = [issued('first'), issued('second'), issued('third')]
const both = ({ cert, key }: { cert: string; key: string }) => cert + key

/** As tools do it: a new file, renamed over the old one. */
function replace(path: string, content: string): void {
  writeFileSync(`${path}.new`, content)
  renameSync(`${path}.new`, path)
}

describe('watch', () => {
  it('takes replaced files, and keeps what it has where they are broken', async () => {
    const certFile = join(folder, 'one.pem')
    writeFileSync(certFile, both(first))
    await using server = await ourServer({ certFile, watch: true })
    echoing(server)
    expect((await visit(server.port)).subject).toBe('CN=first')
    let over = once(server, 'reload')
    replace(certFile, both(second))
    await over
    expect((await visit(server.port)).subject).toBe('CN=second')
    const failed = once(server, 'reloadError')
    replace(certFile, first.cert + second.key)
    expect((await failed)[0]).toMatchObject({ code: 'ERR_SECURE_SOCKET_CREDENTIALS' })
    expect((await visit(server.port)).subject).toBe('CN=second')
    over = once(server, 'reload')
    replace(certFile, both(third))
    await over
    expect((await visit(server.port)).subject).toBe('CN=third')
  })

  it('of hosts, and through links that change', async () => {
    for (const [name, identity] of [
      ['a', first],
      ['b', second],
    ] as const) {
      writeFileSync(join(folder, `${name}.pem`), both(identity))
    }
    const link = join(folder, 'link.pem')
    symlinkSync(join(folder, 'a.pem'), link)
    await using server = await ourServer({ hosts: { localhost: { certFile: link } }, watch: true })
    echoing(server)
    expect((await visit(server.port)).subject).toBe('CN=first')
    const over = once(server, 'reload')
    symlinkSync(join(folder, 'b.pem'), `${link}.new`)
    renameSync(`${link}.new`, link)
    await over
    expect((await visit(server.port)).subject).toBe('CN=second')
    await server.setHosts({ localhost: { certFile: join(folder, 'a.pem') } })
    expect((await visit(server.port)).subject).toBe('CN=first')
  })
})

describe('stapler of a host with several certificates', () => {
  const uris = { ec: 'http://ec.example/', rsa: 'http://rsa.example/' }
  const pair = {
    ec: authority.issue({ names: ['localhost'], privateKey: { type: 'ec' }, ocspUris: [uris.ec] }),
    rsa: authority.issue({ names: ['localhost'], privateKey: { type: 'rsa' }, ocspUris: [uris.rsa] }),
  }
  const answers = new Map(
    (['ec', 'rsa'] as const).map((type) => [
      uris[type],
      createOcspResponse({
        signer: { certificate: authority.certificate, privateKey: authority.privateKey },
        responses: [{ certificate: pair[type].certificate, issuer: authority.certificate, status: 'good' }],
      }),
    ]),
  )
  const stapler = createStapler({
    fetch: (url) => Promise.resolve(new Response(Buffer.from(answers.get(url) ?? []), { status: 200 })),
    issuers: authority.ca,
  })
  const credentials = ({ cert, key }: { cert: string; key: string }) => ({ cert, key })
  const ecdsa = 'ecdsa_secp256r1_sha256'
  const rsa = 'rsa_pss_rsae_sha256'

  const clients = [
    ['any', {}, 'ec'],
    ['one that takes only RSA keys', { sigalgs: `${rsa}:${ecdsa}`, ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' }, 'rsa'],
    ['one that takes only ECDSA keys', { ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }, 'ec'],
    ['one without P-256', { ecdhCurve: 'X25519' }, 'rsa'],
  ] as const

  it.each(clients)('staples about the certificate that it shows, TLSv1.2: %s', async (_what, options, type) => {
    await using server = await ourServer({ hosts: { '': [credentials(pair.rsa), credentials(pair.ec)] }, stapler })
    echoing(server)
    const client = await connect({
      host: '127.0.0.1',
      port: server.port,
      servername: 'localhost',
      ca: authority.ca,
      revocation: { staple: 'must' },
      maxVersion: 'TLSv1.2',
      ...options,
    })
    expect(client.getPeerX509Certificate()?.publicKey.asymmetricKeyType).toBe(type)
    expect(client.verification?.outcomes.revocation).toMatchObject({ result: 'passed', evidence: { by: 'staple' } })
    client.destroy()
  })

  it('staples about the certificate that it shows, TLSv1.3', async () => {
    await using server = await ourServer({ hosts: { '': [credentials(pair.rsa), credentials(pair.ec)] }, stapler })
    echoing(server)
    const must = { ca: authority.ca, revocation: { staple: 'must' }, minVersion: 'TLSv1.3' } as const
    const client = await connect({ ...must, host: '127.0.0.1', port: server.port, servername: 'localhost' })
    expect(client.getPeerX509Certificate()?.publicKey.asymmetricKeyType).toBe('ec')
    expect(client.verification?.outcomes.revocation).toMatchObject({ result: 'passed', evidence: { by: 'staple' } })
    client.destroy()
  })

  it.each([
    ['sigalgs of its own', { sigalgs: `${ecdsa}:${rsa}` }],
    ['ciphers of its own', { ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256' }],
    ['curves of its own', { ecdhCurve: 'X25519' }],
  ])('leaves the choice to OpenSSL where a host has %s', async (_what, options) => {
    const hosts = { '': [{ ...credentials(pair.rsa), ...options }, credentials(pair.ec)] }
    await using server = await ourServer({ hosts, stapler })
    echoing(server)
    const where = { host: '127.0.0.1', port: server.port, servername: 'localhost', ca: authority.ca }
    const asking: ConnectionOptions & { requestOCSP: boolean } = { ...where, maxVersion: 'TLSv1.2', requestOCSP: true }
    const socket = connectTls(asking)
    const [[staple]] = await Promise.all([once(socket, 'OCSPResponse'), once(socket, 'secureConnect')])
    expect(staple).toBe(null)
    socket.destroy()
  })

  it('tickets of one certificate resume where the other is shown, or none was chosen', async () => {
    await using server = await ourServer({ hosts: { '': [credentials(pair.rsa), credentials(pair.ec)] }, stapler })
    echoing(server)
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const { session } = await visit(server.port, { maxVersion, minVersion: maxVersion })
      const options = { maxVersion, minVersion: maxVersion, requestOCSP: true, session }
      expect(await visit(server.port, options)).toMatchObject({ reused: true, answer: 'ping' })
    }
  })
})

describe('stapler', () => {
  const urls = { ocspUris: ['http://ocsp.example/'] }
  const served = authority.issue({ names: ['localhost'], ...urls })
  const answered = createOcspResponse({
    signer: { certificate: authority.certificate, privateKey: authority.privateKey },
    responses: [{ certificate: served.certificate, issuer: authority.certificate, status: 'good' }],
  })

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('staples what the client demands, %s', async (version) => {
    const stapler = createStapler({
      fetch: () => Promise.resolve(new Response(Buffer.from(answered), { status: 200 })),
      issuers: authority.ca,
    })
    await using server = await ourServer({ cert: served.cert, key: served.key, stapler })
    echoing(server)
    const must = {
      host: '127.0.0.1',
      verify: { name: 'localhost' },
      ca: authority.ca,
      revocation: { staple: 'must' },
    } as const
    const limits = { minVersion: version, maxVersion: version }
    const client = await connect({ ...must, ...limits, port: server.port, servername: 'localhost' })
    expect(client.verification?.outcomes.revocation).toMatchObject({ result: 'passed', evidence: { by: 'staple' } })
    client.destroy()
    stapler.close()
    expect((await visit(server.port)).answer).toBe('ping')
  })
})
