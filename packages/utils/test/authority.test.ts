import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import tls from 'node:tls'
import { CertificateView } from '@x/der/x509'
import { describe, expect, it } from 'vitest'
import { createAuthority, describeCertificate, generateKeySync, parseCertificates, verifySignature } from '@x/utils'
import { codeOf } from './support.ts'

describe('createAuthority', () => {
  it('in three lines gives a test a CA and a server', async () => {
    const ca = createAuthority()
    const server = tls.createServer(ca.issue(['localhost', '127.0.0.1'])).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const client = tls.connect({ host: '127.0.0.1', port, servername: 'localhost', ca: ca.cert })
    await once(client, 'secureConnect')
    expect(client.authorized).toBe(true)
    client.destroy()
    server.close()
  })

  it.each([
    'ec',
    'rsa',
    'rsa-pss',
    'ed25519',
    'ed448',
    { type: 'ec', curve: 'P-384' },
    { type: 'ec', curve: 'P-521' },
  ] as const)('makes chains with %j keys', (privateKey) => {
    const root = createAuthority({ privateKey })
    const intermediate = root.issue({ ca: true, pathLength: 0, privateKey })
    const leaf = intermediate.issue({ names: 'localhost', privateKey, padding: 'pss' })
    for (const [subject, issuer] of [
      [leaf, intermediate],
      [intermediate, root],
      [root, root],
    ] as const) {
      expect(subject.certificate.verify(issuer.certificate.publicKey)).toBe(true)
      expect(subject.certificate.checkIssued(issuer.certificate)).toBe(true)
      const view = new CertificateView(subject.raw)
      const claim = {
        algorithm: view.signatureAlgorithm,
        data: view.tbs,
        signature: view.signature,
        publicKey: issuer.certificate.publicKey,
      }
      expect(verifySignature(claim).weak).toBe(false)
    }
    expect(parseCertificates(leaf.cert).map(({ raw }) => raw)).toEqual(
      [leaf, intermediate].map(({ raw }) => Buffer.from(raw)),
    )
    expect(leaf.ca).toBe(root.cert)
  })

  it('can sign certificates and CRLs, and takes a name or options', () => {
    expect(describeCertificate(createAuthority('My CA'))).toMatchObject({
      subject: { commonName: 'My CA' },
      keyUsage: ['digitalSignature', 'keyCertSign', 'cRLSign'],
    })
    expect(describeCertificate(createAuthority({ notAfter: Date.UTC(2050, 0) }))).toMatchObject({
      subject: { commonName: 'Test CA' },
      notAfter: new Date(Date.UTC(2050, 0)),
    })
    const privateKey = generateKeySync('ed25519')
    expect(createAuthority({ privateKey }).privateKey).toBe(privateKey)
  })

  it('tells names apart', () => {
    const names = [
      'localhost',
      '*.example.org',
      'münchen.example',
      '*.münchen.example',
      '127.0.0.1',
      '::1',
      'a@b.c',
      'https://a.example/',
    ]
    expect(describeCertificate(createAuthority().issue(names)).subjectAltNames).toEqual([
      ['DNS', 'localhost'],
      ['DNS', '*.example.org'],
      ['DNS', 'xn--mnchen-3ya.example'],
      ['DNS', '*.xn--mnchen-3ya.example'],
      ['IP', '127.0.0.1'],
      ['IP', '::1'],
      ['EMAIL', 'a@b.c'],
      ['URI', 'https://a.example/'],
    ])
  })

  it('puts names before subjectAltNames', () => {
    const { subjectAltNames, subject } = describeCertificate(
      createAuthority().issue({ names: 'a', subjectAltNames: [['DNS', 'b']] }),
    )
    expect({ subjectAltNames, subject }).toEqual({
      subjectAltNames: [
        ['DNS', 'a'],
        ['DNS', 'b'],
      ],
      subject: { commonName: 'a' },
    })
  })

  it('reads nothing before it is asked for', () => {
    const issued = createAuthority().issue('a')
    expect(Object.keys(issued).sort()).toEqual(['ca', 'cert', 'certificate', 'key', 'privateKey', 'raw'])
    expect(issued.certificate).toBe(issued.certificate)
  })

  it.each([
    [{ names: [''] }, 'ERR_INVALID_ARG_TYPE names'],
    [{ names: [1] }, 'ERR_INVALID_ARG_TYPE names'],
    [{ name: 'a' }, 'ERR_INVALID_ARG_VALUE name'],
    [{ names: 'a\0b' }, 'ERR_INVALID_ARG_VALUE subjectAltNames'],
  ])('refuses to issue %j', (options, code) => {
    expect(codeOf(() => createAuthority().issue(options as never))).toBe(code)
  })
})
