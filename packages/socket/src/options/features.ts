import { constants, getCurves } from 'node:crypto'
import { createSecureContext, getCiphers, type SecureVersion } from 'node:tls'

/** What this Node can do, and what none can: the original's `can_…` functions. */
export interface Features {
  /** OpenSSL's version, as Node has it built in or linked. */
  readonly openssl: string
  /** Versions that can be spoken; the two oldest only at OpenSSL's security level 0. */
  readonly protocols: readonly SecureVersion[]
  /** can_client_sni, can_server_sni. */
  readonly sni: true
  readonly alpn: true
  /** can_npn: Node has none, ALPN took its place. */
  readonly npn: false
  /** can_ecdh. */
  readonly ecdh: true
  /** Names for `ecdhCurve` among those asked about: elliptic curves of OpenSSL, and the hybrid with ML-KEM where there is one. */
  readonly groups: readonly string[]
  /** can_ocsp, can_ocsp_staple. */
  readonly ocsp: true
  readonly ocspStapling: true
  /** can_multi_cert: certificates of several key types for one host. */
  readonly multipleCertificates: true
  /** can_ticket_keycb. */
  readonly ticketKeys: true
  /** can_pha: post-handshake authentication does not exist in Node. */
  readonly postHandshakeAuthentication: false
  /** TLS 1.2's renegotiation on request: refused by this package. */
  readonly renegotiation: false
  /** can_partial_chain: an intermediate or leaf given as CA is trusted. */
  readonly partialChain: true
  readonly psk: true
  /** can_ipv6. */
  readonly ipv6: true
  /** Suites for `ciphers`, in OpenSSL's names in lower case. */
  readonly ciphers: readonly string[]
}

let found: Features | undefined

/** What this Node can do; found out once. */
export function features(): Features {
  return (found ??= Object.freeze({
    openssl: process.versions['openssl'] ?? 'unknown',
    protocols: Object.freeze(protocols()),
    sni: true,
    alpn: true,
    npn: false,
    ecdh: true,
    groups: Object.freeze(groups()),
    ocsp: true,
    ocspStapling: true,
    multipleCertificates: true,
    ticketKeys: true,
    postHandshakeAuthentication: false,
    renegotiation: false,
    partialChain: true,
    psk: true,
    ipv6: true,
    ciphers: Object.freeze(getCiphers()),
  }))
}

/** A version that OpenSSL was built without has no bit that could bar it. */
function protocols(): SecureVersion[] {
  const all: readonly [SecureVersion, number][] = [
    ['TLSv1', constants.SSL_OP_NO_TLSv1],
    ['TLSv1.1', constants.SSL_OP_NO_TLSv1_1],
    ['TLSv1.2', constants.SSL_OP_NO_TLSv1_2],
    ['TLSv1.3', constants.SSL_OP_NO_TLSv1_3],
  ]
  return all.filter(([, bar]) => bar !== 0).map(([version]) => version)
}

/** `getCurves()` knows neither the Montgomery curves nor hybrids: those are tried. */
function groups(): string[] {
  const others = ['X25519', 'X448', 'X25519MLKEM768', 'SecP256r1MLKEM768', 'MLKEM768']
  return [...others.filter(isGroup), ...getCurves().filter(isGroup)]
}

function isGroup(ecdhCurve: string): boolean {
  try {
    createSecureContext({ ca: [], ecdhCurve })
    return true
  } catch {
    return false
  }
}
