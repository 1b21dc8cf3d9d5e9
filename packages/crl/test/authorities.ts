import { contextTag, element, namedBits, sequence } from '@x/der'
import { CertificateView } from '@x/der/x509'
import { type Authority, createAuthority, type IssuedIdentity, type RawExtension } from '@x/utils'
import { createCrl, type Crl, type CrlOptions, CrlError } from '../src/index.ts'

/** The time that tests stand still at. */
export const NOW: number = Date.UTC(2026, 10, 1)
export const HOUR = 3_600_000
export const DAY = 86_400_000

/** A CA that exists at {@link NOW}. */
export function authority(commonName: string): Authority {
  return createAuthority({ subject: { commonName }, notBefore: NOW - 30 * DAY, purpose: 'CA,cRLSign' })
}

export function leaf(ca: Authority, options: Parameters<Authority['issue']>[0] & object = {}): IssuedIdentity {
  return ca.issue({ names: ['example.org'], notBefore: NOW - 10 * DAY, ...(options as object) })
}

/** A list of this CA: of yesterday, for a week. */
export function list(issuer: IssuedIdentity, options: Omit<CrlOptions, 'issuer'> = {}): Crl {
  const { raw: certificate, privateKey } = issuer
  return createCrl({
    issuer: { certificate, privateKey },
    thisUpdate: NOW - DAY,
    nextUpdate: NOW + 6 * DAY,
    ...options,
  })
}

/** One DistributionPoint of RFC 5280 section 4.2.1.13. */
export interface PointOptions {
  readonly uris?: readonly string[]
  readonly directoryName?: Uint8Array
  /** One RelativeDistinguishedName (DER of the SET), relative to the CRL issuer. */
  readonly relative?: Uint8Array
  readonly reasons?: readonly number[]
  readonly crlIssuer?: IssuedIdentity
}

/** A cRLDistributionPoints extension. */
export function distributionPoints(...points: readonly PointOptions[]): RawExtension {
  return { oid: '2.5.29.31', raw: sequence(...points.map(encodePoint)) }
}

export function subjectOf(identity: { readonly raw: Uint8Array }): Uint8Array {
  return new CertificateView(identity.raw).subject
}

function encodePoint({ uris = [], directoryName, relative, reasons, crlIssuer }: PointOptions): Uint8Array {
  const names = [
    ...uris.map((uri) => element(contextTag(6), Buffer.from(uri, 'latin1'))),
    ...(directoryName === undefined ? [] : [element(contextTag(4, true), directoryName)]),
  ]
  const parts: Uint8Array[] = []
  if (names.length > 0) parts.push(element(contextTag(0, true), element(contextTag(0, true), ...names)))
  if (relative !== undefined) parts.push(element(contextTag(0, true), relativeName(relative)))
  if (reasons !== undefined) {
    const bits = namedBits(reasons)
    bits[0] = contextTag(1)
    parts.push(bits)
  }
  if (crlIssuer !== undefined)
    parts.push(element(contextTag(2, true), element(contextTag(4, true), subjectOf(crlIssuer))))
  return sequence(...parts)
}

/** `nameRelativeToCRLIssuer [1]` of the SET of one RDN. */
export function relativeName(rdn: Uint8Array): Uint8Array {
  const name = rdn.slice()
  name[0] = contextTag(1, true)
  return name
}

/** The code of what a call throws, or 'accepted'. */
export function codeOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof CrlError || error instanceof TypeError) return String((error as { code?: unknown }).code)
    throw error
  }
  return 'accepted'
}
