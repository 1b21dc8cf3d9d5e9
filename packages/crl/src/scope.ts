import {
  type CertificateView,
  type DistributionPoint,
  type DistributionPointName,
  ExtensionId,
  GeneralNameTag,
  readDistributionPoints,
  uriText,
} from '@x/der/x509'
import { canonicalRdn } from './canonical-name.ts'
import type { Crl } from './crl.ts'
import { reading } from './errors.ts'
import { directoryKey, directoryKeys, generalNameKey } from './general-names.ts'
import { ALL_REASONS } from './reasons.ts'
import type { Signer } from './verify-crl.ts'

/** What about a certificate decides which lists cover it. */
export interface Subject {
  readonly view: CertificateView
  /** Its issuer in the form in which names are compared. */
  readonly issuerKey: string
  readonly isCa: boolean
  /** Its distribution points, and last the one that RFC 5280 section 6.3.3 lets us assume: its issuer, for all reasons. */
  readonly points: readonly Point[]
}

/** A distribution point (RFC 5280 section 4.2.1.13), resolved for comparing. */
interface Point {
  readonly names: ReadonlySet<string>
  readonly reasons: number
  /** Who issues the list; the certificate's issuer unless the point says otherwise. */
  readonly crlIssuers: readonly string[]
  readonly delegated: boolean
  /** Alternative places of the list, of whatever scheme. */
  readonly urls: readonly string[]
}

/** @throws CrlError ERR_CRL_CERTIFICATE_INVALID */
export function readSubject({ view, issuerKey, isCa, extensions }: Signer): Subject {
  return reading('ERR_CRL_CERTIFICATE_INVALID', 'distribution points that cannot be read', () => {
    const extension = extensions.find(({ oid }) => oid === ExtensionId.CRL_DISTRIBUTION_POINTS)
    const points = extension === undefined ? [] : readDistributionPoints(extension.value)
    const assumed: Point = {
      names: new Set([directoryKey(issuerKey)]),
      reasons: ALL_REASONS,
      crlIssuers: [issuerKey],
      delegated: false,
      urls: [],
    }
    return { view, issuerKey, isCa, points: [...points.map((point) => resolve(point, issuerKey)), assumed] }
  })
}

/**
 * For which reasons a list covers a certificate, as a mask (RFC 5280 section 6.3.3, b and d): 0 where it covers it for none,
 * undefined where it has nothing to do with the certificate, being of another issuer.
 *
 * @throws CrlError ERR_CRL_INVALID
 */
export function coverage(crl: Crl, subject: Subject): number | undefined {
  return reading('ERR_CRL_INVALID', 'a scope that cannot be read', () => match(crl, subject))
}

function match(crl: Crl, subject: Subject): number | undefined {
  const scope = crl.issuingDistributionPoint
  let reasons: number | undefined
  for (const point of subject.points) {
    if (!point.crlIssuers.includes(crl.issuerKey)) continue
    reasons ??= 0
    if (point.delegated && scope?.indirectCrl !== true) continue
    if (scope === undefined) {
      reasons |= point.reasons
      continue
    }
    if (scope.name !== undefined && !keysOf(scope.name, [crl.issuerKey]).some((key) => point.names.has(key))) continue
    if (scope.onlyContainsAttributeCerts || (subject.isCa ? scope.onlyContainsUserCerts : scope.onlyContainsCaCerts))
      continue
    reasons |= point.reasons & (scope.onlySomeReasons ?? ALL_REASONS)
  }
  return reasons
}

function resolve(point: DistributionPoint, certificateIssuer: string): Point {
  const delegated = point.crlIssuer !== undefined
  const crlIssuers = point.crlIssuer === undefined ? [certificateIssuer] : directoryKeys(point.crlIssuer)
  // A point without a name is where its CRL issuer is: RFC 5280 section 6.3.3 (b) (2) (i).
  const names = point.name === undefined ? crlIssuers.map(directoryKey) : keysOf(point.name, crlIssuers)
  const urls = (point.name?.fullName ?? []).filter(({ tag }) => tag === GeneralNameTag.URI).map(uriText)
  return { names: new Set(names), reasons: (point.reasons ?? ALL_REASONS) & ALL_REASONS, crlIssuers, delegated, urls }
}

/** A name relative to its CRL issuer is that issuer's name with one RDN more. */
function keysOf(name: DistributionPointName, crlIssuers: readonly string[]): string[] {
  if (name.fullName !== undefined) return name.fullName.map(generalNameKey)
  const last = canonicalRdn(name.relativeName)
  return crlIssuers.map((issuer) => directoryKey(issuer + last))
}
