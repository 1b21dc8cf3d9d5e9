import {
  CertificateView,
  ExtensionId,
  type ExtensionView,
  KeyUsage,
  readBasicConstraints,
  readKeyUsage,
  readSubjectKeyIdentifier,
  sameBytes,
} from '@x/der/x509'
import { type CertificateInput, toCertificateDer, type VerifiedSignature, verifySignature } from '@x/utils'
import { canonicalName, latin1 } from './canonical-name.ts'
import type { Crl } from './crl.ts'
import { directoryKeys } from './general-names.ts'
import { CrlError, type CrlErrorCode, reading } from './errors.ts'
import { numberWithin, refuseUnknown, toMilliseconds } from './misuse.ts'
import { type CrlInput, parseCrl } from './parse-crl.ts'

/** Options of {@link verifyCrl}. */
export interface VerifyCrlOptions {
  /** The time to judge by, as a Date or in milliseconds since 1970. Default: now. */
  readonly now?: Date | number
  /** How many seconds thisUpdate may lie ahead of our clock, 0 to 86,400; default 300. It never prolongs nextUpdate. */
  readonly clockSkew?: number
}

/** A list that holds, and how it was signed. */
export interface VerifiedCrl {
  readonly crl: Crl
  readonly signature: VerifiedSignature
  readonly thisUpdate: Date
  readonly nextUpdate: Date
}

const OPTIONS: ReadonlySet<string> = new Set(['now', 'clockSkew'])

/**
 * Verifies a list by the certificate of its issuer: name, key identifier, right to sign lists, signature, time, critical
 * extensions (RFC 5280 section 6.3.3, but for scope).
 *
 * Not checked: whether the issuer is to be trusted; which certificates the list is about, so that this is no answer
 * about any (`isRevoked` is).
 *
 * @throws CrlError with the code of what does not hold
 */
export function verifyCrl(crl: CrlInput, issuer: CertificateInput, options: VerifyCrlOptions = {}): VerifiedCrl {
  refuseUnknown(options, OPTIONS)
  const clock = readClock(options)
  const list = parseCrl(crl)
  checkForm(list)
  const signature = verifySigner(list, readSigner(issuer, 'issuer'))
  const nextUpdate = checkTime(list, clock)
  return { crl: list, signature, thisUpdate: list.thisUpdate, nextUpdate }
}

/** A time and how far ahead of it thisUpdate may be, both in milliseconds. */
export interface Clock {
  readonly now: number
  readonly skew: number
}

export function readClock({ now = Date.now(), clockSkew }: VerifyCrlOptions): Clock {
  return { now: toMilliseconds(now, 'now'), skew: numberWithin(clockSkew, 300, 0, 86_400, 'clockSkew') * 1000 }
}

/** A certificate, with what decides whether it may sign lists. */
export interface Signer {
  readonly view: CertificateView
  /** Names in the form in which they are compared. */
  readonly subjectKey: string
  readonly issuerKey: string
  readonly extensions: readonly ExtensionView[]
  /** Mask of KeyUsage; undefined where the certificate does not limit its key. */
  readonly keyUsage: number | undefined
  readonly keyIdentifier: Uint8Array | undefined
  readonly isCa: boolean
}

/** @throws CrlError ERR_CRL_CERTIFICATE_INVALID */
export function readSigner(certificate: CertificateInput, option: string): Signer {
  return reading('ERR_CRL_CERTIFICATE_INVALID', `the "${option}" cannot be read`, () => {
    const view = new CertificateView(toCertificateDer(certificate, option))
    const extensions = view.extensions()
    const read = <T>(oid: string, reader: (value: Uint8Array) => T): T | undefined => {
      const found = extensions.find((extension) => extension.oid === oid)
      return found === undefined ? undefined : reader(found.value)
    }
    return {
      view,
      subjectKey: canonicalName(view.subject),
      issuerKey: canonicalName(view.issuer),
      extensions,
      keyUsage: read(ExtensionId.KEY_USAGE, readKeyUsage),
      keyIdentifier: read(ExtensionId.SUBJECT_KEY_IDENTIFIER, readSubjectKeyIdentifier),
      isCa: read(ExtensionId.BASIC_CONSTRAINTS, readBasicConstraints)?.ca ?? false,
    }
  })
}

