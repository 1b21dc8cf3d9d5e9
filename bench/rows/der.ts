import { X509Certificate } from 'node:crypto'
import { rootCertificates } from 'node:tls'
import { decodeAscii } from '@x/der'
import { CertificateView, ExtensionOid, GeneralNameTag, readName, readSubjectAltName } from '@x/der/x509'
import type { BenchRow } from '../src/row.ts'

/** A P-256 certificate for three names and an address; whether it is still valid does not matter to reading it. */
const LEAF = `-----BEGIN CERTIFICATE-----
MIIBvjCCAWSgAwIBAgIUHrm/8PCIHrdgl3BYkS4vw3rYEkMwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJYS5leGFtcGxlMB4XDTI2MTEyMTEyMDQxM1oXDTI2MTIyMTEy
MDQxM1owFDESMBAGA1UEAwwJYS5leGFtcGxlMFkwEwYHKoZIzj0CAQYIKoZIzj0D
AQcDQgAEZrHUKzR9vf8+gOPlm4SGWawahaUgsdP1U7i6HGs19nl38vd47pVdn2MA
X+rRx1JZlRl9YT2c9ZFo0uHhNSwVzKOBkzCBkDAdBgNVHQ4EFgQUaN207B8GJ6x9
llFiag40RHHYwiUwHwYDVR0jBBgwFoAUaN207B8GJ6x9llFiag40RHHYwiUwDwYD
VR0TAQH/BAUwAwEB/zA9BgNVHREENjA0gglhLmV4YW1wbGWCD3d3dy5leGFtcGxl
Lm9yZ4IQbWFpbC5leGFtcGxlLm9yZ4cEfwAAATAKBggqhkjOPQQDAgNIADBFAiEA
97USMNocQMRhF7rIVgv4pAdaV94pUdEfEkMNWGXPrM8CIE3N5gHR6HFB+0WpC+W1
n+DAiHxXGZpEfzzc81OOLGnr
-----END CERTIFICATE-----`

export default function rows(): BenchRow[] {
  const leaf = new X509Certificate(LEAF).raw
  const root = new X509Certificate(rootCertificates[0] as string).raw
  return [
    {
      name: 'der: read the names out of a certificate',
      subjects: {
        '@x/der': () => dnsNames(leaf),
        'new X509Certificate': () => new X509Certificate(leaf),
        'new X509Certificate, subjectAltName': () => new X509Certificate(leaf).subjectAltName,
      },
      batch: 50,
      goals: [{ of: 'new X509Certificate', atMost: 0.03 }],
    },
    {
      name: 'der: read subject and issuer out of a root certificate',
      subjects: {
        '@x/der': () => subjectAndIssuer(root),
        'new X509Certificate': () => new X509Certificate(root),
      },
      batch: 50,
      goals: [{ of: 'new X509Certificate', atMost: 0.1 }],
    },
  ]
}

function dnsNames(der: Uint8Array): (string | undefined)[] {
  const extension = new CertificateView(der).extension(ExtensionOid.SUBJECT_ALT_NAME)
  if (extension === undefined) return []
  const names: (string | undefined)[] = []
  for (const { tag, value } of readSubjectAltName(extension.value))
    if (tag === GeneralNameTag.DNS) names.push(decodeAscii(value))
  return names
}

function subjectAndIssuer(der: Uint8Array): number {
  const view = new CertificateView(der)
  return readName(view.subject).length + readName(view.issuer).length
}
