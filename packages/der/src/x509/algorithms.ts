/** Digests with an identifier of their own (RFC 3279 section 2.1, RFC 4055 section 2.1), by OpenSSL's names. */
export const DigestId = {
  sha1: '1.3.14.3.2.26',
  sha224: '2.16.840.1.101.3.4.2.4',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
} as const

const DIGESTS: ReadonlyMap<string, keyof typeof DigestId> = new Map(
  Object.entries(DigestId).map(([name, oid]) => [oid, name as keyof typeof DigestId]),
)

/** OpenSSL's name of the digest with this identifier, or undefined where it is none of `DigestId`. */
export function digestName(oid: string): keyof typeof DigestId | undefined {
  return DIGESTS.get(oid)
}

/** Public keys whose type says which signatures they make (RFC 4055 sections 1.2 and 3.1), and the mask generation of RSASSA-PSS. */
export const AlgorithmId = {
  RSA_ENCRYPTION: '1.2.840.113549.1.1.1',
  RSASSA_PSS: '1.2.840.113549.1.1.10',
  MGF1: '1.2.840.113549.1.1.8',
} as const

/** A signature algorithm that its identifier names in full, which RSASSA-PSS does not. */
export interface SignatureAlgorithm {
  readonly oid: string
  /** The type of key that makes it, by node:crypto's names. */
  readonly keyType: 'rsa' | 'ec' | 'dsa' | 'ed25519' | 'ed448'
  /** OpenSSL's name of the digest; undefined for EdDSA, which brings its own. */
  readonly digest: 'md5' | keyof typeof DigestId | undefined
}

/** RFC 4055 section 5, RFC 5758 section 3, RFC 8410 section 3; DSA as OpenSSL makes it. */
export const SIGNATURE_ALGORITHMS: readonly SignatureAlgorithm[] = [
  { oid: '1.2.840.113549.1.1.4', keyType: 'rsa', digest: 'md5' },
  { oid: '1.2.840.113549.1.1.5', keyType: 'rsa', digest: 'sha1' },
  { oid: '1.2.840.113549.1.1.14', keyType: 'rsa', digest: 'sha224' },
  { oid: '1.2.840.113549.1.1.11', keyType: 'rsa', digest: 'sha256' },
  { oid: '1.2.840.113549.1.1.12', keyType: 'rsa', digest: 'sha384' },
  { oid: '1.2.840.113549.1.1.13', keyType: 'rsa', digest: 'sha512' },
  { oid: '1.2.840.10045.4.1', keyType: 'ec', digest: 'sha1' },
  { oid: '1.2.840.10045.4.3.1', keyType: 'ec', digest: 'sha224' },
  { oid: '1.2.840.10045.4.3.2', keyType: 'ec', digest: 'sha256' },
  { oid: '1.2.840.10045.4.3.3', keyType: 'ec', digest: 'sha384' },
  { oid: '1.2.840.10045.4.3.4', keyType: 'ec', digest: 'sha512' },
  { oid: '1.2.840.10040.4.3', keyType: 'dsa', digest: 'sha1' },
  { oid: '2.16.840.1.101.3.4.3.1', keyType: 'dsa', digest: 'sha224' },
  { oid: '2.16.840.1.101.3.4.3.2', keyType: 'dsa', digest: 'sha256' },
  { oid: '1.3.101.112', keyType: 'ed25519', digest: undefined },
  { oid: '1.3.101.113', keyType: 'ed448', digest: undefined },
]
