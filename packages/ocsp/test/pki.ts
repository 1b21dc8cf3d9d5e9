import { bitString, contextTag, element, enumerated, generalizedTime, octetString, oid, sequence } from '@x/der'
import { CertificateView } from '@x/der/x509'
import { type Authority, createAuthority, type IssuedIdentity, signDer } from '@x/utils'
import {
  createOcspErrorResponse,
  createOcspResponse,
  type CreateOcspResponseOptions,
  namesCertificate,
  type OcspFetch,
  type OcspPair,
  type OcspSingle,
  parseOcspRequest,
  type RevocationReason,
} from '../src/index.ts'
import { certIdOf } from '../src/request.ts'
import { createHash } from 'node:crypto'

/** The time of all tests. */
export const NOW: number = Date.UTC(2026, 10, 21, 12, 0, 0)
export const MINUTE = 60_000
export const HOUR = 3_600_000
export const DAY = 86_400_000
export const VALID: { notBefore: number; notAfter: number } = { notBefore: NOW - 30 * DAY, notAfter: NOW + 60 * DAY }

export const LEAF_URL = 'http://ocsp.example.test/leaf'
export const CA_URL = 'http://ocsp.example.test/ca'

/** A root, an intermediate, two leaves and a delegated responder, made once: keys are what costs. */
export const root: Authority = createAuthority({
  subject: { commonName: 'Root' },
  ...VALID,
  notAfter: NOW + 3000 * DAY,
})
export const ca: Authority = root.issue({
  ca: true,
  subject: { commonName: 'Intermediate' },
  ocspUris: [CA_URL],
  ...VALID,
})
export const leaf: IssuedIdentity = ca.issue({ names: 'www.example.org', ocspUris: [LEAF_URL], ...VALID })
export const otherLeaf: IssuedIdentity = ca.issue({ names: 'other.example.org', ocspUris: [LEAF_URL], ...VALID })
export const delegate: IssuedIdentity = ca.issue({
  subject: { commonName: 'Responder' },
  extendedKeyUsage: ['OCSPSigning'],
  ...VALID,
})
export const chain: readonly Uint8Array[] = [leaf.raw, ca.raw, root.raw]

/** A response about the leaf, signed by its CA, with anything replaced. */
export function respond(
  single: Partial<Extract<OcspSingle, OcspPair>> = {},
  options: Partial<CreateOcspResponseOptions> = {},
): Uint8Array {
  return createOcspResponse({
    signer: ca,
    producedAt: NOW - HOUR,
    responses: [{ certificate: leaf, issuer: ca, status: 'good', ...single }],
    ...options,
  })
}

export const question: { certificate: IssuedIdentity; issuer: Authority; now: number } = {
  certificate: leaf,
  issuer: ca,
  now: NOW,
}

/** The code with which something refuses; fails where it does not. */
export function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    return (error as { code: string }).code
  }
  return 'nothing was refused'
}

/** Parts of a response that createOcspResponse does not write. */
export interface RawParts {
  readonly responder?: Uint8Array
  readonly producedAt?: Uint8Array
  readonly version?: Uint8Array
  readonly singles?: readonly Uint8Array[]
  readonly extensions?: readonly Uint8Array[]
  readonly signer?: IssuedIdentity
  readonly certificates?: readonly Uint8Array[]
  /** AlgorithmIdentifier in place of the true one. */
  readonly algorithm?: Uint8Array
}

/** A response assembled from parts and signed properly. */
export function raw(parts: RawParts = {}): Uint8Array {
  const { signer = ca, certificates = [], extensions } = parts
  const data = sequence(
    ...(parts.version === undefined ? [] : [parts.version]),
    parts.responder ?? byKey(signer),
    parts.producedAt ?? generalizedTime(NOW),
    sequence(...(parts.singles ?? [rawSingle()])),
    ...(extensions === undefined ? [] : [element(contextTag(1, true), sequence(...extensions))]),
  )
  const { algorithm, signature } = signDer(data, signer.privateKey)
  return wrap(
    sequence(
      data,
      parts.algorithm ?? algorithm,
      bitString(signature),
      ...(certificates.length > 0 ? [element(contextTag(0, true), sequence(...certificates))] : []),
    ),
  )
}

