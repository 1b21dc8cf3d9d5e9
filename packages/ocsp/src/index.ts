export type { OcspFetch, OcspMethod } from './ask-responder.ts'
export { OcspCache, type OcspCacheEntry, type OcspCacheOptions, type OcspStore } from './cache.ts'
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
export { ocspCacheKey } from './remembered.ts'
export {
  createOcspRequest,
  namesCertificate,
  type OcspPair,
  type OcspRequestOptions,
  type ParsedOcspRequest,
  parseOcspRequest,
} from './request.ts'
export { OcspResolver } from './resolver.ts'
export type { OcspResolverOptions, OcspVerdict, ResolveOptions } from './resolver-options.ts'
export type { OcspResponder } from './responder.ts'
export { checkStaple, type CheckStapleOptions, type OcspStapleVerdict } from './staple.ts'
export { createStapler, type CreateStaplerOptions, type Stapler } from './stapler.ts'
export type { OcspFinding } from './target.ts'
export {
  type OcspAnswer,
  type OcspGood,
  type OcspRevoked,
  type OcspStatus,
  type OcspStrictness,
  type OcspUnknown,
  verifyOcspResponse,
  type VerifyOcspOptions,
} from './verify-response.ts'
