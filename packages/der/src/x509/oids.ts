import { encodeOid } from '../writer.ts'

/** Extension types of RFC 5280 sections 4.2 and 5.2 and a few others, as `ExtensionView.oid` and `oid()` have them. */
export const ExtensionId = {
  SUBJECT_DIRECTORY_ATTRIBUTES: '2.5.29.9',
  SUBJECT_KEY_IDENTIFIER: '2.5.29.14',
  KEY_USAGE: '2.5.29.15',
  PRIVATE_KEY_USAGE_PERIOD: '2.5.29.16',
  SUBJECT_ALT_NAME: '2.5.29.17',
  ISSUER_ALT_NAME: '2.5.29.18',
  BASIC_CONSTRAINTS: '2.5.29.19',
  CRL_NUMBER: '2.5.29.20',
  CRL_REASON: '2.5.29.21',
  INVALIDITY_DATE: '2.5.29.24',
  DELTA_CRL_INDICATOR: '2.5.29.27',
  ISSUING_DISTRIBUTION_POINT: '2.5.29.28',
  CERTIFICATE_ISSUER: '2.5.29.29',
  NAME_CONSTRAINTS: '2.5.29.30',
  CRL_DISTRIBUTION_POINTS: '2.5.29.31',
  CERTIFICATE_POLICIES: '2.5.29.32',
  POLICY_MAPPINGS: '2.5.29.33',
  AUTHORITY_KEY_IDENTIFIER: '2.5.29.35',
  POLICY_CONSTRAINTS: '2.5.29.36',
  EXTENDED_KEY_USAGE: '2.5.29.37',
  FRESHEST_CRL: '2.5.29.46',
  INHIBIT_ANY_POLICY: '2.5.29.54',
  /** RFC 5280 section 4.2.2.1. */
  AUTHORITY_INFO_ACCESS: '1.3.6.1.5.5.7.1.1',
  QC_STATEMENTS: '1.3.6.1.5.5.7.1.3',
  SUBJECT_INFO_ACCESS: '1.3.6.1.5.5.7.1.11',
  /** RFC 3820: whose holder speaks for another. */
  PROXY_CERT_INFO: '1.3.6.1.5.5.7.1.14',
  /** RFC 7633: must-staple. */
  TLS_FEATURE: '1.3.6.1.5.5.7.1.24',
  /** RFC 6960 section 4.2.2.2.1: a responder's certificate of which nobody asks. */
  OCSP_NO_CHECK: '1.3.6.1.5.5.7.48.1.5',
  /** Netscape's certificate type and comment, which the original still writes. */
  NETSCAPE_CERT_TYPE: '2.16.840.1.113730.1.1',
  NETSCAPE_COMMENT: '2.16.840.1.113730.1.13',
  /** RFC 6962 section 3.3: signed certificate timestamps. */
  SCT_LIST: '1.3.6.1.4.1.11129.2.4.2',
} as const

/** The same as the content octets that `extension()` and `readExtensions()` compare without decoding. The arrays are shared: do not write to them. */
export const ExtensionOid: Readonly<Record<keyof typeof ExtensionId, Uint8Array>> = Object.fromEntries(
  Object.entries(ExtensionId).map(([name, text]) => [name, encodeOid(text)]),
) as Record<keyof typeof ExtensionId, Uint8Array>

/** What a key may be used for, by its certificate's extended key usage (RFC 5280 section 4.2.1.12, RFC 6960 section 4.2.2.2). */
export const KeyPurposeId = {
  ANY: '2.5.29.37.0',
  SERVER_AUTH: '1.3.6.1.5.5.7.3.1',
  CLIENT_AUTH: '1.3.6.1.5.5.7.3.2',
  OCSP_SIGNING: '1.3.6.1.5.5.7.3.9',
} as const
