import { X509Certificate } from 'node:crypto'
import tls from 'node:tls'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import {
  createAuthority,
  createCertificate,
  fingerprint,
  generateKeySync,
  matchesFingerprint,
  parseFingerprint,
  parseCertificates,
  certificateToPem,
  privateKeyToPem,
  verifySignature,
} from '@x/utils'
import { CertificateView } from '@x/der/x509'

for (const kind of [
  'ec',
  'rsa',
  'rsa-pss',
  'ed25519',
  { type: 'ec', curve: 'P-384' },
  { type: 'ec', curve: 'P-521' },
  'ed448',
] as const)
  it(`makes ${JSON.stringify(kind)}`, async () => {
    const ca = createAuthority({ privateKey: kind })
    const inter = ca.issue({ ca: true, pathLength: 0 })
    const leaf = inter.issue({
      names: ['localhost', '127.0.0.1', '*.münchen.de', 'a@b.c', 'https://x/', '::1'],
      privateKey: kind,
      padding: 'pss',
    })
    expect(leaf.certificate.verify(inter.certificate.publicKey)).toBe(true)
    expect(leaf.certificate.checkIssued(inter.certificate)).toBe(true)
    expect(leaf.certificate.subjectAltName).toBe(
      'DNS:localhost, IP Address:127.0.0.1, DNS:*.xn--mnchen-3ya.de, email:a@b.c, URI:https://x/, IP Address:0:0:0:0:0:0:0:1',
    )
    const view = new CertificateView(leaf.raw)
    expect(
      verifySignature({
        algorithm: view.signatureAlgorithm,
        data: view.tbs,
        signature: view.signature,
        publicKey: inter.certificate.publicKey,
      }).weak,
    ).toBe(false)
    expect(parseCertificates(`junk\n${leaf.cert}junk${ca.cert}`.replace('junk---', 'junk\n---'))).toHaveLength(3)
    expect(matchesFingerprint(leaf, [fingerprint(leaf.certificate, { of: 'public-key' })])).toBeDefined()
    if (kind === 'ed448') return
    const server = tls.createServer({ ...leaf }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const client = tls.connect({
      host: '127.0.0.1',
      port: (server.address() as { port: number }).port,
      servername: 'localhost',
      ca: inter.ca,
    })
    await once(client, 'secureConnect')
    expect(client.authorized).toBe(true)
    client.destroy()
    server.close()
  })
