/** id-pkix-ocsp-basic, the one type of response there is (RFC 6960 section 4.2.1). */
export const OCSP_BASIC = '1.3.6.1.5.5.7.48.1.1'

/** id-pkix-ocsp-nocheck, in a delegate's certificate (RFC 6960 section 4.2.2.2.1). */
export const NO_CHECK = '1.3.6.1.5.5.7.48.1.5'

/** The nonce extension, in requests and responses (RFC 9654). */
export const NONCE = '1.3.6.1.5.5.7.48.1.2'

/** id-kp-OCSPSigning (RFC 6960 section 4.2.2.2). */
export const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9'
