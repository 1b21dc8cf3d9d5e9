/**
 * Every code that a walk can report, with OpenSSL's own sentence for it (`X509_verify_cert_error_string`).
 * `ERR_SECURE_SOCKET_CHAIN_…` are ours: OpenSSL has none for them.
 */
const SENTENCES = {
  AKID_ISSUER_SERIAL_MISMATCH: 'authority and issuer serial number mismatch',
  AKID_SKID_MISMATCH: 'authority and subject key identifier mismatch',
  AUTHORITY_KEY_IDENTIFIER_CRITICAL: 'Authority Key Identifier marked critical',
  CA_BCONS_NOT_CRITICAL: 'Basic Constraints of CA cert not marked critical',
  CA_CERT_MISSING_KEY_USAGE: 'CA cert does not include key usage extension',
  CA_KEY_TOO_SMALL: 'CA certificate key too weak',
  CA_MD_TOO_WEAK: 'CA signature digest algorithm too weak',
  CERT_CHAIN_TOO_LONG: 'certificate chain too long',
  CERT_HAS_EXPIRED: 'certificate has expired',
  CERT_NOT_YET_VALID: 'certificate is not yet valid',
  CERT_REJECTED: 'certificate rejected',
  CERT_REVOKED: 'certificate revoked',
  CERT_SIGNATURE_FAILURE: 'certificate signature failure',
  CRL_HAS_EXPIRED: 'CRL has expired',
  CRL_NOT_YET_VALID: 'CRL is not yet valid',
  CRL_SIGNATURE_FAILURE: 'CRL signature failure',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'self-signed certificate',
  DIFFERENT_CRL_SCOPE: 'different CRL scope',
  EC_KEY_EXPLICIT_PARAMS: 'Certificate public key has explicit ECC parameters',
  EE_KEY_TOO_SMALL: 'EE certificate key too weak',
  EMPTY_SUBJECT_ALT_NAME: 'Empty Subject Alternative Name extension',
  EMPTY_SUBJECT_SAN_NOT_CRITICAL: 'Subject empty and Subject Alt Name extension not critical',
  ERR_SECURE_SOCKET_CHAIN_EMPTY: 'the peer has shown no certificate',
  ERR_SECURE_SOCKET_CHAIN_LIMIT: 'the certificates ask for more work than is granted',
  ERR_SECURE_SOCKET_CHAIN_MALFORMED: 'not a certificate',
  EXCLUDED_VIOLATION: 'excluded subtree violation',
  EXTENSIONS_REQUIRE_VERSION_3: 'Using cert extension requires at least X509v3',
  INVALID_CA: 'invalid CA certificate',
  INVALID_EXTENSION: 'invalid or inconsistent certificate extension',
  INVALID_POLICY_EXTENSION: 'invalid or inconsistent certificate policy extension',
  INVALID_PURPOSE: 'unsuitable certificate purpose',
  ISSUER_NAME_EMPTY: 'Issuer name empty',
  KEYUSAGE_NO_CERTSIGN: 'key usage does not include certificate signing',
  KEYUSAGE_NO_CRL_SIGN: 'key usage does not include CRL signing',
  KU_KEY_CERT_SIGN_INVALID_FOR_NON_CA: 'Key usage keyCertSign invalid for non-CA cert',
  MISSING_AUTHORITY_KEY_IDENTIFIER: 'Missing Authority Key Identifier',
  MISSING_SUBJECT_KEY_IDENTIFIER: 'Missing Subject Key Identifier',
  NO_EXPLICIT_POLICY: 'no explicit policy',
  PATHLEN_INVALID_FOR_NON_CA: 'Path length invalid for non-CA cert',
  PATHLEN_WITHOUT_KU_KEY_CERT_SIGN: 'Path length given without key usage keyCertSign',
  PATH_LENGTH_EXCEEDED: 'path length constraint exceeded',
  PERMITTED_VIOLATION: 'permitted subtree violation',
  PROXY_CERTIFICATES_NOT_ALLOWED: 'proxy certificates not allowed, please set the appropriate flag',
  SELF_SIGNED_CERT_IN_CHAIN: 'self-signed certificate in certificate chain',
  SIGNATURE_ALGORITHM_MISMATCH: 'subject signature algorithm and issuer public key algorithm mismatch',
  SUBJECT_KEY_IDENTIFIER_CRITICAL: 'Subject Key Identifier marked critical',
  SUBJECT_NAME_EMPTY: 'Subject name empty',
  UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY: 'unable to decode issuer public key',
  UNABLE_TO_GET_CRL: 'unable to get certificate CRL',
  UNABLE_TO_GET_ISSUER_CERT: 'unable to get issuer certificate',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'unable to get local issuer certificate',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'unable to verify the first certificate',
  UNHANDLED_CRITICAL_CRL_EXTENSION: 'unhandled critical CRL extension',
  UNHANDLED_CRITICAL_EXTENSION: 'unhandled critical extension',
  UNSUPPORTED_CONSTRAINT_SYNTAX: 'unsupported or invalid name constraint syntax',
  UNSUPPORTED_CONSTRAINT_TYPE: 'unsupported name constraint type',
  UNSUPPORTED_NAME_SYNTAX: 'unsupported or invalid name syntax',
} as const satisfies Readonly<Record<string, string>>

/** A code of {@link validatePath}'s own; a CRL check may report others. */
export type PathCode = keyof typeof SENTENCES

/** OpenSSL's sentence for a code, and behind it what was found. */
export function sentence(code: string, detail?: string): string {
  const known = Object.hasOwn(SENTENCES, code) ? SENTENCES[code as PathCode] : code
  return detail === undefined ? known : `${known}: ${detail}`
}

/** The codes that Node spells out; every other verdict of OpenSSL's it calls `UNSPECIFIED` (`X509ErrorCode` in node's crypto). */
const NODE_NAMES: ReadonlySet<string> = new Set([
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_CRL',
  'UNABLE_TO_DECRYPT_CERT_SIGNATURE',
  'UNABLE_TO_DECRYPT_CRL_SIGNATURE',
  'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY',
  'CERT_SIGNATURE_FAILURE',
  'CRL_SIGNATURE_FAILURE',
  'CERT_NOT_YET_VALID',
  'CERT_HAS_EXPIRED',
  'CRL_NOT_YET_VALID',
  'CRL_HAS_EXPIRED',
  'ERROR_IN_CERT_NOT_BEFORE_FIELD',
  'ERROR_IN_CERT_NOT_AFTER_FIELD',
  'ERROR_IN_CRL_LAST_UPDATE_FIELD',
  'ERROR_IN_CRL_NEXT_UPDATE_FIELD',
  'OUT_OF_MEM',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_CHAIN_TOO_LONG',
  'CERT_REVOKED',
  'INVALID_CA',
  'PATH_LENGTH_EXCEEDED',
  'INVALID_PURPOSE',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
  'HOSTNAME_MISMATCH',
])

/**
 * Whether OpenSSL's verdict, as Node reports it, is one that a walk found as well. `UNSPECIFIED` hides which of OpenSSL's rarer
 * verdicts it was: then the sentence in `reason` (the error's message) decides, and without one nothing is found.
 */
export function isExplained(code: string, failures: readonly { readonly code: string }[], reason?: string): boolean {
  if (NODE_NAMES.has(code)) return failures.some((failure) => failure.code === code)
  return reason !== undefined && failures.some((failure) => sentence(failure.code) === reason)
}
