import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import {
  bitString,
  boolean,
  contextTag,
  element,
  integer,
  namedBits,
  nullElement,
  octetString,
  oid,
  sequence,
  setOf,
  time,
  utf8String,
} from '@x/der'
import type { CertificateView } from '@x/der/x509'
import { listedAnchors, type PathRequest, type PathResult, validatePath } from '../src/verify/path/index.ts'

/** The clock of these tests. */
export const NOW = Date.UTC(2026, 0, 15)
const DAY = 86_400_000

/** Keys are dear, and no check cares whose they are: certificates share a few. */
export const keys = {
  root: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  intermediate: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  leaf: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  other: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
}

export interface KeyPair {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

export interface Extension {
  readonly oid: string
  readonly critical?: boolean
  readonly value: Uint8Array
}

/** Everything about a certificate, right or wrong: `createCertificate` makes only right ones. */
export interface CertificateSpec {
  readonly subject: string | Uint8Array
  readonly issuer?: string | Uint8Array
  readonly key: KeyPair
  /** Default: `key`, so that it signs itself. */
  readonly signer?: KeyPair
  readonly notBefore?: number
  readonly notAfter?: number
  readonly version?: 1 | 3
  readonly serial?: number
  readonly digest?: 'md5' | 'sha1' | 'sha256'
  readonly extensions?: readonly Extension[]
  /** AlgorithmIdentifier inside the signed part, where it differs from the one outside. */
  readonly innerAlgorithm?: Uint8Array
}

export function makeCertificate(spec: CertificateSpec): Uint8Array {
  const { subject, issuer = subject, key, signer = key, version = 3, digest = 'sha256' } = spec
  const isRsa = signer.privateKey.asymmetricKeyType === 'rsa'
  const isEd = signer.privateKey.asymmetricKeyType === 'ed25519'
  const algorithm = isRsa
    ? sequence(oid(`1.2.840.113549.1.1.${{ md5: 4, sha1: 5, sha256: 11 }[digest]}`), nullElement())
    : sequence(oid(isEd ? '1.3.101.112' : digest === 'sha1' ? '1.2.840.10045.4.1' : '1.2.840.10045.4.3.2'))
  const tbs = sequence(
    ...(version === 3 ? [element(contextTag(0, true), integer(2))] : []),
    integer(spec.serial ?? 1),
    spec.innerAlgorithm ?? algorithm,
    nameOf(issuer),
    sequence(time(spec.notBefore ?? NOW - 30 * DAY), time(spec.notAfter ?? NOW + 30 * DAY)),
    nameOf(subject),
    key.publicKey.export({ type: 'spki', format: 'der' }),
    ...(spec.extensions === undefined || spec.extensions.length === 0
      ? []
      : [element(contextTag(3, true), sequence(...spec.extensions.map(encode)))]),
  )
  return sequence(tbs, algorithm, bitString(sign(isEd ? null : digest, tbs, signer.privateKey)))
}

function encode({ oid: id, critical = false, value }: Extension): Uint8Array {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), octetString(value))
}

/** `CN=…` in UTF-8, or a Name as DER. */
export function nameOf(name: string | Uint8Array): Uint8Array {
  if (typeof name !== 'string') return name
  return name === '' ? sequence() : sequence(setOf(sequence(oid('2.5.4.3'), utf8String(name))))
}

export const basicConstraints = (ca: boolean, pathLength?: number, critical = true): Extension => ({
  oid: '2.5.29.19',
  critical,
  value: sequence(...(ca ? [boolean(true)] : []), ...(pathLength === undefined ? [] : [integer(pathLength)])),
})
export const keyUsage = (...bits: readonly number[]): Extension => ({
  oid: '2.5.29.15',
  critical: true,
  value: namedBits(bits),
})
export const extendedKeyUsage = (...usages: readonly string[]): Extension => ({
  oid: '2.5.29.37',
  value: sequence(...usages.map(oid)),
})
export const serverAuth = '1.3.6.1.5.5.7.3.1'
export const clientAuth = '1.3.6.1.5.5.7.3.2'
export const subjectKeyId = (octet: number): Extension => ({
  oid: '2.5.29.14',
  value: octetString(Uint8Array.of(octet)),
})
export const authorityKeyId = (octet: number): Extension => ({
  oid: '2.5.29.35',
  value: sequence(element(contextTag(0), Uint8Array.of(octet))),
})
export const altNames = (...names: readonly Uint8Array[]): Extension => ({
  oid: '2.5.29.17',
  value: sequence(...names),
})
export const dns = (name: string): Uint8Array => element(contextTag(2), Buffer.from(name, 'latin1'))
export const email = (name: string): Uint8Array => element(contextTag(1), Buffer.from(name, 'latin1'))
export const uri = (name: string): Uint8Array => element(contextTag(6), Buffer.from(name, 'latin1'))
export const ip = (...octets: readonly number[]): Uint8Array => element(contextTag(7), Uint8Array.from(octets))
export const directory = (name: Uint8Array): Uint8Array => element(contextTag(4, true), name)
export const nameConstraints = (permitted: readonly Uint8Array[], excluded: readonly Uint8Array[] = []): Extension => ({
  oid: '2.5.29.30',
  critical: true,
  value: sequence(
    ...(permitted.length > 0 ? [element(contextTag(0, true), ...permitted.map((base) => sequence(base)))] : []),
    ...(excluded.length > 0 ? [element(contextTag(1, true), ...excluded.map((base) => sequence(base)))] : []),
  ),
})

const CERT_SIGN = 5
export const caExtensions: readonly Extension[] = [basicConstraints(true), keyUsage(CERT_SIGN, 6)]
export const leafExtensions: readonly Extension[] = [keyUsage(0), altNames(dns('www.example.org'))]

export type Changes = Partial<CertificateSpec>

export const makeRoot = (changes: Changes = {}): Uint8Array =>
  makeCertificate({ subject: 'Root', key: keys.root, extensions: caExtensions, ...changes })
export const makeIntermediate = (changes: Changes = {}): Uint8Array =>
  makeCertificate({
    subject: 'Intermediate',
    issuer: 'Root',
    key: keys.intermediate,
    signer: keys.root,
    extensions: caExtensions,
    ...changes,
  })
export const makeLeaf = (changes: Changes = {}): Uint8Array =>
  makeCertificate({
    subject: 'www.example.org',
    issuer: 'Intermediate',
    key: keys.leaf,
    signer: keys.intermediate,
    extensions: leafExtensions,
    ...changes,
  })

/** Walks `chain` under `anchors` at {@link NOW}, as a client does. */
export function walk(
  chain: readonly Uint8Array[],
  anchors: readonly Uint8Array[],
  options: Partial<PathRequest> = {},
): PathResult {
  return validatePath({
    chain,
    anchors: listedAnchors(anchors),
    purpose: 'server',
    now: NOW,
    partialChain: false,
    ...options,
  })
}

/** `depth code` of every failure. */
export function codes(result: PathResult): string[] {
  return result.failures.map(({ depth, code }) => `${depth} ${code}`)
}

export function depthsOf(result: PathResult, certificates: readonly Uint8Array[]): number[] {
  return result.path.map(({ der }: CertificateView) => certificates.findIndex((one) => Buffer.compare(one, der) === 0))
}
