/** id-pkix-ocsp-basic, the one type of response there is (RFC 6960 section 4.2.1). */
export const OCSP_BASIC = '1.3.6.1.5.5.7.48.1.1'

/** The nonce extension, in requests and responses (RFC 9654). */
export const NONCE = '1.3.6.1.5.5.7.48.1.2'
