export { isExplained, type PathCode } from './codes.ts'
export { caStoreAnchors, listedAnchors } from './ca-store-anchors.ts'
export { crlCheck, type CrlCheckOptions } from './crl-check.ts'
export type {
  AnchorSource,
  CommonNameRule,
  CrlAnswer,
  CrlCheck,
  PathFailure,
  PathLimits,
  PathRequest,
  PathResult,
  PathWork,
  PolicyInputs,
} from './path-request.ts'
export { validatePath } from './validate-path.ts'
