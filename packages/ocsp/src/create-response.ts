import { bitString, contextTag, element, enumerated, generalizedTime, octetString, oid, sequence, Tag } from '@x/der'
import { type CertificateInput, parsePrivateKey, type PrivateKeyInput, signDer } from '@x/utils'
import { createPublicKey } from 'node:crypto'
import type { CertId } from './cert-id.ts'
import { issuerFacts } from './facts.ts'
import { readNow, readWord, refuseInherited, refuseUnknown, wrongType, wrongValue } from './misuse.ts'
import { NONCE, OCSP_BASIC } from './oids.ts'
import { type OcspResponseStatus, reasons, responseStatuses, type RevocationReason } from './parse-response.ts'
import { certIdOf, type OcspPair } from './request.ts'
import { readNonce } from './verify-response.ts'

/** One single response to be written. */
export type OcspSingle = (OcspPair | { readonly certId: CertId }) & {
  readonly status: 'good' | 'revoked' | 'unknown'
  /** With `revoked`: when. Default: thisUpdate. */
  readonly revokedAt?: Date | number
  /** With `revoked`: why. Default: not said. */
  readonly reason?: RevocationReason
  /** Default: producedAt. */
  readonly thisUpdate?: Date | number
  /** Default: 24 hours after thisUpdate; null leaves it out. */
  readonly nextUpdate?: Date | number | null
}

/** Options of {@link createOcspResponse}. */
export interface CreateOcspResponseOptions {
  /** Who signs: the CA itself, or a certificate that it issued with the extended key usage OCSPSigning. */
  readonly signer: { readonly certificate: CertificateInput; readonly privateKey: PrivateKeyInput }
  readonly responses: readonly OcspSingle[]
  /** Certificates to send along. Default: none; a delegated signer's own belongs here. */
  readonly certificates?: readonly CertificateInput[]
  /** The request's nonce, to be given back. Default: none. */
  readonly nonce?: Uint8Array
  /** Default: now. */
  readonly producedAt?: Date | number
  /** Whether the signer is named by its subject or by the SHA-1 of its key. Default `'name'`: GnuTLS finds others only by a key identifier of their certificate. */
  readonly responderId?: 'key' | 'name'
  /** The digest of the CertIDs that are made here. Default `'sha1'`. */
  readonly hash?: 'sha1' | 'sha256'
  /** Digest of the signature, by OpenSSL's name. Default: sha256; for P-384 sha384, for P-521 sha512; none for EdDSA. */
  readonly digest?: string
  /** How RSA keys sign. Default `'pkcs1'`. */
  readonly padding?: 'pkcs1' | 'pss'
}

const known = new Set([
  'signer',
  'responses',
  'certificates',
  'nonce',
  'producedAt',
  'responderId',
  'hash',
  'digest',
  'padding',
])
const singleKeys = new Set([
  'certificate',
  'issuer',
  'certId',
  'status',
  'revokedAt',
  'reason',
  'thisUpdate',
  'nextUpdate',
])
const DAY = 86_400_000

/**
 * DER of a signed OCSPResponse (RFC 6960 section 4.2.1), for a CA of one's own and for tests; times are cut to seconds.
 * Not checked: whether the signer is the issuer of the certificates or its delegate.
 *
 * @throws OcspError ERR_OCSP_CERTIFICATE_INVALID
 * @throws CertificateError (of `@x/utils`) where the private key cannot be read
 * @throws TypeError for misuse, with the option's name
 */
export function createOcspResponse(options: CreateOcspResponseOptions): Uint8Array {
  refuseUnknown(options, known)
  const { signer, responses, certificates = [], digest, padding } = options
  if (typeof signer !== 'object' || signer === null)
    throw wrongType('signer', 'an object with certificate and privateKey', signer)
  refuseInherited(signer, 'signer.')
  if (!Array.isArray(responses)) throw wrongType('responses', 'an array', responses)
  const producedAt = readNow(options.producedAt)
  const hash = readWord('hash', options.hash, ['sha1', 'sha256'], 'sha1')
  const responderId = readWord('responderId', options.responderId, ['key', 'name'], 'name')
  const nonce = readNonce(options.nonce)
  const facts = issuerFacts(signer.certificate)
  const key = parsePrivateKey(signer.privateKey)
  if (!createPublicKey(key).equals(facts.key))
    throw wrongValue('signer', 'has a private key that does not belong to its certificate')

  const data = sequence(
    responderId === 'name'
      ? element(contextTag(1, true), facts.view.subject)
      : element(contextTag(2, true), octetString(facts.hashes('sha1').key)),
    generalizedTime(producedAt),
    sequence(...responses.map((single) => writeSingle(single, producedAt, hash))),
    ...(nonce === undefined
      ? []
      : [element(contextTag(1, true), sequence(sequence(oid(NONCE), octetString(octetString(nonce)))))]),
  )
  const { algorithm, signature } = signDer(data, key, digest, padding)
  const attached = certificates.map((one) => issuerFacts(one).view.der)
  return wrapBasic(
    sequence(
      data,
      algorithm,
      bitString(signature),
      ...(attached.length === 0 ? [] : [element(contextTag(0, true), sequence(...attached))]),
    ),
  )
}

/** An OCSPResponse around the DER of a BasicOCSPResponse. */
function wrapBasic(basic: Uint8Array): Uint8Array {
  return sequence(enumerated(0), element(contextTag(0, true), sequence(oid(OCSP_BASIC), octetString(basic))))
}

/**
 * DER of an OCSPResponse that is no answer but an error: unsigned, as RFC 6960 section 4.2.1 has it.
 *
 * @throws TypeError for a status that RFC 6960 does not know
 */
export function createOcspErrorResponse(status: OcspResponseStatus): Uint8Array {
  const number = responseStatuses.indexOf(status)
  if (number < 1) throw wrongValue('status', `must be one of '${responseStatuses.filter(Boolean).join("', '")}'`)
  return sequence(enumerated(number))
}

function writeSingle(single: OcspSingle, producedAt: number, hash: 'sha1' | 'sha256'): Uint8Array {
  refuseUnknown(single, singleKeys)
  const thisUpdate = readNow(single.thisUpdate ?? producedAt)
  const nextUpdate = single.nextUpdate === null ? undefined : readNow(single.nextUpdate ?? thisUpdate + DAY)
  return sequence(
    'certId' in single ? single.certId.der : certIdOf({ certificate: single.certificate, issuer: single.issuer }, hash),
    writeStatus(single, thisUpdate),
    generalizedTime(thisUpdate),
    ...(nextUpdate === undefined ? [] : [element(contextTag(0, true), generalizedTime(nextUpdate))]),
  )
}

function writeStatus(single: OcspSingle, thisUpdate: number): Uint8Array {
  const { status, revokedAt, reason } = single
  if (status !== 'revoked') {
    if (status !== 'good' && status !== 'unknown') throw wrongValue('status', "must be 'good', 'revoked' or 'unknown'")
    if (revokedAt !== undefined || reason !== undefined)
      throw wrongValue(revokedAt === undefined ? 'reason' : 'revokedAt', `does not go with status '${status}'`)
    return element(contextTag(status === 'good' ? 0 : 2))
  }
  const number = reason === undefined ? undefined : reasons.indexOf(reason)
  if (number === -1) throw wrongValue('reason', 'is none that RFC 5280 knows')
  return element(
    contextTag(1, true),
    generalizedTime(readNow(revokedAt ?? thisUpdate)),
    ...(number === undefined ? [] : [element(contextTag(0, true), element(Tag.ENUMERATED, Uint8Array.of(number)))]),
  )
}
