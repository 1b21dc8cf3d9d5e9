import { createPublicKey, KeyObject, randomFillSync, X509Certificate } from 'node:crypto'
import { bitString, contextTag, DerError, element, integer, sequence, time } from '@x/der'
import { sameBytes } from '@x/der/x509'
import { type CertificateInput } from './certificate-input.ts'
import { CERTIFICATE_OPTIONS, type CertificateOptions } from './certificate-options.ts'
import { hasKey } from './chain-order.ts'
import { encodeName, type NameRecord } from './distinguished-name.ts'
import { CertificateError } from './errors.ts'
import { writeExtension } from './extensions.ts'
import { extensionsFor } from './extensions-for.ts'
import { generateKeySync, type KeyKindInput } from './generate-key.ts'
import { type IssuerFacts, issuerFacts, keyFacts } from './key-facts.ts'
import { refuseInherited, refuseUnknown, wrongType, wrongValue } from './misuse.ts'
import { writePem } from './pem.ts'
import { parsePrivateKey, privateKeyToPem } from './private-keys.ts'
import { signatureAlgorithm, signDer } from './signature.ts'

/** A certificate just made. The X509Certificate and the PEM texts are built when they are first read. */
export interface CreatedCertificate {
  readonly certificate: X509Certificate
  /** Its DER, under the name that X509Certificate has for it. */
  readonly raw: Uint8Array
  /** PEM of the certificate, as node:tls takes it. */
  readonly cert: string
}

/** A certificate just made, with its key: can be given to node:tls as it is. */
export interface CreatedIdentity extends CreatedCertificate {
  readonly privateKey: KeyObject
  /** PEM of the private key, PKCS#8, as node:tls takes it. */
  readonly key: string
}

const DAY = 86_400_000
const SERIAL_OCTETS = 16
/** What RFC 5280 section 4.1.2.5 has for no end at all. */
const LAST_SECOND = Date.UTC(9999, 11, 31, 23, 59, 59)
const VERSION_3 = element(contextTag(0, true), integer(2))

/**
 * Makes a certificate (version 3) and signs it, synchronously; the original's `CERT_create`. Every option has a default:
 * without any it is a self-signed certificate for a server and client with a new P-256 key, valid for 365 days.
 * What `describeCertificate` returned is accepted, and options given beside it win; the key and what identifies it are new.
 *
 * Not checked: whether the issuer is a CA, may sign, and is valid.
 *
 * @throws TypeError for options that are unknown, of the wrong type or contradict each other
 * @throws CertificateError ERR_CERT_KEY_MISMATCH (the issuer's key is not that of its certificate), and what
 *   `parseCertificate` and `parsePrivateKey` throw for the certificate and keys given
 */
export function createCertificate(options: CertificateOptions & { readonly publicKey: KeyObject }): CreatedCertificate
export function createCertificate(options?: CertificateOptions): CreatedIdentity
export function createCertificate(options: CertificateOptions = {}): CreatedIdentity | CreatedCertificate {
  refuseUnknown(options, CERTIFICATE_OPTIONS)
  if (options.version !== undefined && options.version !== 3 && options.fingerprint === undefined)
    throw wrongValue('version', 'must be 3: older ones carry no extensions')
  const { publicKey } = options
  const privateKey = publicKey === undefined ? subjectKey(options) : undefined
  const der = encodeCertificate(options, (privateKey ?? publicKey) as KeyObject, privateKey)
  return privateKey === undefined ? asCertificate(der) : asIdentity(der, privateKey)
}

/** PEM and X509Certificate of DER, made when asked for: decoding a certificate costs five times its creation. */
function asCertificate(raw: Uint8Array): CreatedCertificate {
  let certificate: X509Certificate | undefined
  return {
    raw,
    get certificate() {
      certificate ??= new X509Certificate(raw)
      return certificate
    },
    get cert() {
      return writePem('CERTIFICATE', raw)
    },
  }
}

/** Written out beside {@link asCertificate}: adding properties to that would cost as much as all the encoding. */
function asIdentity(raw: Uint8Array, privateKey: KeyObject): CreatedIdentity {
  let certificate: X509Certificate | undefined
  return {
    raw,
    get certificate() {
      certificate ??= new X509Certificate(raw)
      return certificate
    },
    get cert() {
      return writePem('CERTIFICATE', raw)
    },
    privateKey,
    get key() {
      return privateKeyToPem(privateKey)
    },
  }
}

function subjectKey({ privateKey = 'ec' }: CertificateOptions): KeyObject {
  if (privateKey instanceof KeyObject) return parsePrivateKey(privateKey)
  if (privateKey instanceof Uint8Array || (typeof privateKey === 'string' && privateKey.includes('-----')))
    return parsePrivateKey(privateKey)
  return generateKeySync(privateKey as KeyKindInput)
}

interface Signer {
  readonly key: KeyObject
  /** Undefined: the certificate signs itself. */
  readonly facts: IssuerFacts | undefined
}

function signerOf({ issuer, publicKey }: CertificateOptions, own: KeyObject | undefined): Signer {
  if (issuer === undefined || isNameRecord(issuer)) {
    if (own !== undefined) return { key: own, facts: undefined }
    throw wrongValue('publicKey', publicKey instanceof KeyObject ? 'needs an issuer beside it' : 'must be a KeyObject')
  }
  const { certificate, privateKey } = issuer
  const key = parsePrivateKey(privateKey)
  const facts = issuerFacts(certificate)
  if (!sameBytes(keyFacts(key).spki, facts.spki) && !sameKey(certificate, key))
    throw new CertificateError('ERR_CERT_KEY_MISMATCH', "the issuer's private key does not belong to its certificate")
  return { key, facts }
}

