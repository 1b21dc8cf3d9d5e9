import { sign, X509Certificate } from 'node:crypto'
import { rootCertificates } from 'node:tls'
import {
  type CertificateOptions,
  createAuthority,
  createCertificate,
  describeCertificate,
  generateKeySync,
} from '@x/utils'
import { cpuPerCall } from '../src/cpu.ts'
import { filesOf } from '../src/files.ts'
import { outsidePeer } from '../src/outside-peer.ts'
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
    describingBesideOriginal(leaf),
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
      'limit: bare crypto.sign': () => sign('sha256', data, ca.privateKey),
    },
    batch: 50,
    goals: [{ of: 'limit: bare crypto.sign', atMost }],
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

function describingBesideOriginal(der: Uint8Array): BenchRow {
  const { leaf } = filesOf({ leaf: new X509Certificate(der).toString() })
  return {
    name: 'utils: describe a leaf, beside the original',
    measure: {
      '@x/utils': cpuPerCall(() => describeCertificate(der), 5000),
      'CERT_asHash (already decoded)': outsidePeer('describe.pl', { args: [leaf], calls: 5000 }),
    },
    goals: [{ of: 'CERT_asHash (already decoded)', atMost: 1 }],
  }
}
