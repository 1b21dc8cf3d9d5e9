import { createOcspRequest, OcspResolver, type OcspResolverOptions, verifyOcspResponse } from '@x/ocsp'
import { createAuthority, type IssuedIdentity } from '@x/utils'
import { afterEach, describe, expect, it } from 'vitest'
import { freePort, peer, run, startServer, TemporaryFolder } from '../src/index.ts'
import { type Entry, opensslIndex, OurResponder } from './ocsp-pki.ts'

const openssl = peer('openssl')
const cleanups: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

describe.skipIf(openssl === undefined)('openssl ocsp as responder', () => {
  /** A CA whose responder is openssl; certificates are made before it starts, since it reads its index once. */
  async function responder(args: readonly string[] = ['-nmin', '60'], delegated = false) {
    const ca = createAuthority('OpenSSL CA')
    const signer = delegated ? ca.issue({ subject: { commonName: 'Delegate' }, extendedKeyUsage: ['OCSPSigning'] }) : ca
    const port = await freePort()
    const issue = (name: string): IssuedIdentity => ca.issue({ names: name, ocspUris: [`http://127.0.0.1:${port}/`] })
    const entries: Entry[] = [
      { identity: issue('good.example'), status: 'good' },
      {
        identity: issue('bad.example'),
        status: 'revoked',
        reason: 'keyCompromise',
        revokedAt: Date.UTC(2026, 0, 2, 3, 4, 5),
      },
      { identity: issue('forgotten.example'), status: 'unknown' },
    ]
    const folder = new TemporaryFolder({
      'index.txt': opensslIndex(entries),
      'ca.pem': ca.cert,
      'signer.pem': signer.cert.split(/(?<=-----END CERTIFICATE-----\n)/)[0] as string,
      'key.pem': signer.key,
    })
    cleanups.push(() => folder.dispose())
    const file = (name: string): string => folder.file(name)
    const server = await startServer(
      openssl as string,
      () => [
        'ocsp',
        '-index',
        file('index.txt'),
        '-CA',
        file('ca.pem'),
        '-rsigner',
        file('signer.pem'),
        '-rkey',
        file('key.pem'),
        '-port',
        `${port}`,
        ...args,
      ],
      { ready: /waiting for OCSP client/ },
    )
    cleanups.push(() => server.stop())
    const [good, bad, forgotten] = entries.map(({ identity }) => identity) as [
      IssuedIdentity,
      IssuedIdentity,
      IssuedIdentity,
    ]
    const ask = async (
      certificate: IssuedIdentity,
      options: Partial<OcspResolverOptions> = {},
      method: 'POST' | 'GET' = 'POST',
    ) => new OcspResolver({ chain: [certificate, ca], failure: 'hard', ...options }).resolve({ method })
    return { ca, good, bad, forgotten, ask, url: `http://127.0.0.1:${port}/` }
  }

  it('good, revoked with time and reason, unknown; with its nonce', async () => {
    const { good, bad, forgotten, ask } = await responder()
    expect(await ask(good, { nonce: 'must' })).toMatchObject({
      result: 'good',
      findings: [{ status: { nonce: 'matched', responder: { by: 'issuer' } } }],
    })
    expect(await ask(bad)).toMatchObject({
      result: 'refused',
      error: {
        code: 'ERR_OCSP_REVOKED',
        status: { reason: 'keyCompromise', revokedAt: new Date(Date.UTC(2026, 0, 2, 3, 4, 5)) },
      },
    })
    expect(await ask(forgotten, { failure: 'soft' })).toMatchObject({
      result: 'refused',
      error: { code: 'ERR_OCSP_STATUS_UNKNOWN' },
    })
  })

  it('by GET, without a nonce, by SHA-256', async () => {
    const { good, ask } = await responder()
    expect(await ask(good, { nonce: 'off' }, 'GET')).toMatchObject({
      result: 'good',
      findings: [{ status: { nonce: 'not-asked' } }],
    })
    expect(await ask(good, { hash: 'sha256' })).toMatchObject({ result: 'good' })
  })

  it('several certificates in one request', async () => {
    const { ca, good, bad, forgotten, url } = await responder()
    const pairs = [good, bad, forgotten].map((certificate) => ({ certificate, issuer: ca }))
    const reply = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/ocsp-request' },
      body: createOcspRequest(pairs).slice(),
    })
    const body = new Uint8Array(await reply.arrayBuffer())
    expect(pairs.map((pair) => verifyOcspResponse(body, pair).status)).toEqual(['good', 'revoked', 'unknown'])
  })

  it('a delegate', async () => {
    const { good, bad, ask } = await responder(['-nmin', '60'], true)
    expect(await ask(good)).toMatchObject({ result: 'good', findings: [{ status: { responder: { by: 'delegate' } } }] })
    expect(await ask(bad)).toMatchObject({ error: { code: 'ERR_OCSP_REVOKED' } })
  })

  it('a delegate that does not come along is not believed', async () => {
    const { good, ask } = await responder(['-nmin', '60', '-resp_no_certs'], true)
    expect(await ask(good)).toMatchObject({ result: 'refused', error: { code: 'ERR_OCSP_RESPONDER_UNAUTHORIZED' } })
  })

  it('named by its key, without nextUpdate', async () => {
    const { good, ask } = await responder(['-resp_key_id'])
    expect(await ask(good)).toMatchObject({ result: 'good', findings: [{ status: { nextUpdate: undefined } }] })
  })

  it('a corrupted signature', async () => {
    const { good, ask } = await responder(['-nmin', '60', '-badsig'])
    expect(await ask(good)).toMatchObject({ result: 'refused', error: { code: 'ERR_OCSP_SIGNATURE_INVALID' } })
  })

  it('a signature over SHA-1', async () => {
    const { good, ask } = await responder(['-nmin', '60', '-rmd', 'sha1'])
    expect(await ask(good)).toMatchObject({ result: 'refused', error: { code: 'ERR_OCSP_ALGORITHM_WEAK' } })
    expect(await ask(good, { weakDigests: 'tell' })).toMatchObject({ result: 'good' })
  })
})

