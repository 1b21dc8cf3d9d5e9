import { X509Certificate } from 'node:crypto'
import { rootCertificates } from 'node:tls'
import { describe, expect, it } from 'vitest'
import {
  CertificateView,
  ExtensionOid,
  readAuthorityKeyIdentifier,
  readBasicConstraints,
  readKeyUsage,
  readName,
  readSubjectKeyIdentifier,
  KeyUsage,
} from '../src/x509.ts'

/** Node's own roots: real certificates of many makers, with OpenSSL's reading of them as the second opinion. */
describe('CertificateView over Node’s root certificates', () => {
  const certificates = rootCertificates.map((pem) => new X509Certificate(pem))

  it('agrees with OpenSSL on every field that both know', () => {
    expect(certificates.length).toBeGreaterThan(100)
    for (const certificate of certificates) {
      const view = new CertificateView(certificate.raw)
      expect(new Date(view.notBefore)).toEqual(new Date(certificate.validFrom))
      expect(new Date(view.notAfter)).toEqual(new Date(certificate.validTo))
      const serial = Buffer.from(view.serialNumber).toString('hex').toUpperCase().replace(/^0+/, '')
      expect(serial).toBe(certificate.serialNumber.replace(/^0+/, ''))
      expect(Buffer.from(view.spki)).toEqual(certificate.publicKey.export({ type: 'spki', format: 'der' }))
      expect(readName(view.subject).length).toBe(certificate.subject.split('\n').length)
      const constraints = view.extension(ExtensionOid.BASIC_CONSTRAINTS)
      expect(constraints === undefined ? false : readBasicConstraints(constraints.value).ca).toBe(
        view.version === 3 ? certificate.ca : false,
      )
      const usage = view.extension('2.5.29.15')
      if (usage !== undefined) expect(readKeyUsage(usage.value) & KeyUsage.KEY_CERT_SIGN).toBe(KeyUsage.KEY_CERT_SIGN)
      const own = view.extension(ExtensionOid.SUBJECT_KEY_IDENTIFIER)
      const authority = view.extension(ExtensionOid.AUTHORITY_KEY_IDENTIFIER)
      if (own === undefined || authority === undefined) continue
      const { keyIdentifier } = readAuthorityKeyIdentifier(authority.value)
      if (keyIdentifier !== undefined) expect(readSubjectKeyIdentifier(own.value)).toEqual(keyIdentifier)
    }
  })
})
