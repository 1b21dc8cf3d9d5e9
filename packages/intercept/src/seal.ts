import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto'
import type { Passphrase } from '@x/utils'
import { InterceptError } from './errors.ts'
import { wrongType, wrongValue } from './misuse.ts'

/** `XINT`, and the version, which stands for the whole recipe: nothing in the bytes decides what opening them costs. */
const HEADER = Buffer.from('XINT\u0001', 'latin1')
const SALT_LENGTH = 16
const IV_LENGTH = 12
const TAG_LENGTH = 16
const PREFIX_LENGTH = HEADER.length + SALT_LENGTH + IV_LENGTH

/** RFC 7914: 64 MiB and about 0.2 s for each guess. */
const SCRYPT = { N: 2 ** 16, r: 8, p: 1, maxmem: 2 ** 27 }

/** Largest state that is opened: some 30,000 clones. */
const MAX_SEALED_BYTES = 2 ** 26

/** Encrypts and authenticates (scrypt, AES-256-GCM); the header is authenticated as well. */
export async function seal(plain: Uint8Array, passphrase: Passphrase): Promise<Buffer> {
  const salt = randomBytes(SALT_LENGTH)
  const iv = randomBytes(IV_LENGTH)
  const key = await deriveKey(passphrase, salt)
  const prefix = Buffer.concat([HEADER, salt, iv])
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_LENGTH }).setAAD(prefix)
  return Buffer.concat([prefix, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

/** The reverse. Nothing of the content is looked at before all of it has proved to be what was sealed. */
export async function unseal(sealed: Uint8Array, passphrase: Passphrase): Promise<Buffer> {
  if (!(sealed instanceof Uint8Array)) throw wrongType('bytes', 'a Uint8Array', sealed)
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength)
  if (
    bytes.length < PREFIX_LENGTH + TAG_LENGTH ||
    bytes.length > MAX_SEALED_BYTES ||
    !bytes.subarray(0, 4).equals(HEADER.subarray(0, 4))
  )
    throw new InterceptError('ERR_INTERCEPT_SERIALIZED_INVALID', 'not a serialized interceptor')
  if (bytes[4] !== HEADER[4])
    throw new InterceptError(
      'ERR_INTERCEPT_SERIALIZED_INVALID',
      `serialized in version ${bytes[4]}, which is not known here`,
    )
  const prefix = bytes.subarray(0, PREFIX_LENGTH)
  const key = await deriveKey(passphrase, prefix.subarray(HEADER.length, HEADER.length + SALT_LENGTH))
  const decipher = createDecipheriv('aes-256-gcm', key, prefix.subarray(-IV_LENGTH), { authTagLength: TAG_LENGTH })
  decipher.setAAD(prefix).setAuthTag(bytes.subarray(-TAG_LENGTH))
  try {
    return Buffer.concat([decipher.update(bytes.subarray(PREFIX_LENGTH, -TAG_LENGTH)), decipher.final()])
  } catch (cause) {
    throw new InterceptError('ERR_INTERCEPT_PASSPHRASE_WRONG', 'the passphrase is wrong, or the bytes were changed', {
      cause,
    })
  }
}

async function deriveKey(passphrase: Passphrase, salt: Uint8Array): Promise<Buffer> {
  const text: unknown = typeof passphrase === 'function' ? await passphrase() : passphrase
  if (typeof text !== 'string') throw wrongType('passphrase', 'a string or a function that returns one', text)
  if (text === '') throw wrongValue('passphrase', 'must not be empty')
  return new Promise((resolve, reject) => {
    // null in Node, undefined in Bun
    scrypt(text, salt, 32, SCRYPT, (error, key) => (error ? reject(error) : resolve(key)))
  })
}
