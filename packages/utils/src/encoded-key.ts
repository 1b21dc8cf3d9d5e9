import { DerCursor, Tag } from '@x/der'
import { CertificateError } from './errors.ts'
import { wrongType } from './misuse.ts'
import { looksLikePem, MAX_INPUT_BYTES, readPem } from './pem.ts'

/** An encoded key, found in the input and not yet decoded. */
export interface EncodedKey {
  readonly key: string | Buffer
  readonly format: 'pem' | 'der'
  readonly type: 'pkcs1' | 'pkcs8' | 'sec1'
  /** Inside PKCS#8 (EncryptedPrivateKeyInfo, RFC 5958 section 3), or by OpenSSL's old PEM headers. */
  readonly encrypted: false | 'pkcs8' | 'traditional'
  readonly der: Uint8Array
}

/** The first private key of PEM text, or of PEM or DER bytes. */
export function findPrivateKey(input: string | Uint8Array): EncodedKey {
  if (typeof input !== 'string' && !(input instanceof Uint8Array))
    throw wrongType('privateKey', 'a string, a Uint8Array or a KeyObject', input)
  if (input.length > MAX_INPUT_BYTES) throw new CertificateError('ERR_CERT_TOO_LARGE', `a key of ${input.length} bytes`)
  if (typeof input !== 'string' && !looksLikePem(input)) return fromDer(input)
  const text =
    typeof input === 'string' ? input : Buffer.from(input.buffer, input.byteOffset, input.byteLength).toString('latin1')
  let found = false
  const [block] = readPem(text, (label) => {
    const wanted = !found && label.endsWith('PRIVATE KEY')
    found ||= wanted
    return wanted
  })
  if (block === undefined) throw notFound()
  const pkcs8 = block.label === 'ENCRYPTED PRIVATE KEY'
  const encrypted = pkcs8 ? 'pkcs8' : /^Proc-Type: *4, *ENCRYPTED/m.test(block.text) ? 'traditional' : false
  return { key: block.text, format: 'pem', type: 'pkcs8', encrypted, der: block.der }
}

/** Which of the four structures it is, by the tags of its first two fields. */
function fromDer(der: Uint8Array): EncodedKey {
  const type = STRUCTURES.get(firstTags(der))
  if (type === undefined) throw notFound()
  const key = Buffer.from(der.buffer, der.byteOffset, der.byteLength)
  const encrypted = type === 'encrypted'
  return { key, format: 'der', type: encrypted ? 'pkcs8' : type, encrypted: encrypted ? 'pkcs8' : false, der }
}

/** RFC 5958 sections 2 and 3, RFC 8017 appendix A.1.2, RFC 5915 section 3. */
const STRUCTURES: ReadonlyMap<number, 'pkcs1' | 'pkcs8' | 'sec1' | 'encrypted'> = new Map([
  [pair(Tag.INTEGER, Tag.SEQUENCE), 'pkcs8'],
  [pair(Tag.SEQUENCE, Tag.OCTET_STRING), 'encrypted'],
  [pair(Tag.INTEGER, Tag.INTEGER), 'pkcs1'],
  [pair(Tag.INTEGER, Tag.OCTET_STRING), 'sec1'],
])

function pair(first: number, second: number): number {
  return first * 256 + second
}

function firstTags(der: Uint8Array): number {
  try {
    const outer = new DerCursor(der)
    const fields = outer.enterExpected(Tag.SEQUENCE)
    outer.finish()
    return pair(fields.next(), fields.next())
  } catch (cause) {
    throw new CertificateError('ERR_CERT_KEY_INVALID', 'not a private key', { cause })
  }
}

function notFound(): CertificateError {
  return new CertificateError('ERR_CERT_KEY_NOT_FOUND', 'no private key in the input')
}
