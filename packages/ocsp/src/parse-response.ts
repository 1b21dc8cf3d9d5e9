import {
  contextTag,
  DerCursor,
  DerError,
  isDerError,
  openDer,
  readOctetAlignedBits,
  readOid,
  readSmallInteger,
  readTime,
  Tag,
} from '@x/der'
import { type ExtensionView, readExtensions } from '@x/der/x509'
import { type CertId, readCertId } from './cert-id.ts'
import { OcspError } from './errors.ts'
import { OCSP_BASIC } from './oids.ts'

/** What a responder may say instead of an answer (RFC 6960 section 4.2.1). */
export type OcspResponseStatus = 'malformedRequest' | 'internalError' | 'tryLater' | 'sigRequired' | 'unauthorized'

/** CRLReason (RFC 5280 section 5.3.1) in its own words. */
export type RevocationReason =
  | 'unspecified'
  | 'keyCompromise'
  | 'cACompromise'
  | 'affiliationChanged'
  | 'superseded'
  | 'cessationOfOperation'
  | 'certificateHold'
  | 'removeFromCRL'
  | 'privilegeWithdrawn'
  | 'aACompromise'

/** One SingleResponse; times in milliseconds since 1970. */
export interface SingleResponse {
  readonly certId: CertId
  readonly status: 'good' | 'revoked' | 'unknown'
  readonly revokedAt: number | undefined
  readonly reason: RevocationReason | undefined
  readonly thisUpdate: number
  readonly nextUpdate: number | undefined
  readonly extensions: readonly ExtensionView[]
}

/** A BasicOCSPResponse in views; nothing of it is verified. */
export interface BasicResponse {
  /** ResponseData with its header: what is signed. */
  readonly tbs: Uint8Array
  readonly responder: { readonly by: 'name' | 'key'; readonly id: Uint8Array }
  readonly producedAt: number
  readonly singles: readonly SingleResponse[]
  readonly extensions: readonly ExtensionView[]
  /** AlgorithmIdentifier with its header. */
  readonly signatureAlgorithm: Uint8Array
  readonly signature: Uint8Array
  /** DER of the certificates that came along, in order. */
  readonly certificates: readonly Uint8Array[]
}

/** The largest response that is looked at, in bytes. */
export const MAX_RESPONSE_BYTES: number = 100 * 1024

/** RFC 6960 section 4.2.1 by number; 4 is not used. */
export const responseStatuses: readonly (OcspResponseStatus | undefined)[] = [
  undefined,
  'malformedRequest',
  'internalError',
  'tryLater',
  undefined,
  'sigRequired',
  'unauthorized',
]

/** RFC 5280 section 5.3.1 by number; 7 is not used. */
export const reasons: readonly (RevocationReason | undefined)[] = [
  'unspecified',
  'keyCompromise',
  'cACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  undefined,
  'removeFromCRL',
  'privilegeWithdrawn',
  'aACompromise',
]

/**
 * Reads an OCSPResponse (RFC 6960 section 4.2.1) down to its fields.
 *
 * @throws OcspError ERR_OCSP_RESPONSE_INVALID, ERR_OCSP_RESPONSE_TOO_LARGE, ERR_OCSP_RESPONDER_FAILED
 */
export function parseResponse(der: Uint8Array): BasicResponse {
  if (der.length > MAX_RESPONSE_BYTES)
    throw new OcspError(
      'ERR_OCSP_RESPONSE_TOO_LARGE',
      `An OCSP response of ${der.length} bytes; at most ${MAX_RESPONSE_BYTES} are read`,
    )
  try {
    return readResponse(der)
  } catch (cause) {
    if (!isDerError(cause)) throw cause
    throw new OcspError('ERR_OCSP_RESPONSE_INVALID', `Not an OCSP response: ${cause.message}`, { cause })
  }
}

function readResponse(der: Uint8Array): BasicResponse {
  const outer = openDer(der)
  const status = readSmallInteger(outer.expect(Tag.ENUMERATED))
  if (status !== 0) {
    const responseStatus = responseStatuses[status]
    if (responseStatus === undefined)
      throw new OcspError('ERR_OCSP_RESPONSE_INVALID', `No OCSP response has the status ${status}`)
    throw new OcspError('ERR_OCSP_RESPONDER_FAILED', `The OCSP responder answered '${responseStatus}'`, {
      responseStatus,
    })
  }
  const wrapper = outer.enterExpected(contextTag(0, true))
  outer.finish()
  const bytes = wrapper.enterExpected(Tag.SEQUENCE)
  wrapper.finish()
  const type = readOid(bytes.expect(Tag.OID))
  if (type !== OCSP_BASIC)
    throw new OcspError('ERR_OCSP_RESPONSE_INVALID', `Not a basic OCSP response, but of type ${type}`)
  bytes.expect(Tag.OCTET_STRING)
  const content = new DerCursor(bytes.bytes, bytes.contentStart, bytes.contentEnd)
  bytes.finish()
  const basic = content.enterExpected(Tag.SEQUENCE)
  content.finish()
  return readBasic(basic)
}

