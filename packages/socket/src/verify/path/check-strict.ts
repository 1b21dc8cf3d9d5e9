import { ExtensionId, readAuthorityInfoAccess, readDistributionPoints } from '@x/der/x509'
import { attempt } from './attempt.ts'
import type { CertificateFacts } from './certificate-facts.ts'
import type { CertificateCheck } from './check.ts'
import { lacksCertSign } from './check-usage.ts'
import { isEmptyName } from './names.ts'

/** What RFC 5280 demands of those who issue certificates; paths in use violate it, so it is asked for (`strict`). As OpenSSL's X509_V_FLAG_X509_STRICT. */
export const checkStrict: CertificateCheck = (facts, { depth, anchor }, { strict }, report) => {
  if (!strict) return
  const { view, basicConstraints, keyUsage, subjectAltNames } = facts
  const ca = basicConstraints?.ca === true
  if (ca && !isCritical(facts, ExtensionId.BASIC_CONSTRAINTS)) report('CA_BCONS_NOT_CRITICAL')
  if (ca && keyUsage === undefined) report('CA_CERT_MISSING_KEY_USAGE')
  if (!ca && basicConstraints?.pathLength !== undefined) report('PATHLEN_INVALID_FOR_NON_CA')
  if (basicConstraints?.pathLength !== undefined && (keyUsage === undefined || lacksCertSign(facts)))
    report('PATHLEN_WITHOUT_KU_KEY_CERT_SIGN')
  if (!ca && keyUsage !== undefined && !lacksCertSign(facts)) report('KU_KEY_CERT_SIGN_INVALID_FOR_NON_CA')
  if (!ca && facts.extension(ExtensionId.NAME_CONSTRAINTS) !== undefined)
    report('INVALID_EXTENSION', 'name constraints in a certificate that is no CA')
  // neither a CA's certificate nor any other
  if (
    depth === 0 &&
    basicConstraints === undefined &&
    (keyUsage === undefined ? view.version === 1 && facts.selfSigned : !lacksCertSign(facts))
  )
    report('INVALID_CA')
  if (ca && isEmptyName(view.subject)) report('SUBJECT_NAME_EMPTY')
  if (isEmptyName(view.issuer)) report('ISSUER_NAME_EMPTY')
  if (subjectAltNames?.length === 0) report('EMPTY_SUBJECT_ALT_NAME')
  if (isEmptyName(view.subject) && subjectAltNames !== undefined && !isCritical(facts, ExtensionId.SUBJECT_ALT_NAME))
    report('EMPTY_SUBJECT_SAN_NOT_CRITICAL')
  for (const [oid, read] of READERS) {
    const extension = facts.extension(oid)
    if (extension !== undefined && attempt(() => read(extension.value)) === undefined)
      report('INVALID_EXTENSION', `extension ${oid} is malformed`)
  }
  if (view.version !== 3) return
  if (isCritical(facts, ExtensionId.AUTHORITY_KEY_IDENTIFIER)) report('AUTHORITY_KEY_IDENTIFIER_CRITICAL')
  if (isCritical(facts, ExtensionId.SUBJECT_KEY_IDENTIFIER)) report('SUBJECT_KEY_IDENTIFIER_CRITICAL')
  if (ca && facts.subjectKeyIdentifier === undefined) report('MISSING_SUBJECT_KEY_IDENTIFIER')
  // RFC 5280 section 4.2.1.1; of an anchor nobody looks for the issuer
  if (facts.authorityKeyIdentifier?.keyIdentifier === undefined && !anchor) report('MISSING_AUTHORITY_KEY_IDENTIFIER')
}

/** Extensions that nothing above reads, and that those who do read pass over where they are malformed. */
const READERS: readonly (readonly [oid: string, read: (value: Uint8Array) => unknown])[] = [
  [ExtensionId.AUTHORITY_INFO_ACCESS, readAuthorityInfoAccess],
  [ExtensionId.CRL_DISTRIBUTION_POINTS, readDistributionPoints],
]

function isCritical(facts: CertificateFacts, oid: string): boolean {
  return facts.extension(oid)?.critical === true
}
