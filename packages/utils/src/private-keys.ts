import { createPrivateKey, KeyObject } from 'node:crypto'
import { DerCursor, Tag } from '@x/der'
import { CertificateError } from './errors.ts'
import { wrongType, wrongValue } from './misuse.ts'
import { looksLikePem, MAX_INPUT_BYTES, readPem } from './pem.ts'

/** A private key: PEM text, PEM or DER bytes, or a KeyObject. */
export type PrivateKeyInput = string | Uint8Array | KeyObject

/** A passphrase, or a function that is asked for it only when it is needed. */
export type Passphrase = string | (() => string | Promise<string>)

/** Options of {@link parsePrivateKey}. */
export interface PrivateKeyOptions<P extends Passphrase = Passphrase> {
  /** For encrypted keys. */
  readonly passphrase?: P | undefined
}

/** An encoded key, found in the input and not yet decoded. */
interface EncodedKey {
  readonly key: string | Buffer
  readonly format: 'pem' | 'der'
  readonly type: 'pkcs1' | 'pkcs8' | 'sec1'
  readonly encrypted: boolean
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
  if (input instanceof KeyObject) {
    if (input.type !== 'private') throw wrongValue('privateKey', `must be a private key; it is a ${input.type} key`)
    return input
  }
  const found = findKey(input)
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

function findKey(input: string | Uint8Array): EncodedKey {
  if (typeof input !== 'string' && !(input instanceof Uint8Array))
    throw wrongType('privateKey', 'a string, a Uint8Array or a KeyObject', input)
  if (input.length > MAX_INPUT_BYTES) throw new CertificateError('ERR_CERT_TOO_LARGE', `a key of ${input.length} bytes`)
  if (typeof input !== 'string' && !looksLikePem(input)) return derKey(input)
  const text =
    typeof input === 'string' ? input : Buffer.from(input.buffer, input.byteOffset, input.byteLength).toString('latin1')
  let found = false
  const [block] = readPem(text, (label) => {
    const wanted = !found && label.endsWith('PRIVATE KEY')
    found ||= wanted
    return wanted
  })
  if (block === undefined) throw new CertificateError('ERR_CERT_KEY_NOT_FOUND', 'no private key in the input')
  const encrypted = block.label === 'ENCRYPTED PRIVATE KEY' || /^Proc-Type: *4, *ENCRYPTED/m.test(block.text)
  return { key: block.text, format: 'pem', type: 'pkcs8', encrypted }
}

/** Which of the four structures it is, by the tags of its first two fields. */
function derKey(der: Uint8Array): EncodedKey {
  const key = Buffer.from(der.buffer, der.byteOffset, der.byteLength)
  try {
    const outer = new DerCursor(der)
    const fields = outer.enterExpected(Tag.SEQUENCE)
    outer.finish()
    const first = fields.next()
    const second = fields.next()
    if (first === Tag.SEQUENCE && second === Tag.OCTET_STRING)
      return { key, format: 'der', type: 'pkcs8', encrypted: true }
    if (first === Tag.INTEGER && second === Tag.SEQUENCE) return { key, format: 'der', type: 'pkcs8', encrypted: false }
    if (first === Tag.INTEGER && second === Tag.INTEGER) return { key, format: 'der', type: 'pkcs1', encrypted: false }
    if (first === Tag.INTEGER && second === Tag.OCTET_STRING)
      return { key, format: 'der', type: 'sec1', encrypted: false }
  } catch (cause) {
    throw new CertificateError('ERR_CERT_KEY_INVALID', 'not a private key', { cause })
  }
  throw new CertificateError('ERR_CERT_KEY_NOT_FOUND', 'no private key in the input')
}

function decode({ key, format, type, encrypted }: EncodedKey, passphrase?: string): KeyObject {
  try {
    return createPrivateKey({ key, format, type, ...(passphrase === undefined ? {} : { passphrase }) })
  } catch (cause) {
    const code: unknown = (cause as { code?: unknown }).code
    if (code === 'ERR_MISSING_PASSPHRASE')
      throw new CertificateError('ERR_CERT_PASSPHRASE_REQUIRED', 'the key is encrypted: give its passphrase', { cause })
    if (code === 'ERR_OSSL_UNSUPPORTED' || code === 'ERR_OSSL_EVP_UNSUPPORTED')
      throw new CertificateError('ERR_CERT_KEY_UNSUPPORTED', 'OpenSSL does not support this kind of key', { cause })
    if (encrypted)
      throw new CertificateError('ERR_CERT_PASSPHRASE_WRONG', 'the passphrase does not fit, or the key is broken', {
        cause,
      })
    throw new CertificateError('ERR_CERT_KEY_INVALID', 'not a private key', { cause })
  }
}