function readBasic(basic: DerCursor): BasicResponse {
  const data = basic.enterExpected(Tag.SEQUENCE)
  const tbs = basic.element()
  const signatureAlgorithm = basic.expect(Tag.SEQUENCE).element()
  const signature = readOctetAlignedBits(basic.expect(Tag.BIT_STRING))
  const certificates: Uint8Array[] = []
  if (basic.optional(contextTag(0, true))) {
    const wrapper = basic.enter()
    const list = wrapper.enterExpected(Tag.SEQUENCE)
    wrapper.finish()
    while (!list.done) certificates.push(list.expect(Tag.SEQUENCE).element())
  }
  basic.finish()

  if (data.optional(contextTag(0, true))) {
    const wrapper = data.enter()
    if (readSmallInteger(wrapper.expect(Tag.INTEGER)) !== 0)
      throw new DerError('ERR_DER_INVALID_VALUE', 'not version 1', data.start)
    wrapper.finish()
  }
  const responder = readResponderId(data)
  const producedAt = readTime(data.expect(Tag.GENERALIZED_TIME))
  const list = data.enterExpected(Tag.SEQUENCE)
  const singles: SingleResponse[] = []
  while (!list.done) singles.push(readSingle(list))
  const extensions = readOptionalExtensions(data, 1)
  data.finish()
  return { tbs, responder, producedAt, singles, extensions, signatureAlgorithm, signature, certificates }
}

/** ResponderID is a CHOICE of two explicit tags. */
function readResponderId(data: DerCursor): BasicResponse['responder'] {
  const byName = data.peekTag() === contextTag(1, true)
  const wrapper = data.enterExpected(contextTag(byName ? 1 : 2, true))
  if (byName) wrapper.expect(Tag.SEQUENCE)
  else wrapper.expect(Tag.OCTET_STRING)
  wrapper.finish()
  return byName ? { by: 'name', id: wrapper.element() } : { by: 'key', id: wrapper.content() }
}

function readSingle(list: DerCursor): SingleResponse {
  const fields = list.enterExpected(Tag.SEQUENCE)
  const certId = readCertId(fields)
  let status: SingleResponse['status']
  let revokedAt: number | undefined
  let reason: RevocationReason | undefined
  const tag = fields.next()
  if (tag === contextTag(1, true)) {
    status = 'revoked'
    const info = fields.enter()
    revokedAt = readTime(info.expect(Tag.GENERALIZED_TIME))
    if (info.optional(contextTag(0, true))) {
      const wrapper = info.enter()
      reason = reasons[readSmallInteger(wrapper.expect(Tag.ENUMERATED))]
      wrapper.finish()
    }
    info.finish()
  } else if ((tag === contextTag(0) || tag === contextTag(2)) && fields.contentStart === fields.contentEnd) {
    status = tag === contextTag(0) ? 'good' : 'unknown'
  } else {
    throw new DerError('ERR_DER_UNEXPECTED_TAG', 'not a CertStatus', fields.start)
  }
  const thisUpdate = readTime(fields.expect(Tag.GENERALIZED_TIME))
  let nextUpdate: number | undefined
  if (fields.optional(contextTag(0, true))) {
    const wrapper = fields.enter()
    nextUpdate = readTime(wrapper.expect(Tag.GENERALIZED_TIME))
    wrapper.finish()
  }
  const extensions = readOptionalExtensions(fields, 1)
  fields.finish()
  return { certId, status, revokedAt, reason, thisUpdate, nextUpdate, extensions }
}

const none: readonly ExtensionView[] = []

/** Extensions behind an explicit tag; the same one twice is refused (RFC 5280 section 4.2). */
export function readOptionalExtensions(fields: DerCursor, number: number): readonly ExtensionView[] {
  if (!fields.optional(contextTag(number, true))) return none
  const wrapper = fields.enter()
  const list = wrapper.enterExpected(Tag.SEQUENCE)
  wrapper.finish()
  const extensions = [...readExtensions(list)]
  if (new Set(extensions.map((one) => one.oid)).size !== extensions.length)
    throw new DerError('ERR_DER_INVALID_VALUE', 'an extension twice', wrapper.start)
  return extensions
}
