import { createPublicKey, type KeyObject } from 'node:crypto'
import { oid, openDer, Tag } from '@x/der'
import { AlgorithmId, sameBytes } from '@x/der/x509'
import { generateKey, generateKeySync, parsePrivateKey, type PrivateKeyInput } from '@x/utils'
import { keyIdentifier, subjectKeyIdentifier } from './authority.ts'
import { wrongValue } from './misuse.ts'

/** The types of key that clones have: those that every browser accepts. */
export type LeafKeyType = 'rsa' | 'ec'

/** A clone's key and what its certificate says of it. */
export interface LeafKey {
  readonly privateKey: KeyObject
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array
  readonly identifier: Uint8Array
  /** The subjectKeyIdentifier extension, DER. */
  readonly subjectKeyIdentifier: Uint8Array
}

/** Which keys an interceptor has or makes. */
export class LeafKeys {
  readonly policy: 'shared' | 'own' | 'given'
  readonly #keys = new Map<LeafKeyType, LeafKey>()

  /** @throws TypeError for a key of a type or size that browsers refuse */
  constructor(policy: PrivateKeyInput = 'shared') {
    if (policy === 'shared' || policy === 'own') {
      this.policy = policy
      return
    }
    this.policy = 'given'
    const key = describe(acceptable(parsePrivateKey(policy)))
    this.#keys.set('rsa', key).set('ec', key)
  }

  /** The key for a clone of a certificate with this SubjectPublicKeyInfo. */
  for(spki: Uint8Array): LeafKey {
    const type = isRsa(spki) ? 'rsa' : 'ec'
    const known = this.#keys.get(type)
    if (known !== undefined) return known
    const made = describe(generateKeySync(type))
    if (this.policy === 'shared') this.#keys.set(type, made)
    return made
  }

  /** Makes the shared keys ahead: an RSA key takes 50 to 500 ms, and would block at the first clone that needs one. */
  async prepare(): Promise<void> {
    if (this.policy !== 'shared') return
    for (const type of ['rsa', 'ec'] as const) {
      if (this.#keys.has(type)) continue
      const made = describe(await generateKey(type))
      if (!this.#keys.has(type)) this.#keys.set(type, made)
    }
  }

  /** The keys there are, by type. */
  known(): ReadonlyMap<LeafKeyType, LeafKey> {
    return this.#keys
  }

  /** Puts back a shared key that was saved. */
  restore(type: LeafKeyType, privateKey: KeyObject): void {
    this.#keys.set(type, describe(acceptable(privateKey)))
  }
}

function describe(privateKey: KeyObject): LeafKey {
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  const identifier = keyIdentifier(spki)
  return { privateKey, spki, identifier, subjectKeyIdentifier: subjectKeyIdentifier(identifier) }
}

/** Chromium refuses Ed25519 and P-521, everyone RSA below 2048 bits. */
function acceptable(key: KeyObject): KeyObject {
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'rsa' && modulusLength >= 2048) return key
  if (key.asymmetricKeyType === 'ec' && (namedCurve === 'prime256v1' || namedCurve === 'secp384r1')) return key
  throw wrongValue(
    'leafKey',
    'must be an RSA key of 2048 bits or more, or one on P-256 or P-384: browsers refuse others',
  )
}

const RSA_ENCRYPTION = oid(AlgorithmId.RSA_ENCRYPTION)
const RSA_PSS = oid(AlgorithmId.RSASSA_PSS)

function isRsa(spki: Uint8Array): boolean {
  const type = openDer(spki).enterExpected(Tag.SEQUENCE).expect(Tag.OID).element()
  return sameBytes(type, RSA_ENCRYPTION) || sameBytes(type, RSA_PSS)
}
