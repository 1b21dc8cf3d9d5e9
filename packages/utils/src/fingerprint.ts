import { createHash, timingSafeEqual } from 'node:crypto'
import { DerCursor, readOctetAlignedBits, Tag } from '@x/der'
import { CertificateView } from '@x/der/x509'
import { type CertificateInput, toCertificateDer } from './certificate-input.ts'
import { CertificateError } from './errors.ts'
import { refuseUnknown, wrongType, wrongValue } from './misuse.ts'

/** What is digested: the whole certificate, the bits of the public key (the original's `pub$`), or all of SubjectPublicKeyInfo (RFC 7469). */
export type FingerprintOf = 'certificate' | 'public-key' | 'spki'

/** Digests that fingerprints can have. md5 is refused everywhere; sha1 is for pins that already exist. */
export type FingerprintAlgorithm = 'sha1' | 'sha256' | 'sha384' | 'sha512'

/** Options of {@link fingerprint}. */
export interface FingerprintOptions {
  /** Default 'sha256'. */
  readonly algorithm?: FingerprintAlgorithm
  /** Default 'certificate'. */
  readonly of?: FingerprintOf
}

/** A fingerprint taken apart. */
export interface ParsedFingerprint {
  readonly algorithm: FingerprintAlgorithm
  readonly of: FingerprintOf
  readonly digest: Uint8Array
}

/** Octets of the digests that fingerprints can have. */
export const DIGEST_LENGTHS: Readonly<Record<FingerprintAlgorithm, number>> = {
  sha1: 20,
  sha256: 32,
  sha384: 48,
  sha512: 64,
}
const OPTIONS = new Set(['algorithm', 'of', 'encoding'])

/**
 * The digest of a certificate or of its key, as `sha256$hex`, `sha256$pub$hex` or `sha256$spki$hex`
 * (the original's `get_fingerprint`), or its bytes with `encoding: 'bytes'`.
 *
 * @throws CertificateError ERR_CERT_INVALID and the codes of `parseCertificate`
 */
export function fingerprint(
  certificate: CertificateInput,
  options?: FingerprintOptions & { readonly encoding?: 'text' },
): string
export function fingerprint(
  certificate: CertificateInput,
  options: FingerprintOptions & { readonly encoding: 'bytes' },
): Uint8Array
export function fingerprint(
  certificate: CertificateInput,
  options: FingerprintOptions & { readonly encoding?: 'text' | 'bytes' } = {},
): string | Uint8Array {
  refuseUnknown(options, OPTIONS)
  const { algorithm = 'sha256', of = 'certificate', encoding = 'text' } = options
  if (!Object.hasOwn(DIGEST_LENGTHS, algorithm))
    throw wrongValue('algorithm', "must be 'sha1', 'sha256', 'sha384' or 'sha512'")
  if (encoding !== 'text' && encoding !== 'bytes') throw wrongValue('encoding', "must be 'text' or 'bytes'")
  const hash = createHash(algorithm).update(digested(toCertificateDer(certificate), of))
  if (encoding === 'bytes') return hash.digest()
  return `${algorithm}$${of === 'certificate' ? '' : of === 'spki' ? 'spki$' : 'pub$'}${hash.digest('hex')}`
}

/**
 * Takes `[algorithm$][pub$|spki$]hex` apart. Colons are ignored, case too; without an algorithm the length tells it.
 *
 * @throws CertificateError ERR_CERT_FINGERPRINT_INVALID: not of this form, of a length that does not fit, or md5
 */
export function parseFingerprint(text: string): ParsedFingerprint {
  if (typeof text !== 'string') throw wrongType('fingerprint', 'a string', text)
  const parts = /^(?:([a-z0-9-]+)\$)?(?:(pub|spki)\$)?([0-9a-f:]+)$/i.exec(text.trim())
  if (parts === null) throw invalid(text, 'is not of the form algorithm$hex, algorithm$pub$hex or algorithm$spki$hex')
  const named = parts[1]?.toLowerCase()
  const kind = parts[2]?.toLowerCase() ?? (named === 'pub' || named === 'spki' ? named : undefined)
  const hex = (parts[3] as string).replaceAll(':', '')
  const wanted = named === kind ? undefined : named?.replace(/^sha-/, 'sha')
  const algorithm = (Object.keys(DIGEST_LENGTHS) as FingerprintAlgorithm[]).find((name) =>
    wanted === undefined ? DIGEST_LENGTHS[name] * 2 === hex.length : name === wanted,
  )
  if (algorithm === undefined)
    throw invalid(
      text,
      wanted === undefined ? 'has the length of no digest we accept' : `names '${wanted}', which is not accepted`,
    )
  if (DIGEST_LENGTHS[algorithm] * 2 !== hex.length) throw invalid(text, `does not have the length of ${algorithm}`)
  return {
    algorithm,
    of: kind === 'pub' ? 'public-key' : kind === 'spki' ? 'spki' : 'certificate',
    digest: Buffer.from(hex, 'hex'),
  }
}

/**
 * The first of these fingerprints that the certificate has, as it was given, or undefined. An empty list matches nothing.
 * All are parsed first, so that a broken one is an error even behind one that matches.
 *
 * @throws CertificateError ERR_CERT_FINGERPRINT_INVALID and the codes of `parseCertificate`
 */
export function matchesFingerprint(
  certificate: CertificateInput,
  fingerprints: string | readonly string[],
): string | undefined {
  const der = toCertificateDer(certificate)
  const list = typeof fingerprints === 'string' ? [fingerprints] : fingerprints
  if (!Array.isArray(list)) throw wrongType('fingerprints', 'a string or an array of strings', fingerprints)
  return list
    .map((text: string) => ({ text, ...parseFingerprint(text) }))
    .find(({ algorithm, of, digest }) =>
      timingSafeEqual(createHash(algorithm).update(digested(der, of)).digest(), digest),
    )?.text
}

function digested(der: Uint8Array, of: FingerprintOf): Uint8Array {
  if (of === 'certificate') return der
  if (of !== 'public-key' && of !== 'spki') throw wrongValue('of', "must be 'certificate', 'public-key' or 'spki'")
  try {
    const { spki } = new CertificateView(der)
    return of === 'spki' ? spki : publicKeyBits(spki)
  } catch (cause) {
    throw new CertificateError('ERR_CERT_INVALID', 'not a certificate', { cause })
  }
}

/** The content of subjectPublicKey (RFC 5280 section 4.1.2.7) of a SubjectPublicKeyInfo; a DerError where it is none. */
export function publicKeyBits(spki: Uint8Array): Uint8Array {
  const fields = new DerCursor(spki).enterExpected(Tag.SEQUENCE)
  fields.expect(Tag.SEQUENCE)
  const bits = readOctetAlignedBits(fields.expect(Tag.BIT_STRING))
  fields.finish()
  return bits
}

function invalid(text: string, problem: string): CertificateError {
  return new CertificateError('ERR_CERT_FINGERPRINT_INVALID', `fingerprint '${text.slice(0, 160)}' ${problem}`)
}
