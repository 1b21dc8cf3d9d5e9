import type { Budget } from './budget.ts'
import type { CandidatePath, PathJudge } from './build-path.ts'
import type { CertificateFacts } from './certificate-facts.ts'
import type { CertificateCheck, Finding, Place, Settings } from './check.ts'
import { checkNameConstraints } from './check-name-constraints.ts'
import { checkPolicies } from './check-policies.ts'
import { checkRevocation } from './check-revocation.ts'
import type { HostNameRule } from './constrained-names.ts'
import type { IssuerPool } from './issuers.ts'
import { checkExtensions } from './check-extensions.ts'
import { tooLongBelow } from './check-path-length.ts'
import { checkSignature, type SignatureFailure } from './check-signature.ts'
import { checkStrength, DEFAULT_SECURITY_LEVEL } from './check-strength.ts'
import { checkStrict } from './check-strict.ts'
import { checkUsage } from './check-usage.ts'
import { checkValidity } from './check-validity.ts'
import { sentence } from './codes.ts'
import { isEmptyName } from './names.ts'
import type { PathFailure, PathRequest } from './path-request.ts'

/** What is asked of each certificate by itself, in the order in which it is reported. */
const CERTIFICATE_CHECKS: readonly CertificateCheck[] = [
  checkExtensions,
  checkUsage,
  checkStrict,
  checkStrength,
  checkValidity,
]

/** The likeliest paths come first, and the one that is reported is as a rule among them. */
const MAX_JUDGED = 8

/** Judges certificates and paths; every answer is found once and remembered for the length of one walk. */
export class PathEvaluation implements PathJudge {
  readonly #request: PathRequest
  readonly #pool: IssuerPool
  readonly #settings: Settings
  readonly #hosts: HostNameRule
  readonly #budget: Budget
  readonly #judged: (CandidatePath & { readonly failures: readonly PathFailure[] })[] = []
  readonly #findings = new Map<CertificateFacts, Map<string, readonly Finding[]>>()
  readonly #signatures = new Map<CertificateFacts, Map<CertificateFacts, SignatureFailure | undefined>>()

  constructor(request: PathRequest, pool: IssuerPool, budget: Budget) {
    const { purpose, now, securityLevel = DEFAULT_SECURITY_LEVEL, strict = false, commonName = 'always' } = request
    this.#request = request
    this.#pool = pool
    this.#settings = { purpose, now, securityLevel, strict }
    this.#hosts = { commonName, singleLabels: purpose === 'server' && commonName === 'always' }
    this.#budget = budget
  }

  /** False where something speaks against the leaf wherever it stands. */
  mayBeValid(leaf: CertificateFacts): boolean {
    // as an anchor, since less is asked of those
    return this.#findingsOf(leaf, { depth: 0, anchor: true }).length === 0 && !this.#pool.isDistrusted(leaf)
  }

  isSound(subject: CertificateFacts, issuer: CertificateFacts, anchor: boolean): boolean {
    if (this.#pool.isDistrusted(issuer)) return false
    return this.#findingsOf(issuer, { depth: 1, anchor }).length === 0 && this.hasSigned(subject, issuer)
  }

  hasSigned(subject: CertificateFacts, issuer: CertificateFacts): boolean {
    return this.#signatureFailure(subject, issuer) === undefined
  }

  accept(path: CandidatePath): boolean {
    return this.failuresOf(path).length === 0
  }

  /** The policies for which a path is valid. */
  policiesOf({ certificates, anchored }: CandidatePath): readonly string[] {
    return checkPolicies(certificates, anchored, this.#request.policies, () => undefined)
  }

  /** Everything that speaks against a path, but for where it ends. */
  failuresOf(path: CandidatePath): PathFailure[] {
    const known = this.#judged.find(({ certificates, anchored }) => {
      if (anchored !== path.anchored || certificates.length !== path.certificates.length) return false
      return certificates.every((facts, depth) => facts === path.certificates[depth])
    })
    if (known !== undefined) return [...known.failures]
    const failures = this.#judge(path)
    if (this.#judged.length < MAX_JUDGED) this.#judged.push({ ...path, failures })
    return [...failures]
  }

  #judge({ certificates, anchored }: CandidatePath): PathFailure[] {
    const failures: PathFailure[] = []
    const top = certificates.length - 1
    const report = (code: string, depth: number, detail?: string): void => {
      failures.push({ code, depth, message: sentence(code, detail) })
    }
    for (const [depth, facts] of certificates.entries()) {
      for (const { code, detail } of this.#findingsOf(facts, { depth, anchor: anchored && depth === top }))
        report(code, depth, detail)
      if (this.#pool.isDistrusted(facts)) report('CERT_REJECTED', depth)
      const issuer = certificates[depth + 1]
      if (issuer === undefined) continue
      // RFC 5280 section 4.1.2.4: a name that is empty names nobody
      if (isEmptyName(facts.view.issuer)) report('ISSUER_NAME_EMPTY', depth)
      const unsigned = this.#signatureFailure(facts, issuer)
      if (unsigned !== undefined) report(unsigned.code, depth, unsigned.detail)
    }
    for (const depth of tooLongBelow(certificates)) report('PATH_LENGTH_EXCEEDED', depth)
    checkNameConstraints(
      certificates,
      this.#hosts,
      (names) => this.#budget.spend('nameConstraintComparisons', names),
      report,
    )
    checkPolicies(certificates, anchored, this.#request.policies, report)
    const { crls } = this.#request
    if (crls !== undefined)
      checkRevocation(certificates, {
        crls,
        signerOf: (facts) =>
          this.#pool.issuersOf(facts).usable.find((link) => this.hasSigned(facts, link.facts))?.facts,
        spend: () => this.#budget.spend('signatureChecks'),
        report,
      })
    return failures
  }

  #findingsOf(facts: CertificateFacts, place: Place): readonly Finding[] {
    const key = `${place.depth === 0} ${place.anchor}`
    const byPlace = this.#findings.get(facts) ?? new Map<string, readonly Finding[]>()
    this.#findings.set(facts, byPlace)
    const known = byPlace.get(key)
    if (known !== undefined) return known
    const findings: Finding[] = []
    for (const check of CERTIFICATE_CHECKS)
      check(facts, place, this.#settings, (code, detail) => findings.push({ code, detail }))
    byPlace.set(key, findings)
    return findings
  }

  #signatureFailure(subject: CertificateFacts, issuer: CertificateFacts): SignatureFailure | undefined {
    const byIssuer = this.#signatures.get(subject) ?? new Map<CertificateFacts, SignatureFailure | undefined>()
    this.#signatures.set(subject, byIssuer)
    if (byIssuer.has(issuer)) return byIssuer.get(issuer)
    const failure = this.#budget.spend('signatureChecks')
      ? checkSignature(subject, issuer)
      : ({ code: 'CERT_SIGNATURE_FAILURE', detail: 'not checked: too many signatures' } as const)
    byIssuer.set(issuer, failure)
    return failure
  }
}
