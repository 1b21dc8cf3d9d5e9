import { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import type { PeerClaim } from './engine/engine.ts'

/** Fields of a certificate by the original's names (`peer_certificate`). */
export type CertificateField = 'issuer' | 'authority' | 'subject' | 'owner' | 'commonName' | 'cn' | 'subjectAltNames'

/** The peer's chain as certificates, leaf first; from the session's entry where it was resumed. */
export function certificatesOf(claim: PeerClaim | undefined): readonly X509Certificate[] {
  return (claim?.chain ?? []).map((der) => new X509Certificate(der))
}

/** One field of a certificate as the original names them; text, or `[type, value]` pairs for subjectAltNames. */
export function fieldOf(
  certificate: X509Certificate,
  field: CertificateField,
  describe: (certificate: X509Certificate) => {
    readonly commonName: string | undefined
    readonly subjectAltNames: readonly (readonly [string, string])[]
  },
): string | readonly (readonly [string, string])[] | undefined {
  switch (field) {
    case 'issuer':
    case 'authority':
      return certificate.issuer
    case 'subject':
    case 'owner':
      return certificate.subject
    case 'commonName':
    case 'cn':
      return describe(certificate).commonName
    case 'subjectAltNames':
      return describe(certificate).subjectAltNames
    default:
      return field satisfies never
  }
}

/** Methods of tls.TLSSocket that only report, passed through under their own names. */
export const reportingMethods = [
  'exportKeyingMaterial',
  'getCertificate',
  'getCipher',
  'getEphemeralKeyInfo',
  'getFinished',
  'getPeerFinished',
  'getPeerX509Certificate',
  'getPeerCertificate',
  'getProtocol',
  'getSharedSigalgs',
  'getX509Certificate',
  'isSessionReused',
  'setMaxSendFragment',
] as const satisfies readonly (keyof TLSSocket)[]

export type ReportingMethod = (typeof reportingMethods)[number]
