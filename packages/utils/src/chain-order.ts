import type { KeyObject, X509Certificate } from 'node:crypto'

/**
 * Every certificate but the leaf: each issuer behind what it issued, as TLS sends a chain (RFC 8446 section 4.4.2), then
 * what belongs nowhere. Issuers are found by their names and key identifiers; no signature is verified.
 */
export function inOrder(leaf: X509Certificate, certificates: readonly X509Certificate[]): X509Certificate[] {
  const rest = certificates.filter((one) => one !== leaf && !one.raw.equals(leaf.raw))
  const chain: X509Certificate[] = []
  for (let current = leaf; ; ) {
    const next = rest.findIndex((one) => current.checkIssued(one))
    if (next < 0) return [...chain, ...rest]
    current = rest.splice(next, 1)[0] as X509Certificate
    chain.push(current)
  }
}

/** True where the certificate is for this public key; false, too, where OpenSSL cannot decode the certificate's. */
export function hasKey(certificate: X509Certificate, publicKey: KeyObject): boolean {
  try {
    return publicKey.equals(certificate.publicKey)
  } catch {
    return false
  }
}
