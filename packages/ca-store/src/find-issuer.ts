import type { X509Certificate } from 'node:crypto'
import {
  type CertificateView,
  ExtensionOid,
  readAuthorityKeyIdentifier,
  readSubjectKeyIdentifier,
  sameBytes,
} from '@x/der/x509'
import { type Entry, tryCertificate } from './entry.ts'

/**
 * The candidate (all bear the issuer's name) whose key signed the certificate, or undefined. Tried in this order: the key
 * identifier that the certificate asks for (RFC 5280 section 4.2.1.1), valid at `now`, latest end.
 * Not checked: that the issuer may issue (constraints, usages) or is valid; that is the path's verification.
 */
export function findSigner(
  certificate: CertificateView,
  candidates: readonly Entry[],
  now: number,
): X509Certificate | undefined {
  if (candidates.length === 0) return undefined
  const child = tryCertificate(certificate.der)
  const wanted = authorityKeyIdentifier(certificate)
  const ranked = candidates.map((entry) => ({ entry, rank: rank(entry.view, wanted, now) }))
  ranked.sort((a, b) => b.rank - a.rank || b.entry.view.notAfter - a.entry.view.notAfter)
  for (const { entry } of ranked) if (child !== undefined && isSignedBy(child, entry)) return entry.certificate
  return undefined
}

function rank(view: CertificateView, wanted: Uint8Array | undefined, now: number): number {
  const valid = view.notBefore <= now && now <= view.notAfter ? 1 : 0
  const own = wanted === undefined ? undefined : subjectKeyIdentifier(view)
  return valid + (wanted !== undefined && own !== undefined && sameBytes(wanted, own) ? 2 : 0)
}

function isSignedBy(child: X509Certificate, issuer: Entry): boolean {
  try {
    const key = issuer.certificate?.publicKey // an algorithm or a key that OpenSSL does not know throws
    return key !== undefined && child.verify(key)
  } catch {
    return false
  }
}

/** Key identifiers are hints: one that cannot be read is none. */
function authorityKeyIdentifier(view: CertificateView): Uint8Array | undefined {
  try {
    const extension = view.extension(ExtensionOid.AUTHORITY_KEY_IDENTIFIER)
    return extension === undefined ? undefined : readAuthorityKeyIdentifier(extension.value).keyIdentifier
  } catch {
    return undefined
  }
}

function subjectKeyIdentifier(view: CertificateView): Uint8Array | undefined {
  try {
    const extension = view.extension(ExtensionOid.SUBJECT_KEY_IDENTIFIER)
    return extension === undefined ? undefined : readSubjectKeyIdentifier(extension.value)
  } catch {
    return undefined
  }
}
