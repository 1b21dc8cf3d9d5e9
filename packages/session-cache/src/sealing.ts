import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  KeyObject,
  randomBytes,
} from 'node:crypto'
import { SessionCacheError } from './errors.ts'
import { invalidType, invalidValue } from './misuse.ts'

/** 32 random bytes, for instance `crypto.randomBytes(32)`, or a secret KeyObject of them. Not a password: stretch that first (scrypt). */
export type SealingKey = Uint8Array | KeyObject

const magic = Buffer.from('XSC1')
const saltLength = 16
const tagLength = 16

/** The keys of an option: the first one seals, all of them open, so that keys can be rotated. */
export function sealingKeys(option: string, given: SealingKey | readonly SealingKey[]): readonly KeyObject[] {
  const list = Array.isArray(given) ? (given as readonly SealingKey[]) : [given as SealingKey]
  if (list.length === 0) throw invalidValue(option, 'must hold at least one key')
  return list.map((key) => {
    const isKey = key instanceof KeyObject && key.type === 'secret'
    if (!isKey && !(key instanceof Uint8Array)) throw invalidType(option, '32 bytes or a secret KeyObject of 32 bytes')
    const secret = isKey ? key : createSecretKey(Buffer.from(key as Uint8Array))
    if (secret.symmetricKeySize !== 32) throw invalidValue(option, 'must have 32 bytes')
    return secret
  })
}

/**
 * Encrypts and authenticates (AES-256-GCM). Key and nonce are derived per message from a random salt (HKDF-SHA256), so that the number
 * of messages under one key needs no bound; `place` is authenticated with them, so that bytes moved elsewhere do not open.
 */
export function seal(key: KeyObject, place: string, plain: Uint8Array): Buffer {
  const salt = randomBytes(saltLength)
  const { secret, nonce } = derive(key, salt, place)
  const cipher = createCipheriv('aes-256-gcm', secret, nonce, { authTagLength: tagLength })
  cipher.setAAD(Buffer.from(place))
  return Buffer.concat([magic, salt, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

/** What `seal` was given, or ERR_SESSION_TAMPERED. */
export function unseal(keys: readonly KeyObject[], place: string, sealed: Uint8Array): Buffer {
  if (!(sealed instanceof Uint8Array)) throw invalidType('bytes', 'a Uint8Array')
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length)
  const start = magic.length + saltLength
  if (bytes.length >= start + tagLength && bytes.subarray(0, magic.length).equals(magic)) {
    for (const key of keys) {
      const { secret, nonce } = derive(key, bytes.subarray(magic.length, start), place)
      const decipher = createDecipheriv('aes-256-gcm', secret, nonce, { authTagLength: tagLength })
      decipher.setAAD(Buffer.from(place))
      decipher.setAuthTag(bytes.subarray(-tagLength))
      const plain = decipher.update(bytes.subarray(start, -tagLength))
      try {
        return Buffer.concat([plain, decipher.final()])
      } catch {
        // Sealed under another key, or tampered with: the same answer once every key was tried.
      }
    }
  }
  throw new SessionCacheError(
    'ERR_SESSION_TAMPERED',
    'stored sessions were altered, moved, or sealed under another key',
  )
}

/** A name that tells nothing of what it stands for: parameters of a trust key may be short secrets, and digests can be searched for. */
export function blindName(key: KeyObject, name: string): string {
  return createHmac('sha256', Buffer.from(hkdfSync('sha256', key, '', '@x/session-cache 1 name', 32)))
    .update(name)
    .digest('base64url')
}

function derive(key: KeyObject, salt: Uint8Array, place: string): { secret: Buffer; nonce: Buffer } {
  const bytes = Buffer.from(hkdfSync('sha256', key, salt, `@x/session-cache 1 ${place.slice(0, 200)}`, 44))
  return { secret: bytes.subarray(0, 32), nonce: bytes.subarray(32) }
}
