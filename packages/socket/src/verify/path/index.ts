export { isExplained, type PathCode } from './codes.ts'
export type {
  AnchorSource,
  CrlAnswer,
  CrlCheck,
  PathFailure,
  PathLimits,
  PathRequest,
  PathResult,
  PolicyInputs,
} from './path-request.ts'
export { validatePath } from './validate-path.ts'
