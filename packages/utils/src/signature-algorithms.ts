import {
  type DerCursor,
  integer,
  nullElement,
  oid,
  openDer,
  readOid,
  readSmallInteger,
  sequence,
  element,
  contextTag,
  Tag,
} from '@x/der'

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

const rsa = (id: number, digest: string): Row => ({
  oid: `1.2.840.113549.1.1.${id}`,
  family: 'rsa',
  digest,
  keyTypes: ['rsa'],
  parameters: 'null',
})
const ecdsa = (id: string, digest: string): Row => ({
  oid: `1.2.840.10045.4.${id}`,
  family: 'ecdsa',
  digest,
  keyTypes: ['ec'],
  parameters: 'absent',
})
const dsa = (id: string, digest: string): Row => ({
  oid: id,
  family: 'dsa',
  digest,
  keyTypes: ['dsa'],
  parameters: 'absent',
})
const eddsa = (id: number, keyType: string): Row => ({
  oid: `1.3.101.${id}`,
  family: 'eddsa',
  digest: undefined,
  keyTypes: [keyType],
  parameters: 'absent',
})

/** RFC 4055 section 5, RFC 5758 section 3, RFC 8410 section 3. */
const ROWS: readonly Row[] = [
  rsa(4, 'md5'),
  rsa(5, 'sha1'),
  rsa(14, 'sha224'),
  rsa(11, 'sha256'),
  rsa(12, 'sha384'),
  rsa(13, 'sha512'),
  ecdsa('1', 'sha1'),
  ecdsa('3.1', 'sha224'),
  ecdsa('3.2', 'sha256'),
  ecdsa('3.3', 'sha384'),
  ecdsa('3.4', 'sha512'),
  dsa('1.2.840.10040.4.3', 'sha1'),
  dsa('2.16.840.1.101.3.4.3.1', 'sha224'),
  dsa('2.16.840.1.101.3.4.3.2', 'sha256'),
  eddsa(112, 'ed25519'),
  eddsa(113, 'ed448'),
]
const BY_OID = new Map(ROWS.map((row) => [row.oid, row]))

const RSA_PSS = '1.2.840.113549.1.1.10'
const MGF1 = '1.2.840.113549.1.1.8'
const HASHES: Readonly<Record<string, string>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.4': 'sha224',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
}

/** Digests whose collisions are affordable, so that a signature over them proves little. */
export const WEAK_DIGESTS: ReadonlySet<string> = new Set(['md5', 'sha1'])

/** The scheme an AlgorithmIdentifier (DER, with header) names, or undefined where it is none of ours. A DerError where it is broken. */
export function readSignatureAlgorithm(algorithm: Uint8Array): SignatureScheme | undefined {
  const fields = openDer(algorithm)
  const id = readOid(fields.expect(Tag.OID))
  if (id === RSA_PSS) return readPss(fields)
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
  return HASHES[id]
}

function readMgf1(outer: DerCursor): string | undefined {
  const fields = outer.enterExpected(Tag.SEQUENCE)
  outer.finish()
  if (readOid(fields.expect(Tag.OID)) !== MGF1) return undefined
  return readHash(fields)
}

function writePss(digest: string): Uint8Array | undefined {
  const id = Object.keys(HASHES).find((key) => HASHES[key] === digest)
  const saltLength = { sha256: 32, sha384: 48, sha512: 64 }[digest]
  if (id === undefined || saltLength === undefined) return undefined
  const hash = sequence(oid(id), nullElement())
  return sequence(
    oid(RSA_PSS),
    sequence(
      element(contextTag(0, true), hash),
      element(contextTag(1, true), sequence(oid(MGF1), hash)),
      element(contextTag(2, true), integer(saltLength)),
    ),
  )
}
