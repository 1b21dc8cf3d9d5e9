import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  timingSafeEqual,
  X509Certificate,
} from 'node:crypto'
import { DerError, openDer, Tag } from '@x/der'
import { digestName } from '@x/der/x509'
import { hasKey, inOrder } from './chain-order.ts'
import { CertificateError } from './errors.ts'
import { derivePkcs12, MAX_SLOW_ITERATIONS } from './key-derivation.ts'
import { refuseInherited, wrongType } from './misuse.ts'
import { decryptPasswordBased, passwordBasedMac, type RoundBudget, roundBudget } from './password-based.ts'
import { type Decrypt, type Pkcs12Bag, type Pkcs12Mac, readBags, readPfx } from './pkcs12-structure.ts'
import { checkedPassphrase, type Passphrase } from './private-keys.ts'

/** What a PKCS#12 file holds. */
export interface Pkcs12Content {
  /** The certificate of the private key, where the file has both. */
  readonly certificate: X509Certificate | undefined
  /** All other certificates: first those that issued one another above the certificate, then the rest. */
  readonly chain: readonly X509Certificate[]
  readonly privateKey: KeyObject | undefined
}

/**
 * Reads PKCS#12 (RFC 7292), as BER or DER: integrity by HMAC or PBMAC1, encryption by PBES2, and by the old schemes with triple DES
 * and RC2. Of several private keys the first that has a certificate counts. CRLs and secrets are passed over; public-key
 * modes are not supported. The MAC is checked where there is one; nothing is verified about the certificates.
 *
 * @throws CertificateError ERR_CERT_PKCS12_INVALID, ERR_CERT_PKCS12_UNSUPPORTED, ERR_CERT_PASSPHRASE_REQUIRED,
 *   ERR_CERT_PASSPHRASE_WRONG, ERR_CERT_TOO_LARGE, ERR_CERT_INVALID (a certificate in it)
 */
export async function parsePkcs12(
  bytes: Uint8Array,
  options: { readonly passphrase?: Passphrase | undefined } = {},
): Promise<Pkcs12Content> {
  refuseInherited(options)
  if (!(bytes instanceof Uint8Array)) throw wrongType('pkcs12', 'a Uint8Array', bytes)
  const { content, mac } = await readPfx(bytes)
  const passphrase = await unlock(content, mac, options.passphrase)
  const budget = roundBudget()
  const open: Decrypt = (algorithm, data) => decrypt(algorithm, data, passphrase, budget)
  const bags = await readBags(content, open)
  return arrange(
    bags.flatMap((bag) => certificateOf(bag)),
    bags.flatMap((bag) => keyOf(bag, open)),
  )
}

/**
 * The passphrase that opens the file, `undefined` for none. No passphrase and the empty one are two things here (RFC 7292
 * appendix B.1), and writers disagree about which is which, so both are tried before anybody is asked.
 */
async function unlock(
  content: Uint8Array,
  mac: Pkcs12Mac | undefined,
  given: Passphrase | undefined,
): Promise<string | undefined> {
  const opens = (passphrase: string | undefined): boolean => mac !== undefined && fits(content, mac, passphrase)
  if (given === undefined || given === '' || (typeof given === 'function' && mac !== undefined)) {
    if (opens('')) return ''
    if (mac === undefined || opens(undefined)) return undefined
    if (given === undefined)
      throw new CertificateError('ERR_CERT_PASSPHRASE_REQUIRED', 'the PKCS#12 file is protected: give its passphrase')
  }
  const passphrase = checkedPassphrase(typeof given === 'function' ? await given() : given)
  if (mac === undefined || opens(passphrase)) return passphrase
  throw new CertificateError('ERR_CERT_PASSPHRASE_WRONG', 'the passphrase does not fit, or the PKCS#12 file is broken')
}

const PBMAC1 = '1.2.840.113549.1.5.14'

function fits(content: Uint8Array, mac: Pkcs12Mac, passphrase: string | undefined): boolean {
  const expected = strict(() => (mac.algorithmId === PBMAC1 ? pbmac1 : hmac)(content, mac, passphrase))
  if (expected === undefined) throw unsupported('a MAC')
  return expected.length === mac.digest.length && timingSafeEqual(expected, mac.digest)
}

function pbmac1(content: Uint8Array, mac: Pkcs12Mac, passphrase: string | undefined): Uint8Array | undefined {
  const fields = openDer(mac.algorithm)
  fields.expect(Tag.OID)
  return passwordBasedMac(fields.enterExpected(Tag.SEQUENCE), content, passphrase ?? '')
}

/** RFC 7292 section 5.1 and appendix A. */
function hmac(content: Uint8Array, mac: Pkcs12Mac, passphrase: string | undefined): Uint8Array | undefined {
  const digest = digestName(mac.algorithmId)
  if (digest === undefined || !(mac.iterations >= 1 && mac.iterations <= MAX_SLOW_ITERATIONS)) return undefined
  const key = derivePkcs12(digest, 'mac', passphrase, mac.salt, mac.iterations, mac.digest.length)
  return key === undefined ? undefined : createHmac(digest, key).update(content).digest()
}

function decrypt(
  algorithm: Uint8Array,
  data: Uint8Array,
  passphrase: string | undefined,
  budget: RoundBudget,
): Uint8Array {
  const plain = strict(() => decryptPasswordBased(algorithm, data, passphrase, budget))
  if (plain === 'unsupported') throw unsupported('an encryption')
  if (plain === 'too-many-iterations') throw unsupported('a number of rounds')
  if (plain === 'wrong-passphrase')
    throw new CertificateError(
      'ERR_CERT_PASSPHRASE_WRONG',
      'the passphrase does not fit, or the PKCS#12 file is broken',
    )
  return plain
}

function strict<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof DerError)) throw cause
    throw new CertificateError('ERR_CERT_PKCS12_INVALID', 'an algorithm of the PKCS#12 file is broken', { cause })
  }
}

function unsupported(what: string): CertificateError {
  return new CertificateError('ERR_CERT_PKCS12_UNSUPPORTED', `the PKCS#12 file uses ${what} that is not supported`)
}

function certificateOf(bag: Pkcs12Bag): X509Certificate[] {
  if (bag.kind !== 'certificate') return []
  try {
    return [new X509Certificate(bag.der)]
  } catch (cause) {
    throw new CertificateError('ERR_CERT_INVALID', 'a certificate in the PKCS#12 file is broken', { cause })
  }
}

function keyOf(bag: Pkcs12Bag, open: Decrypt): KeyObject[] {
  if (bag.kind === 'certificate') return []
  const der = bag.kind === 'key' ? bag.der : open(bag.algorithm, bag.data)
  try {
    return [createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' })]
  } catch (cause) {
    throw new CertificateError('ERR_CERT_PKCS12_INVALID', 'a private key in the PKCS#12 file is broken', { cause })
  }
}

function arrange(certificates: readonly X509Certificate[], keys: readonly KeyObject[]): Pkcs12Content {
  for (const privateKey of keys) {
    const publicKey = createPublicKey(privateKey)
    const certificate = certificates.find((one) => hasKey(one, publicKey))
    if (certificate !== undefined) return { certificate, chain: inOrder(certificate, certificates), privateKey }
  }
  return { certificate: undefined, chain: certificates, privateKey: keys[0] }
}
