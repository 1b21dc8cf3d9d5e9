import type { CertificateFacts } from './certificate-facts.ts'
import type { CrlAnswer, CrlCheck } from './path-request.ts'

/** What the check of revocation lists needs of the walk. */
export interface RevocationContext {
  readonly crls: CrlCheck
  /** Somebody at hand who has signed this certificate, if there is. */
  readonly signerOf: (facts: CertificateFacts) => CertificateFacts | undefined
  /** Whether one more certificate may be asked about: each answer costs a signature or two. */
  readonly spend: () => boolean
  readonly report: (code: string, depth: number, detail?: string) => void
}

/**
 * Asks the revocation lists about each certificate within their depth (RFC 5280 section 6.3). An anchor is trusted without
 * them, but where it is no root and its issuer is at hand, a revocation of it counts; a trusted leaf is asked about as any leaf.
 */
export function checkRevocation(path: readonly CertificateFacts[], context: RevocationContext): void {
  const top = path.length - 1
  const last = context.crls.depth === 'leaf' ? 0 : top
  for (const [depth, facts] of path.slice(0, last + 1).entries()) {
    const issuer = path[depth + 1]
    if (issuer !== undefined || depth === 0) {
      judge(ask(facts, issuer ?? context.signerOf(facts) ?? facts, path, depth, context), depth, context)
      continue
    }
    const signer = facts.selfIssued ? undefined : context.signerOf(facts)
    const answer = signer === undefined ? 'good' : ask(facts, signer, path, depth, context)
    if (typeof answer === 'object' && 'revoked' in answer) judge(answer, depth, context)
  }
}

function ask(
  facts: CertificateFacts,
  issuer: CertificateFacts,
  path: readonly CertificateFacts[],
  depth: number,
  { crls, spend }: RevocationContext,
): CrlAnswer {
  if (!spend()) return { unknown: 'UNABLE_TO_GET_CRL', detail: 'not asked: too much work' }
  const above = path.slice(depth + 2).map(({ view }) => view)
  return crls.check(facts.view, issuer.view, depth, above)
}

/** Only the word 'good' is good. */
function judge(answer: CrlAnswer, depth: number, { report }: RevocationContext): void {
  if (answer === 'good') return
  const { revoked, unknown, detail } = Object(answer) as { revoked?: unknown; unknown?: unknown; detail?: string }
  if (revoked !== undefined) return report('CERT_REVOKED', depth, detail)
  report(typeof unknown === 'string' ? unknown : 'UNABLE_TO_GET_CRL', depth, detail)
}
