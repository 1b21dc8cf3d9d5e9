import type { X509Certificate } from 'node:crypto'
import type { Server } from 'node:net'
import type { SecureContext } from 'node:tls'
import { CertificateView } from '@x/der/x509'
import type { ClientHello } from './client-hello.ts'
import type { Resolved } from './options/resolve.ts'

/** One certificate of a host that has several: a context that shows no other, so that its staple is about the certificate shown. */
export interface SingleCertificate {
  readonly secureContext: SecureContext
  readonly stapling: Server
  readonly kind: CertificateKind
}

/** What a client must take to be shown a certificate. */
export interface CertificateKind {
  /** Signature schemes (RFC 8446 section 4.2.3) that its key can make: one of them, in TLS 1.3. */
  readonly schemes: readonly number[]
  /** Those and the suites for TLS 1.2; undefined where it is not shown in that version. */
  readonly tls12: { readonly schemes: readonly number[]; readonly suites: readonly number[] } | undefined
  /** The named group of its key, where it is on a curve that clients name. */
  readonly group: number | undefined
  /** Schemes one of which the certificate itself is signed by. */
  readonly signedBy: readonly number[]
}

/**
 * The certificate for a client that asks for a staple (RFC 6066 section 8). node:tls asks for the staple before OpenSSL chooses among several
 * certificates, so the choice is made here: the first that the client surely takes. Undefined where none surely is; OpenSSL then chooses, and
 * nothing is stapled.
 */
export function certificateFor(
  hello: ClientHello,
  certificates: readonly SingleCertificate[],
  context: Resolved['context'],
): SingleCertificate | undefined {
  const { ciphers, sigalgs, ecdhCurve, maxVersion } = context
  if (!hello.extensions.includes(STATUS_REQUEST) || sigalgs !== undefined) return undefined
  const is13 = hello.versions.includes(TLS13) && (maxVersion === undefined || maxVersion === 'TLSv1.3')
  if (!is13 && (ciphers !== undefined || ecdhCurve !== undefined)) return undefined
  const { signatureAlgorithms, certificateSignatureAlgorithms: listed, cipherSuites, groups } = hello
  const forCertificates = listed.length > 0 ? listed : signatureAlgorithms
  return certificates.find(({ kind }) => {
    const { schemes, suites } = is13 ? { schemes: kind.schemes, suites: undefined } : (kind.tls12 ?? NOTHING)
    return (
      meet(schemes, signatureAlgorithms) &&
      meet(kind.signedBy, forCertificates) &&
      (suites === undefined || (meet(suites, cipherSuites) && meet(GROUPS, groups))) &&
      (is13 || kind.group === undefined || groups.includes(kind.group))
    )
  })
}

/** What a certificate asks of clients; undefined for a kind of key that is not chosen for, such as RSA-PSS. */
export function kindOf(certificate: X509Certificate): CertificateKind | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = certificate.publicKey
  const signedBy = signatures.get(algorithmOf(certificate))
  if (signedBy === undefined) return undefined
  if (type === 'rsa') return { schemes: RSA_PSS, tls12: RSA_TLS12, group: undefined, signedBy }
  if (type === 'ed25519') return { schemes: [0x0807], tls12: undefined, group: undefined, signedBy }
  const curve = type === 'ec' ? curves[details?.namedCurve ?? ''] : undefined
  if (curve === undefined) return undefined
  return { schemes: [curve.scheme], tls12: ECDSA_TLS12, group: curve.group, signedBy }
}

const STATUS_REQUEST = 5
const TLS13 = 0x0304
/** X25519, P-256, P-384, P-521, X448: what OpenSSL has by default. */
const GROUPS = [29, 23, 24, 25, 30] as const

const ECDSA = [0x0403, 0x0503, 0x0603] as const
const RSA_PKCS1 = [0x0401, 0x0501, 0x0601] as const
const RSA_PSS = [0x0804, 0x0805, 0x0806] as const
/** ECDHE with AES-GCM or ChaCha20, of our default ciphers. */
const ECDSA_TLS12 = { schemes: ECDSA, suites: [0xc02b, 0xc02c, 0xcca9] } as const
const RSA_TLS12 = { schemes: [...RSA_PKCS1, ...RSA_PSS], suites: [0xc02f, 0xc030, 0xcca8] } as const
const NOTHING = { schemes: [], suites: [] } as const

const curves: Readonly<Record<string, { readonly scheme: number; readonly group: number }>> = {
  prime256v1: { scheme: 0x0403, group: 23 },
  secp384r1: { scheme: 0x0503, group: 24 },
  secp521r1: { scheme: 0x0603, group: 25 },
}

/** By the contents of the signature's OID (RFC 8017, RFC 5758, RFC 8410). */
const signatures: ReadonlyMap<string, readonly number[]> = new Map([
  ['2a8648ce3d040302', [0x0403]],
  ['2a8648ce3d040303', [0x0503]],
  ['2a8648ce3d040304', [0x0603]],
  ['2a864886f70d01010b', [0x0401]],
  ['2a864886f70d01010c', [0x0501]],
  ['2a864886f70d01010d', [0x0601]],
  ['2b6570', [0x0807]],
])

/** AlgorithmIdentifier is SEQUENCE { OBJECT IDENTIFIER … }, short enough for lengths of one octet. */
function algorithmOf(certificate: X509Certificate): string {
  const { signatureAlgorithm: bytes } = new CertificateView(certificate.raw)
  return Buffer.from(bytes.subarray(4, 4 + (bytes[3] ?? 0))).toString('hex')
}

function meet(some: readonly number[], others: readonly number[]): boolean {
  return some.some((value) => others.includes(value))
}
