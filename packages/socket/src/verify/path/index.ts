export { isExplained, type PathCode } from './codes.ts'
export { caStoreAnchors, listedAnchors } from './ca-store-anchors.ts'
export { crlCheck } from './crl-check.ts'
export type {
  AnchorSource,
  CommonNameRule,
  CrlAnswer,
  CrlCheck,
  PathRequest,
  PathResult,
  PolicyInputs,
} from './path-request.ts'
export { validatePath } from './validate-path.ts'
