import { X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { createSecureContext, rootCertificates } from 'node:tls'
import { loadCaStore } from '@x/ca-store'
import { CertificateView } from '@x/der/x509'
import { cpuPerCall } from '../src/cpu.ts'
import { filesOf } from '../src/files.ts'
import { outsidePeer } from '../src/outside-peer.ts'
import type { BenchRow } from '../src/row.ts'

const DEBIAN = '/etc/ssl/certs/ca-certificates.crt'

export default function rows(): BenchRow[] {
  // elsewhere the same roots as Node bundles them
  const file = existsSync(DEBIAN) ? DEBIAN : filesOf({ roots: rootCertificates.join('\n') }).roots
  const pems = blocks(file)
  const wanted = new X509Certificate(pems[Math.floor(pems.length / 2)] as string)
  const subject = new CertificateView(wanted.raw).subject
  const loaded = loadCaStore({ file })
  const ours = (): unknown => loadCaStore({ file }).findBySubject(subject)[0]
  const work = `ca-store: load ${pems.length} roots and find one by subject`
  return [
    {
      name: work,
      subjects: {
        '@x/ca-store': ours,
        'X509Certificate each': () => eachCertificate(file, wanted.subject),
        'createSecureContext({ ca })': () => createSecureContext({ ca: readFileSync(file) }),
      },
      batch: 1,
      goals: [{ of: 'X509Certificate each', atMost: 0.03 }],
    },
    {
      name: `${work}, beside other languages`,
      measure: {
        '@x/ca-store': cpuPerCall(ours, 200),
        'C SSL_CTX_load_verify_locations': outsidePeer('roots.c', { args: [file], calls: 5 }),
        'Go crypto/x509': outsidePeer('roots.go', { args: [file, subjectHex(subject)], calls: 50 }),
      },
      goals: [
        { of: 'C SSL_CTX_load_verify_locations', atMost: 0.03 },
        { of: 'Go crypto/x509', atMost: 0.3 },
      ],
    },
    {
      name: 'ca-store: find one by subject in a store that is loaded',
      subjects: {
        '@x/ca-store': () => loaded.findBySubject(subject)[0],
        'new X509Certificate': () => new X509Certificate(wanted.raw),
      },
      batch: 100,
      goals: [{ of: 'new X509Certificate', atMost: 0.03 }],
    },
  ]
}

function subjectHex(subject: Uint8Array): string {
  return Buffer.from(subject).toString('hex')
}

/** Every certificate is decoded, as a program that does not know which one it will need has to. */
function eachCertificate(file: string, subject: string): X509Certificate | undefined {
  const certificates = blocks(file).map((pem) => new X509Certificate(pem))
  return certificates.find((certificate) => certificate.subject === subject)
}

function blocks(file: string): string[] {
  return readFileSync(file, 'latin1').match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
}
