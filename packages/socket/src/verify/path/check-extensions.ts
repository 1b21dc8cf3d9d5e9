import { Oid } from './certificate-facts.ts'
import type { CertificateCheck } from './check.ts'

/**
 * Critical extensions that the walk, or the name check behind it, acts upon. A CRL distribution point says where to look;
 * key identifiers rank candidates; no-check frees a responder from being checked itself (RFC 6960 section 4.2.2.2.1).
 */
const HANDLED: ReadonlySet<string> = new Set([
  Oid.SUBJECT_KEY_IDENTIFIER,
  Oid.KEY_USAGE,
  Oid.SUBJECT_ALT_NAME,
  Oid.BASIC_CONSTRAINTS,
  Oid.NAME_CONSTRAINTS,
  Oid.CRL_DISTRIBUTION_POINTS,
  Oid.CERTIFICATE_POLICIES,
  Oid.POLICY_MAPPINGS,
  Oid.AUTHORITY_KEY_IDENTIFIER,
  Oid.POLICY_CONSTRAINTS,
  Oid.EXTENDED_KEY_USAGE,
  Oid.INHIBIT_ANY_POLICY,
  Oid.NETSCAPE_CERT_TYPE,
  Oid.OCSP_NO_CHECK,
])

/** RFC 5280 section 4.2: what is critical and not understood refuses, and so does what is malformed or comes twice. */
export const checkExtensions: CertificateCheck = (facts, _place, _settings, report) => {
  for (const problem of facts.problems) report('INVALID_EXTENSION', problem)
  if (facts.extensions.length > 0 && facts.view.version !== 3) report('EXTENSIONS_REQUIRE_VERSION_3')
  for (const { oid, critical } of facts.extensions) {
    // RFC 3820: what a proxy certificate may do is not what its issuer's certificate may do
    if (oid === Oid.PROXY_CERT_INFO) report('PROXY_CERTIFICATES_NOT_ALLOWED')
    else if (critical && !HANDLED.has(oid)) report('UNHANDLED_CRITICAL_EXTENSION', oid)
  }
}
