import { X509Certificate } from 'node:crypto'
import type { DetailedPeerCertificate, PeerCertificate, TLSSocket } from 'node:tls'
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

/**
 * Certificates as tls.TLSSocket's getPeerCertificate() has them: each with its issuer where `detailed`, the last of them its own if it is
 * self-signed; an empty object for none.
 */
export function legacyCertificate(path: readonly X509Certificate[], detailed: boolean): PeerCertificate {
  const [leaf] = path
  if (leaf === undefined) return {} as PeerCertificate
  const last = path.at(-1) as X509Certificate
  const above = path.map((certificate) => certificate.toLegacyObject() as DetailedPeerCertificate)
  if (detailed)
    for (const [depth, certificate] of above.entries()) {
      const issuer = above[depth + 1] ?? (last.checkIssued(last) ? certificate : undefined)
      if (issuer !== undefined) certificate.issuerCertificate = issuer
    }
  return above[0] as PeerCertificate
}

/** Methods of tls.TLSSocket that only report, passed through under their own names. */
export const reportingMethods = [
  'exportKeyingMaterial',
  'getCertificate',
  'getCipher',
  'getEphemeralKeyInfo',
  'getFinished',
  'getPeerFinished',
  'getProtocol',
  'getSharedSigalgs',
  'getX509Certificate',
  'isSessionReused',
  'setMaxSendFragment',
] as const satisfies readonly (keyof TLSSocket)[]

export type ReportingMethod = (typeof reportingMethods)[number]
