import { contextTag, DerCursor, openDer, readOid, Tag } from '@x/der'
import { AlgorithmId, digestName, SIGNATURE_ALGORITHMS } from '@x/der/x509'
import { attempt } from './attempt.ts'

/** A public key's kind and its strength. */
export interface KeyStrength {
  /** undefined: none that we know, or not readable. */
  readonly kind: KeyKind | undefined
  /** What an attack costs, as a power of two, by OpenSSL's figures; 0 where unknown. */
  readonly bits: number
  /** 'RSA 1024' and the like, for messages. */
  readonly text: string
  /** An EC key that spells out its curve instead of naming it. */
  readonly explicitCurve: boolean
}

export type KeyKind = 'rsa' | 'rsa-pss' | 'ec' | 'dsa' | 'ed25519' | 'ed448' | 'x25519' | 'x448' | 'ml-dsa'

/** A signature algorithm: which keys can have made it, and the strength of its digest. */
export interface SignatureStrength {
  /** undefined: an algorithm that we do not know. */
  readonly keys: readonly KeyKind[] | undefined
  readonly bits: number
  /** For messages. */
  readonly text: string
}

const UNKNOWN_KEY: KeyStrength = { kind: undefined, bits: 0, text: 'unknown', explicitCurve: false }

/** Reads a SubjectPublicKeyInfo (RFC 3279 section 2.3, RFC 5480, RFC 8410). Not checked: whether the key is sound. */
export function readKey(spki: Uint8Array): KeyStrength {
  return attempt(() => decodeKey(spki)) ?? UNKNOWN_KEY
}

function decodeKey(spki: Uint8Array): KeyStrength {
  const fields = openDer(spki)
  const algorithm = fields.enterExpected(Tag.SEQUENCE)
  const id = readOid(algorithm.expect(Tag.OID))
  const bits = fields.expect(Tag.BIT_STRING).content().subarray(1)
  const fixed = FIXED_KEYS[id]
  if (fixed !== undefined) return { ...fixed, text: id, explicitCurve: false }
  const row = SIZED_KEYS[id]
  if (row === undefined) return { ...UNKNOWN_KEY, text: id }
  const explicitCurve = row.kind === 'ec' && algorithm.peekTag() === Tag.SEQUENCE
  const size = row.size(bits, algorithm)
  return { kind: row.kind, bits: row.strength(size), text: `${row.kind} ${size}`, explicitCurve }
}

const FIXED_KEYS: Readonly<Record<string, { readonly kind: KeyKind; readonly bits: number }>> = {
  '1.3.101.110': { kind: 'x25519', bits: 128 },
  '1.3.101.111': { kind: 'x448', bits: 224 },
  '1.3.101.112': { kind: 'ed25519', bits: 128 },
  '1.3.101.113': { kind: 'ed448', bits: 224 },
  '2.16.840.1.101.3.4.3.17': { kind: 'ml-dsa', bits: 128 },
  '2.16.840.1.101.3.4.3.18': { kind: 'ml-dsa', bits: 192 },
  '2.16.840.1.101.3.4.3.19': { kind: 'ml-dsa', bits: 256 },
}

interface SizedKey {
  readonly kind: KeyKind
  readonly size: (bits: Uint8Array, parameters: DerCursor) => number
  readonly strength: (size: number) => number
}

const rsa = (kind: KeyKind): SizedKey => ({ kind, size: modulusSize, strength: factoringStrength })

const SIZED_KEYS: Readonly<Record<string, SizedKey>> = {
  [AlgorithmId.RSA_ENCRYPTION]: rsa('rsa'),
  '2.5.8.1.1': rsa('rsa'),
  [AlgorithmId.RSASSA_PSS]: rsa('rsa-pss'),
  '1.2.840.10045.2.1': { kind: 'ec', size: pointSize, strength: (size) => size >> 1 },
  '1.2.840.10040.4.1': { kind: 'dsa', size: primeSize, strength: factoringStrength },
}

function modulusSize(bits: Uint8Array): number {
  return integerBits(openDer(bits))
}

/** The size of the curve's field: a point is one octet and one coordinate, or two (SEC 1 section 2.3.3). */
function pointSize(bits: Uint8Array): number {
  const coordinates = bits[0] === 2 || bits[0] === 3 ? 1 : 2
  return ((bits.length - 1) / coordinates) * 8
}

/** 0 where the parameters are inherited: without them nothing can be said. */
function primeSize(_bits: Uint8Array, parameters: DerCursor): number {
  return parameters.done ? 0 : integerBits(parameters.enterExpected(Tag.SEQUENCE))
}

function integerBits(cursor: DerCursor): number {
  const content = cursor.expect(Tag.INTEGER).content()
  let first = 0
  while (content[first] === 0) first++
  return first >= content.length ? 0 : (content.length - first) * 8 - (Math.clz32(content[first] as number) - 24)
}

/** SP 800-57 part 1, table 2, and OpenSSL's 80 bits for 1024. */
const FACTORING: readonly (readonly [size: number, bits: number])[] = [
  [15360, 256],
  [7680, 192],
  [3072, 128],
  [2048, 112],
  [1024, 80],
]

function factoringStrength(size: number): number {
  return FACTORING.find(([least]) => size >= least)?.[1] ?? 0
}

/** Strength of digests against collisions, by OpenSSL's figures. */
const DIGEST_BITS: Readonly<Record<string, number>> = {
  md5: 39,
  sha1: 63,
  sha224: 112,
  sha256: 128,
  sha384: 192,
  sha512: 256,
}

const signed = (digest: string, ...keys: readonly KeyKind[]): SignatureStrength => ({
  keys,
  bits: DIGEST_BITS[digest] ?? 0,
  text: digest,
})

/** EdDSA brings its digest, which no collision of another breaks. */
const EDDSA_BITS = { ed25519: 128, ed448: 224 } as const

const SIGNATURES: ReadonlyMap<string, SignatureStrength> = new Map(
  SIGNATURE_ALGORITHMS.map(({ oid, keyType, digest }) => [
    oid,
    keyType === 'ed25519' || keyType === 'ed448'
      ? { keys: [keyType], bits: EDDSA_BITS[keyType], text: keyType }
      : signed(digest ?? 'none', keyType),
  ]),
)

/** Reads an AlgorithmIdentifier of a signature. One that is unknown or malformed has no strength. */
export function readSignature(algorithm: Uint8Array): SignatureStrength {
  return attempt(() => decodeSignature(algorithm)) ?? { keys: undefined, bits: 0, text: 'malformed' }
}

function decodeSignature(algorithm: Uint8Array): SignatureStrength {
  const fields = openDer(algorithm)
  const id = readOid(fields.expect(Tag.OID))
  if (id === AlgorithmId.RSASSA_PSS) return signed(pssDigest(fields), 'rsa', 'rsa-pss')
  return SIGNATURES.get(id) ?? { keys: undefined, bits: 0, text: id }
}

/** RFC 4055 section 3.1: SHA-1 where nothing is said. */
function pssDigest(fields: DerCursor): string {
  const parameters = fields.enterExpected(Tag.SEQUENCE)
  if (!parameters.optional(contextTag(0, true))) return 'sha1'
  const id = readOid(parameters.enter().enterExpected(Tag.SEQUENCE).expect(Tag.OID))
  return digestName(id) ?? id
}
