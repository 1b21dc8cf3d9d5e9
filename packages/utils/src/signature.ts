import { constants, createPublicKey, KeyObject, sign, verify } from 'node:crypto'
import { CertificateError } from './errors.ts'
import { refuseInherited, wrongType, wrongValue } from './misuse.ts'
import {
  readSignatureAlgorithm,
  type SignatureScheme,
  WEAK_DIGESTS,
  writeSignatureAlgorithm,
} from './signature-algorithms.ts'

/** What {@link verifySignature} looks at. */
export interface SignatureClaim {
  /** AlgorithmIdentifier, DER with its header. */
  readonly algorithm: Uint8Array
  /** What was signed, as it stands in the message. */
  readonly data: Uint8Array
  readonly signature: Uint8Array
  /** The signer's key: a KeyObject (public), or SubjectPublicKeyInfo as DER, whose decoding costs about 100 microseconds. */
  readonly publicKey: KeyObject | Uint8Array
  /**
   * What to do about a digest whose collisions are affordable (md5, sha1): 'refuse' (default), or 'tell', which accepts
   * and sets `weak` in the answer.
   */
  readonly weakDigests?: 'refuse' | 'tell'
}

/** How a signature that holds was made. */
export interface VerifiedSignature {
  readonly family: SignatureScheme['family']
  /** The digest; undefined for EdDSA. */
  readonly digest: string | undefined
  /** True for md5 and sha1: never without `weakDigests: 'tell'`. */
  readonly weak: boolean
}

/**
 * Verifies a signature by its AlgorithmIdentifier: RSA PKCS#1 v1.5, RSA-PSS (MGF1 over the same digest), ECDSA, DSA, Ed25519, Ed448.
 * Returns how it was made; refuses by throwing. Not checked: whose key it is, and its size.
 *
 * @throws CertificateError ERR_CERT_SIGNATURE_INVALID, ERR_CERT_ALGORITHM_UNSUPPORTED, ERR_CERT_DIGEST_WEAK,
 *   ERR_CERT_KEY_INVALID (the public key cannot be decoded)
 */
export function verifySignature(claim: SignatureClaim): VerifiedSignature {
  refuseInherited(claim)
  const { data, signature, weakDigests = 'refuse' } = claim
  if (weakDigests !== 'refuse' && weakDigests !== 'tell') throw wrongValue('weakDigests', "must be 'refuse' or 'tell'")
  const scheme = schemeOf(claim.algorithm)
  const weak = scheme.digest !== undefined && WEAK_DIGESTS.has(scheme.digest)
  if (weak && weakDigests === 'refuse')
    throw new CertificateError('ERR_CERT_DIGEST_WEAK', `signed over ${scheme.digest}, which no longer proves anything`)
  const key = publicKeyOf(claim.publicKey)
  if (!scheme.keyTypes.includes(key.asymmetricKeyType ?? ''))
    throw new CertificateError(
      'ERR_CERT_SIGNATURE_INVALID',
      `a ${key.asymmetricKeyType} key does not make ${scheme.family} signatures`,
    )
  if (!holds(scheme, data, key, signature))
    throw new CertificateError('ERR_CERT_SIGNATURE_INVALID', 'the signature does not fit the data and the key')
  return { family: scheme.family, digest: scheme.digest, weak }
}

/** A signature and its AlgorithmIdentifier (DER with header). */
export interface DerSignature {
  readonly algorithm: Uint8Array
  readonly signature: Uint8Array
}

/**
 * Signs DER synchronously with node:crypto. The digest is by default sha256; for P-384 sha384, for P-521 sha512; EdDSA
 * has none. RSA keys sign with PKCS#1 v1.5 unless `padding` is 'pss'; rsa-pss keys always with PSS, by their own digest.
 */
export function signDer(
  data: Uint8Array,
  privateKey: KeyObject,
  digest?: string,
  padding: 'pkcs1' | 'pss' = 'pkcs1',
): DerSignature {
  const recipe = recipeOf(privateKey, digest, padding)
  return { algorithm: recipe.algorithm, signature: sign(recipe.digest, data, recipe.key(privateKey)) }
}

/** AlgorithmIdentifier that {@link signDer} will use: certificates name it inside of what is signed. */
export function signatureAlgorithm(
  privateKey: KeyObject,
  digest?: string,
  padding: 'pkcs1' | 'pss' = 'pkcs1',
): Uint8Array {
  return recipeOf(privateKey, digest, padding).algorithm
}

