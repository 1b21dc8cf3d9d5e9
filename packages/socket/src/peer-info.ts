import { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { describeCertificate } from '@x/utils'
import type { PeerClaim } from './engine/engine.ts'
import { invalidValue } from './errors.ts'

/** Fields of a certificate by the original's names (`peer_certificate`, `sock_certificate`). */
export type CertificateField = 'issuer' | 'authority' | 'subject' | 'owner' | 'commonName' | 'cn' | 'subjectAltNames'

/** A field's value: text, or `[type, value]` pairs for subjectAltNames. */
export type CertificateFieldValue = string | readonly (readonly [string, unknown])[] | undefined

/** The peer's chain as certificates, leaf first; from the session's entry where it was resumed. */
export function certificatesOf(claim: PeerClaim | undefined): readonly X509Certificate[] {
  return (claim?.chain ?? []).map((der) => new X509Certificate(der))
}

/** One field of a certificate as the original names them. */
export function fieldOf(certificate: X509Certificate, field: CertificateField): CertificateFieldValue {
  switch (field) {
    case 'issuer':
    case 'authority':
      return certificate.issuer
    case 'subject':
    case 'owner':
      return certificate.subject
    case 'commonName':
    case 'cn': {
      const name = describeCertificate(certificate).subject['commonName']
      return typeof name === 'string' ? name : name?.at(-1)
    }
    case 'subjectAltNames':
      return describeCertificate(certificate).subjectAltNames
    default:
      throw invalidValue('field', `must be a field of a certificate, not '${String(field satisfies never)}'`)
  }
}

/** Subject, issuer and cipher on two lines, as the original's `dump_peer_certificate` prints them. */
export function dumpCertificate(certificate: X509Certificate): string {
  const line = (name: string | undefined): string => `/${(name ?? '').replaceAll('\n', '/')}`
  return `Subject Name: ${line(certificate.subject)}\nIssuer  Name: ${line(certificate.issuer)}\n`
}

/** Methods of tls.TLSSocket that only report, passed through under their own names. */
export const reportingMethods = [
  'exportKeyingMaterial',
  'getCertificate',
  'getCipher',
  'getEphemeralKeyInfo',
  'getFinished',
  'getPeerFinished',
  'getPeerCertificate',
  'getProtocol',
  'getSharedSigalgs',
  'getX509Certificate',
  'isSessionReused',
  'setMaxSendFragment',
] as const satisfies readonly (keyof TLSSocket)[]

export type ReportingMethod = (typeof reportingMethods)[number]