/** The same key can be written in two ways (compressed points, for instance). */
function sameKey(certificate: CertificateInput, key: KeyObject): boolean {
  return certificate instanceof X509Certificate && hasKey(certificate, createPublicKey(key))
}

/** What `describeCertificate` says of the issuer is no issuer: the new certificate signs itself. */
function isNameRecord(issuer: NonNullable<CertificateOptions['issuer']>): issuer is NameRecord {
  if (typeof issuer !== 'object') throw wrongType('issuer', 'an object with certificate and privateKey', issuer)
  refuseInherited(issuer, 'issuer.')
  return !('privateKey' in issuer)
}

function encodeCertificate(options: CertificateOptions, key: KeyObject, own: KeyObject | undefined): Uint8Array {
  const signer = signerOf(options, own)
  const facts = keyFacts(key)
  const subject = encodeName(options.subject ?? defaultSubject(options), 'subject')
  const emptySubject = subject.length === 2
  const extensions = extensionsFor(options, {
    emptySubject,
    subjectKeyIdentifier: facts.subjectKeyIdentifier,
    authorityKeyIdentifier: (signer.facts ?? facts).authorityKeyIdentifier,
  })
  const { digest, padding } = options
  const tbs = sequence(
    VERSION_3,
    serialNumber(options),
    signatureAlgorithm(signer.key, digest, padding),
    signer.facts?.subject ?? subject,
    validity(options),
    subject,
    facts.spki,
    ...(extensions.length === 0 ? [] : [element(contextTag(3, true), sequence(...extensions.map(writeExtension)))]),
  )
  const { algorithm, signature } = signDer(tbs, signer.key, digest, padding)
  return sequence(tbs, algorithm, bitString(signature))
}

/** The first DNS name or IP address, where it fits into 64 characters (RFC 5280 appendix A.1, ub-common-name). */
function defaultSubject({ subjectAltNames }: CertificateOptions): NameRecord {
  if (subjectAltNames === undefined) return { commonName: 'Test certificate' }
  const name = subjectAltNames.find(([type, value]) => (type === 'DNS' || type === 'IP') && value.length <= 64)
  return name === undefined ? {} : { commonName: name[1] as string }
}

/**
 * Positive and of at most 20 octets (RFC 5280 section 4.1.2.2). Where a description has a serial number that is neither, a
 * new one is made.
 */
function serialNumber({ serial, fingerprint }: CertificateOptions): Uint8Array {
  const value = serial === undefined ? undefined : serialValue(serial)
  if (value !== undefined && value > 0n && value < 2n ** 159n) return integer(value)
  if (serial !== undefined && fingerprint === undefined)
    throw wrongValue('serial', 'must be a positive integer of at most 20 octets; as text, in hex')
  const octets = randomOctets()
  octets[0] = ((octets[0] as number) & 0x7f) | 0x40 // positive, and never shorter
  return integer(octets)
}

const pool = Buffer.alloc(SERIAL_OCTETS * 64)
let used = pool.length

/** Fetched for 64 serial numbers at once; each octet is handed out once. */
function randomOctets(): Uint8Array {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += SERIAL_OCTETS
  return pool.subarray(used - SERIAL_OCTETS, used)
}

function serialValue(serial: NonNullable<CertificateOptions['serial']>): bigint | undefined {
  if (typeof serial === 'bigint') return serial
  if (typeof serial === 'number') return Number.isSafeInteger(serial) ? BigInt(serial) : undefined
  const hex = serial instanceof Uint8Array ? Buffer.from(serial).toString('hex') : serial
  if (typeof hex !== 'string') throw wrongType('serial', 'a bigint, a number, a string of hex or a Uint8Array', serial)
  const digits = hex.replaceAll(':', '')
  return /^[0-9a-f]{1,64}$/i.test(digits) ? BigInt(`0x${digits}`) : undefined
}

/**
 * A minute of back-dating where no notBefore is given: OpenSSL reads a coarser clock, which lags behind by milliseconds, and found
 * certificates that were made in the same second not yet valid; other machines' clocks differ by more.
 */
const BACKDATED = 60_000

function validity({ notBefore, notAfter, now = Date.now }: CertificateOptions): Uint8Array {
  const from = instant(notBefore ?? now() - BACKDATED, 'notBefore')
  const to = instant(notAfter ?? Math.min(from + 365 * DAY, Math.max(from, LAST_SECOND)), 'notAfter')
  return sequence(wholeSecond(from, 'notBefore'), wholeSecond(to, 'notAfter'))
}

function instant(at: Date | number, option: string): number {
  const value = at instanceof Date ? at.getTime() : at
  if (typeof value !== 'number') throw wrongType(option, 'a Date or a number of milliseconds', at)
  if (!Number.isFinite(value)) throw wrongValue(option, 'is not a time')
  return value
}

function wholeSecond(at: number, option: string): Uint8Array {
  try {
    return time(at)
  } catch (error) {
    if (error instanceof DerError || error instanceof RangeError)
      throw wrongValue(option, 'is not within the years 0 to 9999')
    throw error
  }
}
