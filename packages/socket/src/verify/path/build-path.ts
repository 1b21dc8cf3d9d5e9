import { sameBytes } from '@x/der/x509'
import type { Budget } from './budget.ts'
import type { CertificateFacts } from './certificate-facts.ts'
import type { IssuerLink, IssuerPool } from './issuers.ts'

/** Certificates from the leaf upwards. */
export interface CandidatePath {
  readonly certificates: readonly CertificateFacts[]
  /** The last one is trusted and may end a path. */
  readonly anchored: boolean
  /** It was cut off because it had grown too long. */
  readonly tooLong: boolean
}

/** What the search asks about what it finds. */
export interface PathJudge {
  /** Whether nothing speaks against the certificate by itself, and `subject` is signed by it. */
  isSound(subject: CertificateFacts, issuer: CertificateFacts, anchor: boolean): boolean
  /** Whether it has signed `subject`. */
  hasSigned(subject: CertificateFacts, issuer: CertificateFacts): boolean
  /** Whether nothing speaks against the whole path, which is anchored. */
  accept(path: CandidatePath): boolean
}

/**
 * Finds a path from the leaf to an anchor: depth first, the likeliest issuer first, back at each step (RFC 4158). Every
 * certificate visited is paid for out of the budget.
 */
export class PathBuilder {
  readonly #pool: IssuerPool
  readonly #partialChain: boolean
  readonly #budget: Budget
  readonly #judge: PathJudge

  constructor(pool: IssuerPool, partialChain: boolean, budget: Budget, judge: PathJudge) {
    this.#pool = pool
    this.#partialChain = partialChain
    this.#budget = budget
    this.#judge = judge
  }

  /** The first path that the judge accepts. */
  valid(leaf: CertificateFacts): CandidatePath | undefined {
    return this.#search([leaf], {
      follows: (subject, { facts, trusted }) => this.#judge.isSound(subject, facts, this.#ends(facts, trusted)),
      found: (path) => this.#judge.accept(path),
      stuck: () => undefined,
    })
  }

  /** Where there is none: the first that reaches an anchor whatever speaks against it, else the longest. */
  nearest(leaf: CertificateFacts): CandidatePath {
    let longest: CandidatePath = { certificates: [leaf], anchored: false, tooLong: false }
    const complete = this.#search([leaf], {
      order: (subject, links) => bySignature(links, ({ facts }) => this.#judge.hasSigned(subject, facts)),
      // What looks self-signed and is not may be a CA's new key, signed with its old one.
      follows: (subject, { facts }) => !subject.selfSigned || this.#judge.hasSigned(subject, facts),
      found: () => true,
      stuck: (path) => {
        if (path.certificates.length > longest.certificates.length || path.tooLong) longest = path
      },
    })
    return complete ?? longest
  }

  #search(path: CertificateFacts[], visitor: Visitor): CandidatePath | undefined {
    if (!this.#budget.spend('steps')) return undefined
    const tail = path.at(-1) as CertificateFacts
    const here = (anchored: boolean, tooLong = false): CandidatePath => ({ certificates: [...path], anchored, tooLong })
    const ends = this.#ends(tail, this.#pool.isTrusted(tail))
    // A trusted leaf that is not self-signed is the last resort: a path that shows its issuer shows more.
    if (ends && (path.length > 1 || tail.selfSigned) && visitor.found(here(true))) return here(true)
    if (!(path.length - 1 <= this.#budget.limits.pathLength)) return stop(visitor, here(false, true))

    const { usable } = this.#pool.issuersOf(tail)
    let extended = false
    for (const link of visitor.order?.(tail, usable) ?? usable) {
      if (repeats(path, link) || !visitor.follows(tail, link)) continue
      extended = true
      const found = this.#search([...path, link.facts], visitor)
      if (found !== undefined) return found
      if (this.#budget.exceeded !== undefined) return undefined
    }
    if (ends && path.length === 1 && visitor.found(here(true))) return here(true)
    return extended ? undefined : stop(visitor, here(false))
  }

  #ends(facts: CertificateFacts, trusted: boolean): boolean {
    return trusted && (this.#partialChain || facts.selfSigned)
  }
}

interface Visitor {
  readonly order?: (subject: CertificateFacts, links: readonly IssuerLink[]) => readonly IssuerLink[]
  readonly follows: (subject: CertificateFacts, link: IssuerLink) => boolean
  readonly found: (path: CandidatePath) => boolean
  readonly stuck: (path: CandidatePath) => void
}

function stop(visitor: Visitor, path: CandidatePath): undefined {
  visitor.stuck(path)
  return undefined
}

/** RFC 4158 section 2.4.2: a certificate, or another of the same name and key, does not come twice. A trusted one ends the path instead. */
function repeats(path: readonly CertificateFacts[], { facts, trusted }: IssuerLink): boolean {
  return path.some(
    (other) =>
      sameBytes(other.view.der, facts.view.der) ||
      (!trusted && sameBytes(other.view.spki, facts.view.spki) && sameBytes(other.view.subject, facts.view.subject)),
  )
}

function bySignature(links: readonly IssuerLink[], hasSigned: (link: IssuerLink) => boolean): readonly IssuerLink[] {
  return links.length < 2 ? links : [...links.filter(hasSigned), ...links.filter((link) => !hasSigned(link))]
}
