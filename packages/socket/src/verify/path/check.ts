import type { CertificateFacts } from './certificate-facts.ts'
import type { PathCode } from './codes.ts'
import type { PathRequest } from './path-request.ts'

/** Where a certificate stands in a path. */
export interface Place {
  /** 0 is the leaf. */
  readonly depth: number
  /** It is trusted and ends the path. */
  readonly anchor: boolean
}

/** What speaks against a certificate. */
export interface Finding {
  readonly code: string
  readonly detail: string | undefined
}

export type Report = (code: PathCode, detail?: string) => void

/** A check that looks at one certificate and at nothing else of the path. */
export type CertificateCheck = (facts: CertificateFacts, place: Place, settings: Settings, report: Report) => void

/** What the checks need to know of the request. */
export interface Settings {
  readonly purpose: PathRequest['purpose']
  readonly now: number
  readonly securityLevel: number
  readonly strict: boolean
}
