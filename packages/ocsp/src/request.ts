import {
  contextTag,
  DerError,
  element,
  isDerError,
  octetString,
  oid,
  openDer,
  readSmallInteger,
  sequence,
  Tag,
} from '@x/der'
import { sameBytes } from '@x/der/x509'
import type { CertificateInput } from '@x/utils'
import { type CertId, readCertId, writeCertId } from './cert-id.ts'
import { OcspError } from './errors.ts'
import { type CertIdHash, certificateView, issuerFacts } from './facts.ts'
import { readWord, refuseUnknown, wrongType, wrongValue } from './misuse.ts'
import { NONCE } from './oids.ts'
import { readOptionalExtensions } from './parse-response.ts'
import { readNonce } from './verify-response.ts'

/** A certificate and the CA certificate that issued it. */
export interface OcspPair {
  readonly certificate: CertificateInput
  readonly issuer: CertificateInput
}

/** Options of {@link createOcspRequest}. */
export interface OcspRequestOptions {
  /** 1 to 128 random bytes (RFC 9654 wants 32: `randomBytes(32)`), to be given to `verifyOcspResponse` as well. Default: none. */
  readonly nonce?: Uint8Array
  /** The digest that names the issuer. Default `'sha1'`: it is an index, and many responders know no other. */
  readonly hash?: 'sha1' | 'sha256'
}

const nonceOid = oid(NONCE)
const known = new Set(['nonce', 'hash'])
const pairKeys = new Set(['certificate', 'issuer'])

/**
 * DER of an unsigned OCSPRequest (RFC 6960 section 4.1.1) about one certificate or several; responders often answer
 * the first alone. To be sent as `application/ocsp-request`.
 *
 * @throws OcspError ERR_OCSP_CERTIFICATE_INVALID
 * @throws TypeError for misuse, with the option's name
 */
export function createOcspRequest(pairs: OcspPair | readonly OcspPair[], options: OcspRequestOptions = {}): Uint8Array {
  refuseUnknown(options, known)
  const hash = readWord('hash', options.hash, ['sha1', 'sha256'], 'sha1')
  const nonce = readNonce(options.nonce)
  const list = Array.isArray(pairs) ? (pairs as readonly OcspPair[]) : [pairs as OcspPair]
  if (list.length === 0) throw wrongValue('pairs', 'is empty')
  return writeRequest(
    list.map((pair) => certIdOf(pair, hash)),
    nonce,
  )
}

/** OCSPRequest for CertIDs that are at hand. */
export function writeRequest(certIds: readonly Uint8Array[], nonce: Uint8Array | undefined): Uint8Array {
  const requests = sequence(...certIds.map((id) => sequence(id)))
  if (nonce === undefined) return sequence(sequence(requests))
  const extension = sequence(nonceOid, octetString(octetString(nonce)))
  return sequence(sequence(requests, element(contextTag(2, true), sequence(extension))))
}

/** DER of a pair's CertID. */
export function certIdOf(pair: OcspPair, hash: CertIdHash): Uint8Array {
  if (typeof pair !== 'object' || pair === null) throw wrongType('pairs', 'pairs of certificate and issuer', pair)
  refuseUnknown(pair, pairKeys)
  return writeCertId(hash, certificateView(pair.certificate), issuerFacts(pair.issuer))
}

/** What an OCSPRequest asks, as a responder reads it. */
export interface ParsedOcspRequest {
  readonly certIds: readonly CertId[]
  readonly nonce: Uint8Array | undefined
}

/** The largest request that is looked at, in bytes, and the most certificates that one may ask about. */
const MAX_REQUEST_BYTES = 10 * 1024
const MAX_CERT_IDS = 64

/**
 * Reads an OCSPRequest for a responder of one's own. A signature on it is not checked (RFC 6960 section 4.1.2: it is optional).
 *
 * @throws OcspError ERR_OCSP_REQUEST_INVALID; a responder answers that with `malformedRequest`
 */
export function parseOcspRequest(der: Uint8Array): ParsedOcspRequest {
  if (!(der instanceof Uint8Array)) throw wrongType('der', 'a Uint8Array', der)
  if (der.length > MAX_REQUEST_BYTES)
    throw new OcspError('ERR_OCSP_REQUEST_INVALID', `An OCSP request of ${der.length} bytes`)
  try {
    return readRequest(der)
  } catch (cause) {
    if (!isDerError(cause)) throw cause
    throw new OcspError('ERR_OCSP_REQUEST_INVALID', `Not an OCSP request: ${cause.message}`, { cause })
  }
}

function readRequest(der: Uint8Array): ParsedOcspRequest {
  const outer = openDer(der)
  const fields = outer.enterExpected(Tag.SEQUENCE)
  outer.optional(contextTag(0, true)) // the signature
  outer.finish()
  if (fields.optional(contextTag(0, true))) {
    const wrapper = fields.enter()
    if (readSmallInteger(wrapper.expect(Tag.INTEGER)) !== 0)
      throw new DerError('ERR_DER_INVALID_VALUE', 'not version 1', fields.start)
    wrapper.finish()
  }
  fields.optional(contextTag(1, true)) // requestorName
  const list = fields.enterExpected(Tag.SEQUENCE)
  const certIds: CertId[] = []
  while (!list.done) {
    const request = list.enterExpected(Tag.SEQUENCE)
    certIds.push(readCertId(request))
    readOptionalExtensions(request, 0)
    request.finish()
    if (certIds.length > MAX_CERT_IDS)
      throw new OcspError('ERR_OCSP_REQUEST_INVALID', `An OCSP request about more than ${MAX_CERT_IDS} certificates`)
  }
  const extensions = readOptionalExtensions(fields, 2)
  fields.finish()
  if (certIds.length === 0) throw new OcspError('ERR_OCSP_REQUEST_INVALID', 'An OCSP request about nothing')
  const nonce = extensions.find((one) => one.oid === NONCE)
  return { certIds, nonce: nonce === undefined ? undefined : readNonceValue(nonce.value) }
}

/** OCTET STRING within OCTET STRING, 1 to 128 octets (RFC 9654 section 2.1). */
function readNonceValue(value: Uint8Array): Uint8Array {
  const content = openDer(value, Tag.OCTET_STRING)
  const nonce = content.bytes.subarray(content.position, content.end)
  if (nonce.length < 1 || nonce.length > 128)
    throw new OcspError('ERR_OCSP_REQUEST_INVALID', `A nonce of ${nonce.length} bytes`)
  return nonce
}

/** True where a CertID of a request is the one that these would make, by the CertID's own digest. */
export function namesCertificate(id: CertId, pair: OcspPair): boolean {
  return id.hash !== undefined && sameBytes(id.der, certIdOf(pair, id.hash))
}
