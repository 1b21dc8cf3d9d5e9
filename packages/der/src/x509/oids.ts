import { encodeOid } from '../writer.ts'

const DOTTED = {
  SUBJECT_KEY_IDENTIFIER: '2.5.29.14',
  KEY_USAGE: '2.5.29.15',
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
  /** RFC 7633: must-staple. */
  TLS_FEATURE: '1.3.6.1.5.5.7.1.24',
  /** Netscape's certificate type, which the original still writes. */
  NETSCAPE_CERT_TYPE: '2.16.840.1.113730.1.1',
  /** RFC 6962 section 3.3: signed certificate timestamps. */
  SCT_LIST: '1.3.6.1.4.1.11129.2.4.2',
} as const

/**
 * Extension types of RFC 5280 sections 4.2 and 5.2 and a few others, as the content octets that `extension()` and
 * `readExtensions()` compare without decoding. The arrays are shared: do not write to them.
 */
export const ExtensionOid: Readonly<Record<keyof typeof DOTTED, Uint8Array>> = Object.fromEntries(
  Object.entries(DOTTED).map(([name, text]) => [name, encodeOid(text)]),
) as Record<keyof typeof DOTTED, Uint8Array>
