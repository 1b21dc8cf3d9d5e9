import { createPublicKey, type KeyObject, type X509Certificate } from 'node:crypto'
import { parseCertificates } from './certificates.ts'
import { hasKey, inOrder } from './chain-order.ts'
import { CertificateError } from './errors.ts'
import { refuseUnknown, wrongType } from './misuse.ts'
import { looksLikePem } from './pem.ts'
import { parsePkcs12 } from './pkcs12.ts'
import { parsePrivateKey, type Passphrase, type PrivateKeyInput } from './private-keys.ts'

/** A certificate with its key and the certificates above it. */
export interface Identity {
  readonly certificate: X509Certificate
  /** Each issuer behind what it issued, then what belongs nowhere. Nothing in it is trusted for being there. */
  readonly chain: readonly X509Certificate[]
  readonly privateKey: KeyObject
}

/** Options of {@link parseIdentity}. */
export interface IdentityOptions {
  /** For encrypted keys and PKCS#12. */
  readonly passphrase?: Passphrase | undefined
  /** The key, where it does not stand beside the certificate. */
  readonly privateKey?: PrivateKeyInput | undefined
}

/**
 * A certificate, its chain and its key out of PEM, DER or PKCS#12, told apart by content. The certificate is the one that
 * belongs to the key, wherever in the input it stands. Nothing is verified beyond that.
 *
 * @throws CertificateError ERR_CERT_KEY_MISMATCH (no certificate belongs to the key), ERR_CERT_NOT_FOUND,
 *   ERR_CERT_KEY_NOT_FOUND, and what `parseCertificates`, `parsePrivateKey` and `parsePkcs12` throw
 */
export async function parseIdentity(input: string | Uint8Array, options: IdentityOptions = {}): Promise<Identity> {
  refuseUnknown(options, new Set(['passphrase', 'privateKey']))
  if (typeof input !== 'string' && !(input instanceof Uint8Array))
    throw wrongType('identity', 'a string or a Uint8Array', input)
  const { passphrase } = options
  if (typeof input !== 'string' && isPkcs12(input)) {
    const { certificate, chain, privateKey } = await parsePkcs12(input, { passphrase })
    const key =
      options.privateKey === undefined ? privateKey : await parsePrivateKey(options.privateKey, { passphrase })
    if (key === undefined) throw new CertificateError('ERR_CERT_KEY_NOT_FOUND', 'no private key in the PKCS#12 file')
    return together(certificate === undefined ? chain : [certificate, ...chain], key)
  }
  return together(parseCertificates(input), await parsePrivateKey(options.privateKey ?? input, { passphrase }))
}

/** A PFX begins with its version, 3 (RFC 7292 section 4), where a certificate has a SEQUENCE; its length may be indefinite. */
function isPkcs12(bytes: Uint8Array): boolean {
  if (looksLikePem(bytes)) return false
  const length = bytes[1] ?? 0
  const at = length > 0x80 ? 2 + (length & 0x7f) : 2
  return bytes[at] === 2 && bytes[at + 1] === 1 && bytes[at + 2] === 3
}

function together(certificates: readonly X509Certificate[], privateKey: KeyObject): Identity {
  if (certificates.length === 0)
    throw new CertificateError('ERR_CERT_NOT_FOUND', 'no certificate beside the private key')
  const publicKey = createPublicKey(privateKey)
  const certificate = certificates.find((one) => hasKey(one, publicKey))
  if (certificate === undefined)
    throw new CertificateError('ERR_CERT_KEY_MISMATCH', 'no certificate in the input belongs to the private key')
  return { certificate, chain: inOrder(certificate, certificates), privateKey }
}