/** Refuses lists that nobody may use: unknown critical extensions, and scopes that contradict themselves. */
export function checkForm(crl: Crl): void {
  if (crl.unknownCritical.length > 0)
    throw new CrlError(
      'ERR_CRL_CRITICAL_EXTENSION',
      `critical extension we do not know: ${crl.unknownCritical.join(', ')}`,
    )
  const scope = crl.issuingDistributionPoint
  // RFC 5280 section 5.2.5: at most one of the three, and not an empty SEQUENCE.
  if (scope !== undefined) {
    const kinds =
      Number(scope.onlyContainsUserCerts) + Number(scope.onlyContainsCaCerts) + Number(scope.onlyContainsAttributeCerts)
    if (kinds > 1) throw new CrlError('ERR_CRL_INVALID', 'a scope that contradicts itself: only users and only CAs')
    const empty = kinds === 0 && !scope.indirectCrl && scope.name === undefined && scope.onlySomeReasons === undefined
    if (empty) throw new CrlError('ERR_CRL_INVALID', 'an issuing distribution point that says nothing')
  }
  if (crl.namesCertificateIssuers && scope?.indirectCrl !== true)
    throw new CrlError('ERR_CRL_INVALID', 'entries of other issuers in a list that is not marked as indirect')
}

/** nextUpdate of a list that is current; refuses any other. Written so that NaN refuses. */
export function checkTime(crl: Crl, { now, skew }: Clock): Date {
  const { thisUpdate, nextUpdate } = crl
  if (!(thisUpdate.getTime() <= now + skew))
    throw new CrlError('ERR_CRL_NOT_YET_VALID', `the list is of ${thisUpdate.toISOString()}, which is yet to come`)
  // RFC 5280 section 5.1.2.5 demands it; without it nobody knows what the list has missed.
  if (nextUpdate === undefined)
    throw new CrlError('ERR_CRL_NO_NEXT_UPDATE', 'the list does not say until when it holds')
  if (!(now < nextUpdate.getTime()))
    throw new CrlError('ERR_CRL_EXPIRED', `the list was to be replaced by ${nextUpdate.toISOString()}`)
  return nextUpdate
}

/**
 * Whether this certificate's key may sign this list and did.
 * @throws CrlError ERR_CRL_ISSUER_MISMATCH, ERR_CRL_SIGNER_UNAUTHORIZED, ERR_CRL_KEY_MISMATCH, and the signature's codes
 */
export function verifySigner(crl: Crl, signer: Signer): VerifiedSignature {
  if (crl.issuerKey !== signer.subjectKey)
    throw new CrlError('ERR_CRL_ISSUER_MISMATCH', "the list's issuer is not the one whose certificate was given")
  if (signer.keyUsage !== undefined && !(signer.keyUsage & KeyUsage.CRL_SIGN))
    throw new CrlError('ERR_CRL_SIGNER_UNAUTHORIZED', 'the key usage of the issuer does not include cRLSign')
  checkKeyIdentifier(crl, signer)
  return verifyOnce(crl, signer.view.spki)
}

/** RFC 5280 section 5.2.1: tells apart the keys of an issuer that has several. */
function checkKeyIdentifier(crl: Crl, { view, issuerKey, keyIdentifier }: Signer): void {
  const authority = crl.authorityKeyIdentifier
  if (authority?.keyIdentifier !== undefined && keyIdentifier !== undefined)
    if (!sameBytes(keyIdentifier, authority.keyIdentifier))
      throw new CrlError('ERR_CRL_KEY_MISMATCH', 'the list names another key of its issuer')
  if (authority?.serialNumber === undefined) return
  const issuers = reading('ERR_CRL_INVALID', 'a broken key identifier', () => directoryKeys(authority.issuer ?? []))
  if (!sameBytes(authority.serialNumber, view.serialNumber) || (issuers.length > 0 && !issuers.includes(issuerKey)))
    throw new CrlError('ERR_CRL_KEY_MISMATCH', 'the list names another certificate of its issuer')
}

const verified = new WeakMap<Crl, Map<string, VerifiedSignature | CrlError>>()

/** Lists are large and asked often: what a key made of one is remembered with the list. */
function verifyOnce(crl: Crl, spki: Uint8Array): VerifiedSignature {
  const byKey = verified.get(crl) ?? new Map<string, VerifiedSignature | CrlError>()
  verified.set(crl, byKey)
  const key = latin1(spki)
  const known = byKey.get(key) ?? judgeSignature(crl, spki)
  byKey.set(key, known)
  if (known instanceof CrlError) throw known
  return known
}

const CODES: Readonly<Record<string, CrlErrorCode>> = {
  ERR_CERT_DIGEST_WEAK: 'ERR_CRL_DIGEST_WEAK',
  ERR_CERT_ALGORITHM_UNSUPPORTED: 'ERR_CRL_ALGORITHM_UNSUPPORTED',
  ERR_CERT_KEY_INVALID: 'ERR_CRL_CERTIFICATE_INVALID',
}

function judgeSignature(crl: Crl, spki: Uint8Array): VerifiedSignature | CrlError {
  try {
    return verifySignature({
      algorithm: crl.signatureAlgorithm,
      data: crl.tbs,
      signature: crl.signature,
      publicKey: spki,
    })
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? CODES[String(cause.code)] : undefined
    return new CrlError(code ?? 'ERR_CRL_SIGNATURE_INVALID', `the list's signature does not hold: ${String(cause)}`, {
      cause,
    })
  }
}
