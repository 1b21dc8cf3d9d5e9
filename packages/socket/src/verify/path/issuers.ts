import { GeneralNameTag, sameBytes } from '@x/der/x509'
import { anchorFacts, type CertificateFacts, peerFacts } from './certificate-facts.ts'
import type { PathCode } from './codes.ts'
import { sameName } from './names.ts'
import type { PathRequest } from './path-request.ts'

/** A certificate that may have issued another, by its name. */
export interface IssuerLink {
  readonly facts: CertificateFacts
  /** It is one of the trusted certificates. */
  readonly trusted: boolean
}

export interface Issuers {
  /** The likeliest first. */
  readonly usable: readonly IssuerLink[]
  /** Why others of that name cannot have issued it. */
  readonly obstacles: readonly PathCode[]
}

/** Every certificate that a walk may use, each parsed once. */
export class IssuerPool {
  /** The leaf's facts; undefined where it cannot be read. */
  readonly leaf: CertificateFacts | undefined
  readonly #request: PathRequest
  readonly #sent: CertificateFacts[] = []
  readonly #trusted = new Map<CertificateFacts, boolean>()
  readonly #issuers = new Map<CertificateFacts, Issuers>()

  /** What cannot be read among the rest is passed over: it can neither help nor harm. */
  constructor(request: PathRequest) {
    this.#request = request
    const [leaf, ...rest] = request.chain
    this.leaf = leaf === undefined ? undefined : peerFacts(leaf)
    for (const der of [...rest, ...(request.intermediates ?? [])]) {
      if (this.#sent.some(({ view }) => sameBytes(view.der, der))) continue
      const facts = peerFacts(der)
      if (facts !== undefined) this.#sent.push(facts)
    }
  }

  isTrusted(facts: CertificateFacts): boolean {
    let trusted = this.#trusted.get(facts)
    if (trusted === undefined) {
      trusted = this.#request.anchors.isAnchor(facts.view.der)
      this.#trusted.set(facts, trusted)
    }
    return trusted
  }

  isDistrusted(facts: CertificateFacts): boolean {
    return this.#request.anchors.isDistrusted?.(facts.view.der) ?? false
  }

  issuersOf(subject: CertificateFacts): Issuers {
    let issuers = this.#issuers.get(subject)
    if (issuers === undefined) {
      issuers = this.#collect(subject)
      this.#issuers.set(subject, issuers)
    }
    return issuers
  }

  #collect(subject: CertificateFacts): Issuers {
    const { issuer } = subject.view
    const links: IssuerLink[] = []
    for (const der of this.#request.anchors.findIssuers(subject.view)) {
      const facts = anchorFacts(der)
      if (facts === undefined || !sameName(facts.view.subject, issuer)) continue
      this.#trusted.set(facts, true)
      links.push({ facts, trusted: true })
    }
    for (const facts of this.#sent) {
      const named = facts === subject ? facts.selfIssued : sameName(facts.view.subject, issuer)
      if (named && !links.some((link) => sameBytes(link.facts.view.der, facts.view.der)))
        links.push({ facts, trusted: this.isTrusted(facts) })
    }

    const usable: { link: IssuerLink; rank: number }[] = []
    const obstacles: PathCode[] = []
    for (const link of links) {
      const obstacle = obstacleTo(subject, link.facts)
      if (obstacle === undefined) usable.push({ link, rank: this.#rank(subject, link) })
      else if (!obstacles.includes(obstacle)) obstacles.push(obstacle)
    }
    usable.sort((a, b) => b.rank - a.rank)
    return { usable: usable.map(({ link }) => link), obstacles }
  }

  /** RFC 4158 section 3.5: trusted before sent, a matching key identifier before none, valid before not. */
  #rank(subject: CertificateFacts, { facts, trusted }: IssuerLink): number {
    const { now } = this.#request
    const named =
      subject.authorityKeyIdentifier?.keyIdentifier !== undefined && facts.subjectKeyIdentifier !== undefined
    const valid = now >= facts.view.notBefore && now <= facts.view.notAfter
    return (trusted ? 4 : 0) + (named ? 2 : 0) + (valid ? 1 : 0)
  }
}

/** Why a certificate of the right name cannot have issued `subject`, as OpenSSL's `X509_check_issued` has it; undefined where it can. */
function obstacleTo(subject: CertificateFacts, issuer: CertificateFacts): PathCode | undefined {
  const authority = subject.authorityKeyIdentifier
  if (authority !== undefined) {
    const { keyIdentifier, serialNumber } = authority
    if (
      keyIdentifier !== undefined &&
      issuer.subjectKeyIdentifier !== undefined &&
      !sameBytes(keyIdentifier, issuer.subjectKeyIdentifier)
    )
      return 'AKID_SKID_MISMATCH'
    if (serialNumber !== undefined && !sameBytes(serialNumber, issuer.view.serialNumber))
      return 'AKID_ISSUER_SERIAL_MISMATCH'
    const name = authority.issuer?.find(({ tag }) => tag === GeneralNameTag.DIRECTORY)
    if (name !== undefined && !sameName(name.value, issuer.view.issuer)) return 'AKID_ISSUER_SERIAL_MISMATCH'
  }
  const { kind } = issuer.key
  const { keys } = subject.signature
  return keys !== undefined && kind !== undefined && !keys.includes(kind) ? 'SIGNATURE_ALGORITHM_MISMATCH' : undefined
}
