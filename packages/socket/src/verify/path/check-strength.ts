import type { CertificateCheck } from './check.ts'

/** Bits that OpenSSL's security levels 0 to 5 demand (SSL_CTX_set_security_level(3)). */
const LEVEL_BITS = [0, 80, 112, 128, 192, 256] as const

/** Node raised the level of its own OpenSSL from 1 to 2 with version 24; 22 kept 1 although its OpenSSL is 3.5 too. */
export const DEFAULT_SECURITY_LEVEL: number = Number.parseInt(process.versions.node, 10) >= 24 ? 2 : 1

/**
 * The strength of the key, and of the digest over which the certificate is signed; an anchor's own signature proves
 * nothing and is left out. Explicit curves are refused at every level: they have been used to forge (CVE-2020-0601).
 */
export const checkStrength: CertificateCheck = ({ key, signature }, { depth, anchor }, { securityLevel }, report) => {
  if (key.explicitCurve) report('EC_KEY_EXPLICIT_PARAMS')
  const needed = LEVEL_BITS[securityLevel] ?? Number.POSITIVE_INFINITY
  if (!(key.bits >= needed)) report(depth === 0 ? 'EE_KEY_TOO_SMALL' : 'CA_KEY_TOO_SMALL', key.text)
  if (!anchor && !(signature.bits >= needed)) report('CA_MD_TOO_WEAK', signature.text)
}