describe.skipIf(openssl === undefined)('openssl ocsp as client of our responder', () => {
  async function ask(responder: OurResponder, identity: IssuedIdentity, args: readonly string[] = []) {
    using folder = new TemporaryFolder({ 'ca.pem': responder.ca.cert, 'cert.pem': identity.certificate.toString() })
    const ca = folder.file('ca.pem')
    const certificate = folder.file('cert.pem')
    return await run(openssl as string, [
      'ocsp',
      '-issuer',
      ca,
      '-CAfile',
      ca,
      ...args,
      '-cert',
      certificate,
      '-url',
      responder.url,
    ])
  }

  async function ours(): Promise<OurResponder> {
    const responder = await OurResponder.start()
    cleanups.push(() => responder[Symbol.asyncDispose]())
    return responder
  }

  it.each([
    ['signed by the CA', false],
    ['signed by a delegate', true],
  ])('good, revoked, unknown: %s', async (_name, delegated) => {
    const responder = await ours()
    if (delegated)
      responder.signer = responder.ca.issue({ subject: { commonName: 'Delegate' }, extendedKeyUsage: ['OCSPSigning'] })
    const good = await ask(responder, responder.issue('good.example', { status: 'good' }))
    expect(good.stderr).toContain('Response verify OK')
    expect(good.stdout).toMatch(/: good\n/)
    const bad = await ask(
      responder,
      responder.issue('bad.example', { status: 'revoked', reason: 'superseded', revokedAt: Date.UTC(2026, 0, 2) }),
    )
    expect(bad.stderr).toContain('Response verify OK')
    expect(bad.stdout).toMatch(/: revoked\n[^]*Reason: superseded\n[^]*Revocation Time: Jan {2}2 00:00:00 2026 GMT/)
    const unknown = await ask(responder, responder.issue('forgotten.example', { status: 'unknown' }))
    expect(unknown.stdout).toMatch(/: unknown\n/)
  })

  it.each([['-nonce'], ['-no_nonce'], ['-sha256']])('with %s', async (option) => {
    const responder = await ours()
    const { stdout, stderr } = await ask(responder, responder.issue('good.example', { status: 'good' }), [option])
    expect(stdout).toMatch(/: good\n/)
    expect(stderr).toContain('Response verify OK')
    expect(stderr).not.toContain('WARNING')
  })

  it('a request that is none gets an answer that says so', async () => {
    const responder = await ours()
    const reply = await fetch(responder.url, { method: 'POST', body: 'hello' })
    expect(Buffer.from(await reply.arrayBuffer()).toString('hex')).toBe('30030a0101')
  })
})
