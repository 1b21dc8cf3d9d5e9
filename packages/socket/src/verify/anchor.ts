import type { CaOrigin } from '@x/ca-store'
import { type CertificateView, sameBytes } from '@x/der/x509'
import type { PeerClaim } from '../engine/engine.ts'
import type { TrustPolicy } from './policy.ts'
import type { ChainEvidence } from './verification.ts'
import { viewOf } from './view.ts'

/**
 * The path that OpenSSL has accepted, found again when somebody asks for it: OpenSSL keeps the path to itself, and most
 * programs never look. It explains a verdict; it does not make one.
 */
export class AcceptedChain implements ChainEvidence {
  readonly proven: 'now' | 'earlier'
  readonly #claim: PeerClaim
  readonly #policy: TrustPolicy
  #found: { readonly path: readonly Uint8Array[]; readonly anchor: string } | undefined

  constructor(claim: PeerClaim, policy: TrustPolicy) {
    this.#claim = claim
    this.#policy = policy
    this.proven = claim.source === 'session' ? 'earlier' : 'now'
  }

  get path(): readonly Uint8Array[] {
    return (this.#found ??= trace(this.#claim, this.#policy)).path
  }

  get anchor(): string {
    return (this.#found ??= trace(this.#claim, this.#policy)).anchor
  }
}

/** Longer paths than OpenSSL's own limit are not followed. */
const MAX_PATH = 101

function trace(claim: PeerClaim, { anchors }: TrustPolicy): { path: readonly Uint8Array[]; anchor: string } {
  const views = claim.chain.map(viewOf)
  const path: CertificateView[] = []
  for (let at = views[0]; at !== undefined && path.length < MAX_PATH; ) {
    const current = at
    path.push(current)
    const origin = anchors?.origin(current.der)
    if (origin !== undefined) return { path: path.map((view) => view.der), anchor: describe(origin) }
    const issuer = anchors?.findIssuer(current.der)
    if (issuer !== undefined)
      return { path: [...path.map((view) => view.der), issuer.raw], anchor: describe(anchors?.origin(issuer)) }
    at = views.find((view) => !path.includes(view) && sameBytes(view.subject, current.issuer))
  }
  return { path: path.map((view) => view.der), anchor: anchors === undefined ? "option 'secureContext'" : 'unknown' }
}

/** The file that holds the anchor, or the option or system it came from. */
function describe(origin: CaOrigin | undefined): string {
  if (origin === undefined) return 'unknown'
  return origin.file ?? (origin.by === 'certificates' ? "option 'ca'" : origin.by)
}