function wrap(basic: Uint8Array, type = '1.3.6.1.5.5.7.48.1.1'): Uint8Array {
  return sequence(enumerated(0), element(contextTag(0, true), sequence(oid(type), octetString(basic))))
}

export function byKey(signer: { raw: Uint8Array }): Uint8Array {
  const spki = new CertificateView(signer.raw).spki
  return element(contextTag(2, true), octetString(createHash('sha1').update(spki.subarray(26)).digest())) // P-256: a header of 26 octets
}

export function rawSingle(
  parts: {
    certId?: Uint8Array
    status?: Uint8Array
    thisUpdate?: Uint8Array
    nextUpdate?: Uint8Array
    extensions?: readonly Uint8Array[]
  } = {},
): Uint8Array {
  const { extensions } = parts
  return sequence(
    parts.certId ?? certIdOf({ certificate: leaf, issuer: ca }, 'sha1'),
    parts.status ?? element(contextTag(0)),
    parts.thisUpdate ?? generalizedTime(NOW - HOUR),
    parts.nextUpdate ?? element(contextTag(0, true), generalizedTime(NOW + DAY)),
    ...(extensions === undefined ? [] : [element(contextTag(1, true), sequence(...extensions))]),
  )
}

export function extension(id: string, value: Uint8Array, critical = false): Uint8Array {
  return sequence(oid(id), ...(critical ? [Uint8Array.of(1, 1, 0xff)] : []), octetString(value))
}

export interface Status {
  readonly status: 'good' | 'revoked' | 'unknown'
  readonly reason?: RevocationReason
  readonly nextUpdate?: number | null
  readonly thisUpdate?: number
}

/** A responder as a `fetch`: answers what it knows of, in memory, and counts. */
export class FakeResponder {
  readonly requests: { url: string; init: RequestInit; der: Uint8Array; asked: number }[] = []
  readonly known: [{ certificate: { raw: Uint8Array }; issuer: Authority }, Status][]
  /** What to do instead of answering. */
  instead: ((url: string, init: RequestInit) => Promise<Response> | Response) | undefined
  /** How many of the certificates asked about are answered for. */
  atMost: number = Infinity
  now: () => number = () => NOW
  echoNonce: boolean = true

  constructor(
    known: FakeResponder['known'] = [
      [{ certificate: leaf, issuer: ca }, { status: 'good' }],
      [{ certificate: ca, issuer: root }, { status: 'good' }],
    ],
  ) {
    this.known = known
  }

  readonly fetch: OcspFetch = async (url, init) => {
    const der =
      init.method === 'GET'
        ? Buffer.from(decodeURIComponent(url.slice(url.lastIndexOf('/') + 1)), 'base64')
        : new Uint8Array(init.body as Uint8Array)
    const { certIds, nonce } = parseOcspRequest(der)
    this.requests.push({ url, init, der, asked: certIds.length })
    if (this.instead !== undefined) return this.instead(url, init)
    const signers = new Map<Authority, OcspSingle[]>()
    for (const id of certIds.slice(0, this.atMost)) {
      const found = this.known.find(([pair]) => namesCertificate(id, pair))
      if (found === undefined) continue
      const [{ issuer }, status] = found
      signers.set(issuer, [...(signers.get(issuer) ?? []), { certId: id, ...status }])
    }
    const [first] = signers
    if (first === undefined) return createBody(createOcspErrorResponse('unauthorized'))
    const [signer, responses] = first
    const options = {
      signer,
      responses,
      producedAt: this.now(),
      ...(nonce !== undefined && this.echoNonce ? { nonce } : {}),
    }
    return createBody(createOcspResponse(options))
  }
}

/** An HTTP response with these bytes. */
export function createBody(der: Uint8Array): Response {
  return new Response(der as Uint8Array<ArrayBuffer>)
}
