import { X509Certificate } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSecureContext, rootCertificates } from 'node:tls'
import { loadCaStore } from '@x/ca-store'
import { CertificateView } from '@x/der/x509'
import type { BenchRow } from '../src/row.ts'

const DEBIAN = '/etc/ssl/certs/ca-certificates.crt'

export default function rows(): BenchRow[] {
  const file = bundle()
  const pems = blocks(file)
  const wanted = new X509Certificate(pems[Math.floor(pems.length / 2)] as string)
  const subject = new CertificateView(wanted.raw).subject
  const loaded = loadCaStore({ file })
  const ours = (): unknown => loadCaStore({ file }).findBySubject(subject)[0]
  return [
    {
      name: `ca-store: load ${pems.length} roots and find one by subject`,
      subjects: {
        '@x/ca-store': ours,
        'X509Certificate each': () => eachCertificate(file, wanted.subject),
        'createSecureContext({ ca })': () => createSecureContext({ ca: readFileSync(file) }),
      },
      batch: 1,
      goals: [{ of: 'X509Certificate each', atMost: 0.03 }],
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

/** Every certificate is decoded, as a program that does not know which one it will need has to. */
function eachCertificate(file: string, subject: string): X509Certificate | undefined {
  const certificates = blocks(file).map((pem) => new X509Certificate(pem))
  return certificates.find((certificate) => certificate.subject === subject)
}

/** Debian's bundle; elsewhere the same roots as Node bundles them. */
function bundle(): string {
  if (existsSync(DEBIAN)) return DEBIAN
  const folder = mkdtempSync(join(tmpdir(), 'x-bench-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'roots.pem')
  writeFileSync(file, rootCertificates.join('\n'))
  return file
}

function blocks(file: string): string[] {
  return readFileSync(file, 'latin1').match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
}
