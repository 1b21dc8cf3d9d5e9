import { certificateToPem, createAuthority, createCertificate, generateKeySync, type IssueOptions } from '@x/utils'
import { Interceptor } from '@x/intercept'
import { describe, expect, it } from 'vitest'
import { peer, run, TemporaryFolder } from '../src/index.ts'

const openssl = peer('openssl')
const certtool = peer('certtool')

const origins: readonly [title: string, options: IssueOptions][] = [
  ['two names', { names: ['www.example.org', 'example.org'] }],
  ['an empty subject', { names: 'www.example.org', subject: {} }],
  ['an IP address', { names: ['192.0.2.1', '2001:db8::1'] }],
  ['names of every type', { names: ['www.example.org', 'a@example.org', 'https://example.org/x', '192.0.2.1'] }],
  ['a wildcard', { names: '*.example.org' }],
  ['an RSA key', { names: 'www.example.org', privateKey: generateKeySync('rsa') }],
  ['an Ed25519 key', { names: 'www.example.org', privateKey: generateKeySync('ed25519') }],
  ['must-staple and URLs', { names: 'www.example.org', mustStaple: true, ocspUris: ['http://o.example'] }],
]
const signers = { 'P-256': generateKeySync('ec'), RSA: generateKeySync('rsa') }

describe.each(Object.entries(signers))('clones signed with %s', (_, privateKey) => {
  const ca = createAuthority({ subject: { commonName: 'Proxy CA' }, privateKey })
  const interceptor = new Interceptor({ certificate: ca.certificate, privateKey: ca.privateKey })
  const originCa = createAuthority('Origin CA')

  it.skipIf(openssl === undefined).each(origins)(
    'are accepted by openssl verify -x509_strict: %s',
    async (_, options) => {
      const clone = interceptor.clone(originCa.issue(options).certificate)
      using folder = new TemporaryFolder({ 'ca.pem': ca.cert, 'clone.pem': clone.cert })
      const strict = ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', folder.file('ca.pem')]
      expect(await run(openssl as string, [...strict, folder.file('clone.pem')])).toMatchObject({ code: 0 })
      // As a CA it is accepted by nobody.
      const below = createCertificate({
        subjectAltNames: [['DNS', 'below.example.org']],
        issuer: { certificate: clone.certificate, privateKey: clone.privateKey },
      })
      folder.write('below.pem', certificateToPem(below.certificate))
      const refused = await run(openssl as string, [
        ...strict,
        '-untrusted',
        folder.file('clone.pem'),
        folder.file('below.pem'),
      ])
      expect(refused.code).not.toBe(0)
      expect(refused.stderr).toMatch(/invalid CA certificate/)
    },
  )

  it.skipIf(certtool === undefined).each(origins)('are accepted by GnuTLS: %s', async (_, options) => {
    const clone = interceptor.clone(originCa.issue(options).certificate)
    using folder = new TemporaryFolder({ 'ca.pem': ca.cert })
    const finished = await run(certtool as string, ['--verify', '--load-ca-certificate', folder.file('ca.pem')], {
      input: clone.cert,
    })
    expect(finished.stdout + finished.stderr).toContain('Verified. The certificate is trusted.')
    expect(finished.code).toBe(0)
  })
})