interface Recipe {
  readonly algorithm: Uint8Array
  readonly digest: string | null
  readonly key: (privateKey: KeyObject) => Parameters<typeof sign>[2]
}

const recipes = new WeakMap<KeyObject, Map<string, Recipe>>()

/** Remembered per key: asking a key for its details costs as much as signing with it. */
function recipeOf(privateKey: KeyObject, digest: string | undefined, padding: 'pkcs1' | 'pss'): Recipe {
  if (!(privateKey instanceof KeyObject) || privateKey.type !== 'private')
    throw wrongType('privateKey', 'a private KeyObject', privateKey)
  const byOptions = recipes.get(privateKey) ?? new Map<string, Recipe>()
  recipes.set(privateKey, byOptions)
  const id = `${digest} ${padding}`
  const known = byOptions.get(id) ?? makeRecipe(privateKey, digest, padding)
  byOptions.set(id, known)
  return known
}

const FAMILIES: Readonly<Record<string, SignatureScheme['family']>> = {
  rsa: 'rsa',
  'rsa-pss': 'rsa-pss',
  ec: 'ecdsa',
  dsa: 'dsa',
  ed25519: 'eddsa',
  ed448: 'eddsa',
}
const CURVE_DIGESTS: Readonly<Record<string, string>> = { secp384r1: 'sha384', secp521r1: 'sha512' }

function makeRecipe(privateKey: KeyObject, asked: string | undefined, padding: 'pkcs1' | 'pss'): Recipe {
  if (padding !== 'pkcs1' && padding !== 'pss') throw wrongValue('padding', "must be 'pkcs1' or 'pss'")
  const keyType = privateKey.asymmetricKeyType ?? ''
  const natural = FAMILIES[keyType]
  if (natural === undefined)
    throw new CertificateError('ERR_CERT_KEY_UNSUPPORTED', `a ${keyType} key cannot sign certificates`)
  const family = natural === 'rsa' && padding === 'pss' ? 'rsa-pss' : natural
  const details = privateKey.asymmetricKeyDetails ?? {}
  const name = asked?.toLowerCase().replace(/^sha-/, 'sha')
  const digest =
    family === 'eddsa'
      ? undefined
      : (name ?? details.hashAlgorithm ?? CURVE_DIGESTS[details.namedCurve ?? ''] ?? 'sha256')
  const algorithm = writeSignatureAlgorithm(family, digest, keyType)
  if (algorithm === undefined || digest === 'md5')
    throw wrongValue('digest', `is '${digest}', which ${keyType} keys do not sign certificates with`)
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
  return { algorithm, digest: digest ?? null, key: family === 'rsa-pss' ? (key) => ({ key, ...pss }) : (key) => key }
}

function schemeOf(algorithm: Uint8Array): SignatureScheme {
  let scheme: SignatureScheme | undefined
  try {
    scheme = readSignatureAlgorithm(algorithm)
  } catch (cause) {
    throw new CertificateError('ERR_CERT_ALGORITHM_UNSUPPORTED', 'not a signature algorithm', { cause })
  }
  if (scheme === undefined)
    throw new CertificateError('ERR_CERT_ALGORITHM_UNSUPPORTED', 'a signature algorithm we do not know')
  return scheme
}

function publicKeyOf(key: KeyObject | Uint8Array): KeyObject {
  if (key instanceof KeyObject) return key.type === 'private' ? createPublicKey(key) : key
  if (!(key instanceof Uint8Array)) throw wrongType('publicKey', 'a KeyObject or a Uint8Array', key)
  try {
    return createPublicKey({
      key: Buffer.from(key.buffer, key.byteOffset, key.byteLength),
      format: 'der',
      type: 'spki',
    })
  } catch (cause) {
    throw new CertificateError('ERR_CERT_KEY_INVALID', 'not a public key that OpenSSL can read', { cause })
  }
}

/** OpenSSL throws for signatures of impossible lengths, and for digests it was built without: both are no. */
function holds(scheme: SignatureScheme, data: Uint8Array, key: KeyObject, signature: Uint8Array): boolean {
  const pss = scheme.family === 'rsa-pss' && {
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: scheme.saltLength ?? 20,
  }
  try {
    return verify(scheme.digest ?? null, data, pss ? { key, ...pss } : key, signature)
  } catch {
    return false
  }
}
