import { sign, X509Certificate } from 'node:crypto'
import { rootCertificates } from 'node:tls'
import {
  type CertificateOptions,
  createAuthority,
  createCertificate,
  describeCertificate,
  generateKeySync,
} from '@x/utils'
import type { BenchRow } from '../src/row.ts'

export default function rows(): BenchRow[] {
  const ca = createAuthority('Bench CA')
  const leaf = ca.issue(['example.org', 'www.example.org', 'mail.example.org', '127.0.0.1']).raw
  const root = new X509Certificate(rootCertificates[0] as string).raw
  return [
    creating('P-256', 'ec', 2.5),
    creating('RSA-2048', 'rsa', 1.2),
    describing('a leaf', leaf),
    describing('a root', root),
  ]
}

/** A leaf with its key and its issuer given, as a proxy or a test makes many of. */
function creating(name: string, kind: 'ec' | 'rsa', atMost: number): BenchRow {
  const ca = createAuthority({ privateKey: generateKeySync(kind) })
  const key = generateKeySync('ec')
  const options: CertificateOptions = {
    subject: { commonName: 'example.org' },
    subjectAltNames: [
      ['DNS', 'example.org'],
      ['DNS', 'www.example.org'],
      ['IP', '127.0.0.1'],
    ],
    purpose: 'server',
    privateKey: key,
    issuer: { certificate: ca.certificate, privateKey: ca.privateKey },
  }
  const data = createCertificate(options).raw
  return {
    name: `utils: create a certificate, ${name} signer, keys given`,
    subjects: {
      '@x/utils': () => createCertificate(options).raw,
      'bare crypto.sign': () => sign('sha256', data, ca.privateKey),
    },
    batch: 50,
    goals: [{ of: 'bare crypto.sign', atMost }],
  }
}

function describing(name: string, der: Uint8Array): BenchRow {
  return {
    name: `utils: describe ${name}`,
    subjects: {
      '@x/utils': () => describeCertificate(der),
      'new X509Certificate': () => new X509Certificate(der),
    },
    batch: 50,
    goals: [{ of: 'new X509Certificate', atMost: 0.15 }],
  }
}
