import { createPrivateKey, KeyObject } from 'node:crypto'
import { DerError, openDer, Tag } from '@x/der'
import { type EncodedKey, findPrivateKey } from './encoded-key.ts'
import { CertificateError } from './errors.ts'
import { refuseInherited, refuseUnknown, wrongType, wrongValue } from './misuse.ts'
import { type Decrypted, decryptPasswordBased } from './password-based.ts'

/** A private key: PEM text, PEM or DER bytes, or a KeyObject. */
export type PrivateKeyInput = string | Uint8Array | KeyObject

/** A passphrase, or a function that is asked for it only when it is needed. */
export type Passphrase = string | (() => string | Promise<string>)

/** Options of {@link parsePrivateKey}. */
export interface PrivateKeyOptions<P extends Passphrase = Passphrase> {
  /** For encrypted keys. */
  readonly passphrase?: P | undefined
}

/**
 * A private key in PEM or DER: PKCS#8 (encrypted or not), PKCS#1, SEC1 and traditionally encrypted PEM. Of a PEM text
 * with several blocks, the first private key. The original's `PEM_string2key`.
 * Returns a Promise only where the passphrase is a function and returns one.
 *
 * @throws CertificateError ERR_CERT_KEY_NOT_FOUND, ERR_CERT_KEY_INVALID, ERR_CERT_KEY_UNSUPPORTED, ERR_CERT_PEM_INVALID,
 *   ERR_CERT_PASSPHRASE_REQUIRED, ERR_CERT_PASSPHRASE_WRONG, ERR_CERT_TOO_LARGE
 */
export function parsePrivateKey(input: PrivateKeyInput, options?: PrivateKeyOptions<string | (() => string)>): KeyObject
export function parsePrivateKey(input: PrivateKeyInput, options?: PrivateKeyOptions): KeyObject | Promise<KeyObject>
export function parsePrivateKey(
  input: PrivateKeyInput,
  options: PrivateKeyOptions = {},
): KeyObject | Promise<KeyObject> {
  refuseInherited(options)
  if (input instanceof KeyObject) {
    if (input.type !== 'private') throw wrongValue('privateKey', `must be a private key; it is a ${input.type} key`)
    return input
  }
  const found = findPrivateKey(input)
  if (!found.encrypted) return decode(found)
  const { passphrase } = options
  if (passphrase === undefined)
    throw new CertificateError('ERR_CERT_PASSPHRASE_REQUIRED', 'the key is encrypted: give its passphrase')
  const answer = typeof passphrase === 'function' ? passphrase() : passphrase
  return answer instanceof Promise
    ? answer.then((text) => decode(found, checkedPassphrase(text)))
    : decode(found, checkedPassphrase(answer))
}

/**
 * PEM of a private key: PKCS#8, encrypted (PBES2, AES-256-CBC) where a passphrase is given.
 * The original's `PEM_key2string`, which wrote the traditional form.
 *
 * @throws CertificateError as {@link parsePrivateKey}
 */
export function privateKeyToPem(
  key: PrivateKeyInput,
  options: { readonly passphrase?: string | undefined } = {},
): string {
  refuseUnknown(options, new Set(['passphrase'])) // a misspelled one would leave the key in clear
  const object = parsePrivateKey(key)
  if (options.passphrase === undefined) return object.export({ type: 'pkcs8', format: 'pem' }) as string
  const passphrase = checkedPassphrase(options.passphrase)
  if (passphrase === '') throw wrongValue('passphrase', 'must not be empty')
  return object.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }) as string
}

/** Only text is a passphrase: `undefined` from a callback must not become the text "undefined". */
export function checkedPassphrase(answer: unknown): string {
  if (typeof answer !== 'string') throw wrongType('passphrase', 'a string or a function that returns one', answer)
  return answer
}

/** The key itself; PKCS#8's encryption is undone here, the traditional one by OpenSSL. */
function decode(encoded: EncodedKey, passphrase?: string): KeyObject {
  if (encoded.encrypted !== 'pkcs8') return load(encoded, passphrase)
  const plain = decryptPkcs8(encoded.der, passphrase ?? '')
  // OpenSSL knows rarer schemes, as scrypt and Camellia. It gets the bytes whose rounds were counted.
  if (plain === 'unsupported')
    return load({ ...encoded, key: Buffer.from(encoded.der), format: 'der', type: 'pkcs8' }, passphrase)
  if (plain === 'too-many-iterations')
    throw new CertificateError('ERR_CERT_KEY_UNSUPPORTED', 'the key is encrypted with more rounds than anybody writes')
  if (plain === 'wrong-passphrase') throw wrongPassphrase()
  try {
    return createPrivateKey({ key: Buffer.from(plain), format: 'der', type: 'pkcs8' })
  } catch (cause) {
    throw plain[0] === Tag.SEQUENCE && isUnsupported(cause, 'key') ? unsupportedKey(cause) : wrongPassphrase(cause)
  }
}

/** EncryptedPrivateKeyInfo (RFC 5958 section 3). */
function decryptPkcs8(der: Uint8Array, passphrase: string): Decrypted {
  try {
    const fields = openDer(der)
    const algorithm = fields.expect(Tag.SEQUENCE).element()
    return decryptPasswordBased(algorithm, fields.expect(Tag.OCTET_STRING).content(), passphrase)
  } catch (cause) {
    if (!(cause instanceof DerError)) throw cause
    throw new CertificateError('ERR_CERT_KEY_INVALID', 'not an encrypted private key', { cause })
  }
}

function load({ key, format, type, encrypted }: EncodedKey, passphrase: string | undefined): KeyObject {
  try {
    return createPrivateKey({ key, format, type, ...(passphrase === undefined ? {} : { passphrase }) })
  } catch (cause) {
    if (encrypted !== false) throw isUnsupported(cause, 'cipher') ? unsupportedKey(cause) : wrongPassphrase(cause)
    if (isUnsupported(cause, 'key')) throw unsupportedKey(cause)
    throw new CertificateError('ERR_CERT_KEY_INVALID', 'not a private key', { cause })
  }
}

/** OpenSSL's decoders say "unsupported" of what they cannot read at all, which a wrong passphrase leads to as well. */
function isUnsupported(error: unknown, what: 'key' | 'cipher'): boolean {
  const { code } = error as { code?: unknown }
  return code === 'ERR_OSSL_EVP_UNSUPPORTED' || (what === 'key' && code === 'ERR_OSSL_UNSUPPORTED')
}

function unsupportedKey(cause: unknown): CertificateError {
  return new CertificateError('ERR_CERT_KEY_UNSUPPORTED', 'OpenSSL does not support this kind of key', { cause })
}

function wrongPassphrase(cause?: unknown): CertificateError {
  const message = 'the passphrase does not fit, or the key is broken'
  return new CertificateError('ERR_CERT_PASSPHRASE_WRONG', message, cause === undefined ? {} : { cause })
}
