export type { CertId } from './cert-id.ts'
export { ocspUrls, requiresStaple } from './certificate-extensions.ts'
export {
  createOcspErrorResponse,
  createOcspResponse,
  type CreateOcspResponseOptions,
  type OcspSingle,
} from './create-response.ts'
export { OcspError, type OcspErrorCode, type OcspErrorDetails } from './errors.ts'
export type { CertIdHash } from './facts.ts'
export { MAX_RESPONSE_BYTES, type OcspResponseStatus, type RevocationReason } from './parse-response.ts'
export {
  createOcspRequest,
  type OcspPair,
  type OcspRequestOptions,
  type ParsedOcspRequest,
  namesCertificate,
  parseOcspRequest,
} from './request.ts'
export type { OcspResponder } from './responder.ts'
export {
  type OcspAnswer,
  type OcspGood,
  type OcspRevoked,
  type OcspStatus,
  type OcspUnknown,
  verifyOcspResponse,
  type VerifyOcspOptions,
} from './verify-response.ts'
