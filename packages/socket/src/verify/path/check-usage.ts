import { KeyPurposeId, KeyUsage } from '@x/der/x509'
import type { CertificateFacts } from './certificate-facts.ts'
import type { CertificateCheck } from './check.ts'

interface PurposeRule {
  /** One of these must be in an extended key usage, where there is one. */
  readonly extendedKeyUsage: readonly string[]
  /** One of these bits must be in the leaf's key usage, where there is one. */
  readonly keyUsage: number
  /** Bit that must be in the leaf's Netscape certificate type, where there is one. */
  readonly netscapeType: number
}

/**
 * As OpenSSL's `sslserver` and `sslclient`. anyExtendedKeyUsage does not count (RFC 5280 section 4.2.1.12 leaves that to the
 * application). The gated-crypto usages are the older names of serverAuth.
 */
const PURPOSES: Readonly<Record<'server' | 'client', PurposeRule>> = {
  server: {
    extendedKeyUsage: [KeyPurposeId.SERVER_AUTH, '1.3.6.1.4.1.311.10.3.3', '2.16.840.1.113730.4.1'],
    keyUsage: KeyUsage.DIGITAL_SIGNATURE | KeyUsage.KEY_ENCIPHERMENT | KeyUsage.KEY_AGREEMENT,
    netscapeType: 1 << 1,
  },
  client: {
    extendedKeyUsage: [KeyPurposeId.CLIENT_AUTH],
    keyUsage: KeyUsage.DIGITAL_SIGNATURE | KeyUsage.KEY_AGREEMENT,
    netscapeType: 1 << 0,
  },
}

/** Purpose of every certificate of the path, and the right to issue of those above the leaf. */
export const checkUsage: CertificateCheck = (facts, place, { purpose, strict }, report) => {
  const issuing = place.depth === 0 || mayIssue(facts, place.anchor && !strict)
  if (!issuing) report('INVALID_CA', whyNotCa(facts))
  if (place.depth > 0 && lacksCertSign(facts)) report('KEYUSAGE_NO_CERTSIGN')
  if (purpose === 'any') return
  const rule = PURPOSES[purpose]
  const { extendedKeyUsage, keyUsage, netscapeType } = facts
  if (!issuing) report('INVALID_PURPOSE', `no CA for ${purpose} certificates`)
  if (extendedKeyUsage !== undefined && !extendedKeyUsage.some((usage) => rule.extendedKeyUsage.includes(usage)))
    report('INVALID_PURPOSE', `its extended key usage lacks ${purpose} authentication`)
  if (place.depth > 0) return
  if (keyUsage !== undefined && (keyUsage & rule.keyUsage) === 0)
    report('INVALID_PURPOSE', `its key usage does not fit a ${purpose}`)
  if (netscapeType !== undefined && (netscapeType & rule.netscapeType) === 0)
    report('INVALID_PURPOSE', `its Netscape certificate type does not fit a ${purpose}`)
}

/**
 * RFC 5280 section 6.1.4 (k) and (n). An anchor without basicConstraints is a CA where its key usage says so, or where it
 * is a self-signed one of version 1, which knows no extensions: it is trusted for what it is.
 */
export function mayIssue(facts: CertificateFacts, lenient: boolean): boolean {
  if (lacksCertSign(facts)) return false
  if (facts.basicConstraints !== undefined) return facts.basicConstraints.ca
  return lenient && (facts.keyUsage !== undefined || (facts.view.version === 1 && facts.selfSigned))
}

/** There is a key usage, and it does not allow to sign certificates. */
export function lacksCertSign({ keyUsage }: CertificateFacts): boolean {
  return keyUsage !== undefined && (keyUsage & KeyUsage.KEY_CERT_SIGN) === 0
}

function whyNotCa(facts: CertificateFacts): string {
  if (lacksCertSign(facts)) return 'its key usage lacks keyCertSign'
  return facts.basicConstraints === undefined
    ? 'it has no basicConstraints'
    : 'its basicConstraints say that it is none'
}
