import { ExtensionId } from '@x/der/x509'
import type { CertificateCheck } from './check.ts'

/**
 * Critical extensions that the walk, or the name check behind it, acts upon. A CRL distribution point says where to look;
 * key identifiers rank candidates; no-check frees a responder from being checked itself (RFC 6960 section 4.2.2.2.1).
 */
const HANDLED: ReadonlySet<string> = new Set([
  ExtensionId.SUBJECT_KEY_IDENTIFIER,
  ExtensionId.KEY_USAGE,
  ExtensionId.SUBJECT_ALT_NAME,
  ExtensionId.BASIC_CONSTRAINTS,
  ExtensionId.NAME_CONSTRAINTS,
  ExtensionId.CRL_DISTRIBUTION_POINTS,
  ExtensionId.CERTIFICATE_POLICIES,
  ExtensionId.POLICY_MAPPINGS,
  ExtensionId.AUTHORITY_KEY_IDENTIFIER,
  ExtensionId.POLICY_CONSTRAINTS,
  ExtensionId.EXTENDED_KEY_USAGE,
  ExtensionId.INHIBIT_ANY_POLICY,
  ExtensionId.NETSCAPE_CERT_TYPE,
  ExtensionId.OCSP_NO_CHECK,
])

/** RFC 5280 section 4.2: what is critical and not understood refuses, and so does what is malformed or comes twice. */
export const checkExtensions: CertificateCheck = (facts, _place, _settings, report) => {
  for (const problem of facts.problems) report('INVALID_EXTENSION', problem)
  if (facts.extensions.length > 0 && facts.view.version !== 3) report('EXTENSIONS_REQUIRE_VERSION_3')
  for (const { oid, critical } of facts.extensions) {
    // RFC 3820: what a proxy certificate may do is not what its issuer's certificate may do
    if (oid === ExtensionId.PROXY_CERT_INFO) report('PROXY_CERTIFICATES_NOT_ALLOWED')
    else if (critical && !HANDLED.has(oid)) report('UNHANDLED_CRITICAL_EXTENSION', oid)
  }
}
