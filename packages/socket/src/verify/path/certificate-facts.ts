import type { KeyObject } from 'node:crypto'
import { isDerError } from '@x/der'
import {
  type AuthorityKeyIdentifier,
  type BasicConstraints,
  CertificateView,
  ExtensionId,
  type ExtensionView,
  type GeneralNameView,
  readAuthorityKeyIdentifier,
  readBasicConstraints,
  readExtendedKeyUsage,
  readKeyUsage,
  readSubjectAltName,
  readSubjectKeyIdentifier,
  sameBytes,
} from '@x/der/x509'
import { readKey, type KeyStrength, readSignature, type SignatureStrength } from './algorithms.ts'
import { sameName } from './names.ts'

/** What the checks need of one certificate, each extension decoded once. */
export class CertificateFacts {
  readonly view: CertificateView
  readonly extensions: readonly ExtensionView[]
  /** What is malformed or comes twice among the extensions: each is a failure wherever the certificate stands. */
  readonly problems: readonly string[]
  /** Subject and issuer are the same name (RFC 5280 section 3.2). */
  readonly selfIssued: boolean
  readonly basicConstraints: BasicConstraints | undefined
  readonly keyUsage: number | undefined
  readonly extendedKeyUsage: readonly string[] | undefined
  readonly netscapeType: number | undefined
  readonly subjectKeyIdentifier: Uint8Array | undefined
  readonly authorityKeyIdentifier: AuthorityKeyIdentifier | undefined
  readonly subjectAltNames: readonly GeneralNameView[] | undefined
  readonly key: KeyStrength
  readonly signature: SignatureStrength
  /** Decoded when a signature is first checked with it. */
  publicKey: KeyObject | undefined

  /** @throws DerError where the bytes are no certificate; what is wrong within extensions goes to `problems`. */
  constructor(der: Uint8Array) {
    this.view = new CertificateView(der)
    const problems: string[] = []
    this.problems = problems
    this.extensions = readAll(this.view, problems)
    const decode = <T>(oid: string, read: (value: Uint8Array) => T): T | undefined => {
      const extension = this.extension(oid)
      if (extension === undefined) return undefined
      try {
        return read(extension.value)
      } catch (error) {
        if (!isDerError(error)) throw error
        problems.push(`extension ${oid} is malformed (${error.message})`)
        return undefined
      }
    }
    this.basicConstraints = decode(ExtensionId.BASIC_CONSTRAINTS, readBasicConstraints)
    this.keyUsage = decode(ExtensionId.KEY_USAGE, readKeyUsage)
    this.extendedKeyUsage = decode(ExtensionId.EXTENDED_KEY_USAGE, readExtendedKeyUsage)
    this.netscapeType = decode(ExtensionId.NETSCAPE_CERT_TYPE, readKeyUsage)
    this.subjectKeyIdentifier = decode(ExtensionId.SUBJECT_KEY_IDENTIFIER, readSubjectKeyIdentifier)
    this.authorityKeyIdentifier = decode(ExtensionId.AUTHORITY_KEY_IDENTIFIER, readAuthorityKeyIdentifier)
    this.subjectAltNames = decode(ExtensionId.SUBJECT_ALT_NAME, readSubjectAltName)
    this.selfIssued = sameName(this.view.subject, this.view.issuer)
    this.key = readKey(this.view.spki)
    this.signature = readSignature(this.view.signatureAlgorithm)
  }

  extension(oid: string): ExtensionView | undefined {
    return this.extensions.find((extension) => extension.oid === oid)
  }

  /**
   * Whether it can have signed itself: self-issued, its key identifiers agree, and its key makes such signatures.
   * The signature itself is not looked at: an anchor is trusted for what it is.
   */
  get selfSigned(): boolean {
    const own = this.authorityKeyIdentifier?.keyIdentifier
    return (
      this.selfIssued &&
      (own === undefined || this.subjectKeyIdentifier === undefined || sameBytes(own, this.subjectKeyIdentifier)) &&
      (this.signature.keys === undefined || this.key.kind === undefined || this.signature.keys.includes(this.key.kind))
    )
  }
}

/** RFC 5280 section 4.2: a certificate has at most one instance of each extension. */
function readAll(view: CertificateView, problems: string[]): readonly ExtensionView[] {
  let extensions: readonly ExtensionView[]
  try {
    extensions = view.extensions()
  } catch (error) {
    if (!isDerError(error)) throw error
    problems.push(`the extensions are malformed (${error.message})`)
    return []
  }
  const seen = new Set<string>()
  for (const { oid } of extensions) {
    if (seen.has(oid)) problems.push(`extension ${oid} comes twice`)
    seen.add(oid)
  }
  return extensions
}

const remembered = new WeakMap<Uint8Array, CertificateFacts | null>()

/** The facts of an anchor, kept as long as its bytes are; undefined where it is no certificate. */
export function anchorFacts(der: Uint8Array): CertificateFacts | undefined {
  let facts = remembered.get(der)
  if (facts === undefined) {
    facts = peerFacts(der) ?? null
    remembered.set(der, facts)
  }
  return facts ?? undefined
}

/** The facts of a certificate that anybody may have sent; undefined where it is none. */
export function peerFacts(der: Uint8Array): CertificateFacts | undefined {
  try {
    return new CertificateFacts(der)
  } catch (error) {
    if (isDerError(error)) return undefined
    throw error
  }
}
