import type { CaOrigin } from '@x/ca-store'
import type { PeerClaim } from '../engine/engine.ts'
import type { TrustPolicy } from './policy.ts'
import type { ChainEvidence } from './verification.ts'
import { walk } from './walk.ts'

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

function trace(claim: PeerClaim, policy: TrustPolicy): { path: readonly Uint8Array[]; anchor: string } {
  const { anchors } = policy
  const found = walk(claim, policy)
  const path = found.path.map((view) => Uint8Array.from(view.der)) // the program's, to do with as it likes
  if (!policy.anchorsKnown) return { path, anchor: "option 'secureContext'" }
  return { path, anchor: describe(found.anchor === undefined ? undefined : anchors?.origin(found.anchor)) }
}

/** The file that holds the anchor, or the option or system it came from. */
function describe(origin: CaOrigin | undefined): string {
  if (origin === undefined) return 'unknown'
  return origin.file ?? (origin.by === 'certificates' ? "option 'ca'" : origin.by)
}
