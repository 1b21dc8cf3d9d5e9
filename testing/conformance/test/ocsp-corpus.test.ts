import { type OcspErrorCode, parseOcspRequest, verifyOcspResponse } from '@x/ocsp'
import { parseCertificate } from '@x/utils'
import { describe, it } from 'vitest'
import { CertificateView } from '@x/der/x509'
import { element, sequence, Tag } from '@x/der'
import { corpus, type Difference, expectExceptions } from '../src/corpus.ts'

/** A response to be verified, with what OpenSSL's own test expects. */
interface VerifyRow {
  readonly name: string
  readonly expected: { readonly verify: 'ok' | 'fail' }
  readonly kind?: undefined
  readonly response: string
  readonly trust_anchors: readonly string[]
  readonly verify_other: readonly string[]
  readonly pyca48: ParsedResponse
}

/** A response or a request to be read, with what pyca makes of it. */
interface ParseRow {
  readonly name: string
  readonly kind: 'response' | 'request'
  readonly response?: string
  readonly request?: string
  readonly pyca48: ParsedResponse & ParsedRequest
}

interface ParsedResponse {
  readonly parse: 'ok' | 'fail'
  readonly response_status?: string
  readonly produced_at?: string
  readonly responses?: readonly {
    readonly status: string
    readonly serial: string
    readonly reason: string | null
    readonly revocation_time: string | null
    readonly this_update: string
    readonly next_update: string | null
  }[]
}

interface ParsedRequest {
  readonly hash?: string | object
  readonly serial?: string
  readonly issuer_name_hash?: string
  readonly issuer_key_hash?: string
  readonly extensions?: readonly [string, boolean][] | { readonly error: string }
}

const rows = corpus<VerifyRow | ParseRow>('ocsp/ocsp.jsonl')
const isVerify = (row: VerifyRow | ParseRow): row is VerifyRow => row.kind === undefined

describe.skipIf(rows === undefined)('the corpus of OCSP responses', () => {
  it('verifies what OpenSSL verifies, and says what pyca reads', () => {
    const differences: Difference[] = []
    for (const row of rows?.filter(isVerify) ?? []) {
      const found = judge(row)
      const [single] = row.pyca48.responses ?? []
      const expected = row.expected.verify === 'ok' && single !== undefined ? said(single) : 'fail'
      const actual = found.startsWith('{') ? found : 'fail'
      if (actual !== expected) differences.push({ id: row.name, expected, actual: found })
    }
    expectExceptions('ocsp-verify', differences)
  })

  it('reads the responses that pyca reads', () => {
    const differences: Difference[] = []
    for (const row of rows ?? []) {
      if (isVerify(row) || row.response === undefined) continue
      const code = codeOf(Buffer.from(row.response, 'base64'))
      const expected =
        row.pyca48.parse === 'fail'
          ? 'ERR_OCSP_RESPONSE_INVALID'
          : row.pyca48.response_status === 'SUCCESSFUL'
            ? 'ERR_OCSP_NOT_COVERED'
            : 'ERR_OCSP_RESPONDER_FAILED'
      if (code !== expected) differences.push({ id: row.name, expected, actual: code })
    }
    expectExceptions('ocsp-parse', differences)
  })

  it('reads the requests that pyca reads', () => {
    const differences: Difference[] = []
    for (const row of rows ?? []) {
      if (isVerify(row) || row.request === undefined) continue
      const { parse, hash, serial, issuer_name_hash, issuer_key_hash, extensions } = row.pyca48
      const unreadable = parse === 'fail' || !Array.isArray(extensions)
      const expected = unreadable
        ? 'fail'
        : {
            hash: typeof hash === 'string' ? hash : 'unknown',
            serial,
            issuer_name_hash,
            issuer_key_hash,
            nonce: (extensions as [string][]).some(([id]) => id === '1.3.6.1.5.5.7.48.1.2'),
          }
      const actual = readRequest(Buffer.from(row.request, 'base64'))
      if (JSON.stringify(actual) !== JSON.stringify(expected)) differences.push({ id: row.name, expected, actual })
    }
    expectExceptions('ocsp-requests', differences)
  })
})

/** What we say with any of the given certificates as the issuer, at the time of the response: its own expiry is not what these cases are about. */
function judge(row: VerifyRow): string {
  const now = Date.parse(row.pyca48.produced_at ?? '')
  const serial = BigInt(row.pyca48.responses?.[0]?.serial ?? 0)
  let code = 'no issuer'
  for (const pem of [...row.trust_anchors, ...row.verify_other]) {
    const issuer = parseCertificate(pem)
    try {
      // The corpus has no certificates to ask about, only their serial numbers.
      const certificate = withSerial(new CertificateView(issuer.raw), serial)
      const found = verifyOcspResponse(Buffer.from(row.response, 'base64'), {
        certificate,
        issuer,
        now,
        weakDigests: 'tell',
      })
      return said({
        status: found.status.toUpperCase(),
        reason: null,
        revocation_time: found.status === 'revoked' ? iso(found.revokedAt) : null,
        this_update: iso(found.thisUpdate),
        next_update: found.nextUpdate === undefined ? null : iso(found.nextUpdate),
      })
    } catch (error) {
      const next = (error as { code: OcspErrorCode }).code
      if (code === 'no issuer' || code === 'ERR_OCSP_NOT_COVERED') code = next
    }
  }
  return code
}

const iso = (date: Date): string => date.toISOString().replace('.000', '')

function said({
  status,
  reason,
  revocation_time,
  this_update,
  next_update,
}: Omit<NonNullable<ParsedResponse['responses']>[number], 'serial'>): string {
  return JSON.stringify({ status, reason, revocation_time, this_update, next_update })
}

/** A certificate of this issuer with this serial number: nothing else of it counts. */
function withSerial(issuer: CertificateView, serial: bigint): Uint8Array {
  const hex = serial.toString(16)
  const octets = Buffer.from(hex.length % 2 === 1 ? `0${hex}` : hex, 'hex')
  const number = element(Tag.INTEGER, (octets[0] as number) < 0x80 ? octets : Buffer.concat([Uint8Array.of(0), octets]))
  const validity = sequence(element(0x17, Buffer.from('120101000000Z')), element(0x17, Buffer.from('130101000000Z')))
  const tbs = sequence(
    Uint8Array.of(0xa0, 3, 2, 1, 2),
    number,
    issuer.signatureAlgorithm,
    issuer.subject,
    validity,
    sequence(),
    issuer.spki,
  )
  return sequence(tbs, issuer.signatureAlgorithm, Uint8Array.of(3, 2, 0, 0))
}

/** With which code a response is refused that is about certificates which we do not have. */
function codeOf(response: Uint8Array): string {
  const anchor = (rows as readonly (VerifyRow | ParseRow)[]).find(isVerify)?.trust_anchors[0] as string
  try {
    return verifyOcspResponse(response, { certificate: anchor, issuer: anchor }).status
  } catch (error) {
    return (error as { code: string }).code
  }
}

function readRequest(der: Uint8Array): unknown {
  try {
    const { certIds, nonce } = parseOcspRequest(der)
    const [id] = certIds
    if (id === undefined || certIds.length > 1) return `${certIds.length} questions`
    const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
    return {
      hash: id.hash ?? 'unknown',
      serial: BigInt(`0x${hex(id.serialNumber)}`).toString(),
      issuer_name_hash: hex(id.issuerNameHash),
      issuer_key_hash: hex(id.issuerKeyHash),
      nonce: nonce !== undefined,
    }
  } catch {
    return 'fail'
  }
}
