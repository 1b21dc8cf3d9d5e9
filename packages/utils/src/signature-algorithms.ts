import {
  contextTag,
  type DerCursor,
  element,
  integer,
  nullElement,
  oid,
  openDer,
  readOid,
  readSmallInteger,
  sequence,
  Tag,
} from '@x/der'
import { AlgorithmId, DigestId, digestName, SIGNATURE_ALGORITHMS } from '@x/der/x509'

/** A way to sign, as an AlgorithmIdentifier names it. */
export interface SignatureScheme {
  readonly family: 'rsa' | 'rsa-pss' | 'ecdsa' | 'dsa' | 'eddsa'
  /** OpenSSL's name of the digest; undefined for EdDSA, which brings its own. */
  readonly digest: string | undefined
  /** Which `asymmetricKeyType`s can have made it. */
  readonly keyTypes: readonly string[]
  /** Octets of salt, for RSA-PSS. */
  readonly saltLength?: number
}

interface Row extends SignatureScheme {
  readonly oid: string
  /** 'null': NULL, or nothing, as RFC 4055 section 5 demands of readers. */
  readonly parameters: 'null' | 'absent'
}

const FAMILIES = { rsa: 'rsa', ec: 'ecdsa', dsa: 'dsa', ed25519: 'eddsa', ed448: 'eddsa' } as const

const ROWS: readonly Row[] = SIGNATURE_ALGORITHMS.map(({ oid: id, keyType, digest }) => ({
  oid: id,
  family: FAMILIES[keyType],
  digest,
  keyTypes: [keyType],
  parameters: keyType === 'rsa' ? 'null' : 'absent',
}))
const BY_OID = new Map(ROWS.map((row) => [row.oid, row]))

/** Digests whose collisions are affordable, so that a signature over them proves little. */
export const WEAK_DIGESTS: ReadonlySet<string> = new Set(['md5', 'sha1'])

/** The scheme an AlgorithmIdentifier (DER, with header) names, or undefined where it is none of ours. A DerError where it is broken. */
export function readSignatureAlgorithm(algorithm: Uint8Array): SignatureScheme | undefined {
  const fields = openDer(algorithm)
  const id = readOid(fields.expect(Tag.OID))
  if (id === AlgorithmId.RSASSA_PSS) return readPss(fields)
  const row = BY_OID.get(id)
  if (row === undefined) return undefined
  if (row.parameters === 'null' && fields.optional(Tag.NULL) && fields.contentEnd > fields.contentStart)
    return undefined
  fields.finish()
  return row
}

/** AlgorithmIdentifier of a scheme; undefined where there is none, as for a digest that RSA was never used with. */
export function writeSignatureAlgorithm(
  family: SignatureScheme['family'],
  digest: string | undefined,
  keyType: string,
): Uint8Array | undefined {
  if (family === 'rsa-pss') return digest === undefined ? undefined : writePss(digest)
  const row = ROWS.find((one) => one.family === family && one.digest === digest && one.keyTypes.includes(keyType))
  if (row === undefined) return undefined
  return row.parameters === 'null' ? sequence(oid(row.oid), nullElement()) : sequence(oid(row.oid))
}

/** RSASSA-PSS-params (RFC 4055 section 3.1). MGF1 over another digest than the message's is not supported: Node cannot. */
function readPss(fields: DerCursor): SignatureScheme | undefined {
  if (fields.done) return undefined
  const params = fields.enterExpected(Tag.SEQUENCE)
  fields.finish()
  const digest = params.optional(contextTag(0, true)) ? readHash(params.enter()) : 'sha1'
  const mgf = params.optional(contextTag(1, true)) ? readMgf1(params.enter()) : 'sha1'
  const saltLength = params.optional(contextTag(2, true)) ? readWrapped(params) : 20
  const trailer = params.optional(contextTag(3, true)) ? readWrapped(params) : 1
  params.finish()
  if (digest === undefined || digest !== mgf || trailer !== 1 || saltLength < 0 || saltLength > 2048) return undefined
  return { family: 'rsa-pss', digest, keyTypes: ['rsa', 'rsa-pss'], saltLength }
}

function readWrapped(cursor: DerCursor): number {
  const inner = cursor.enter()
  const value = readSmallInteger(inner.expect(Tag.INTEGER))
  inner.finish()
  return value
}

function readHash(outer: DerCursor): string | undefined {
  const fields = outer.enterExpected(Tag.SEQUENCE)
  outer.finish()
  const id = readOid(fields.expect(Tag.OID))
  fields.optional(Tag.NULL)
  fields.finish()
  return digestName(id)
}

function readMgf1(outer: DerCursor): string | undefined {
  const fields = outer.enterExpected(Tag.SEQUENCE)
  outer.finish()
  if (readOid(fields.expect(Tag.OID)) !== AlgorithmId.MGF1) return undefined
  return readHash(fields)
}

/** As long as the digest (RFC 4055 section 3.1). */
const PSS_SALTS = { sha256: 32, sha384: 48, sha512: 64 }

function isPssDigest(digest: string): digest is keyof typeof PSS_SALTS {
  return Object.hasOwn(PSS_SALTS, digest)
}

function writePss(digest: string): Uint8Array | undefined {
  if (!isPssDigest(digest)) return undefined
  const hash = sequence(oid(DigestId[digest]), nullElement())
  return sequence(
    oid(AlgorithmId.RSASSA_PSS),
    sequence(
      element(contextTag(0, true), hash),
      element(contextTag(1, true), sequence(oid(AlgorithmId.MGF1), hash)),
      element(contextTag(2, true), integer(PSS_SALTS[digest])),
    ),
  )
}
