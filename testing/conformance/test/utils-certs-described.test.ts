import { describe, expect, it } from 'vitest'
import { contextTag, DerCursor, Tag } from '@x/der'
import { type CertificateDescription, type GeneralName, describeCertificate, oidFromName, oidNames } from '@x/utils'
import { corpus, type Difference, expectExceptions } from '../src/corpus.ts'

/** What the original's CERT_asHash said. */
interface OriginalHash {
  readonly subject: Record<string, string | string[]>
  readonly issuer: Record<string, string | string[]>
  readonly subjectAltNames?: readonly [string, string][]
  readonly not_before: number
  readonly not_after: number
  readonly serial: string
  readonly keyusage: readonly string[]
  readonly extkeyusage: { readonly oid: readonly (string | null)[] }
  readonly crl_uri: readonly (string | null)[]
  readonly ocsp_uri: readonly (string | null)[]
  readonly signature_alg: string
  readonly version: number
  readonly x509_digest_sha256: string
  readonly pubkey_digest_sha256: string
  readonly fingerprint_sha256: string
}

interface Row {
  readonly id: string
  readonly src: string
  readonly der: string
  readonly load?: 'die'
  readonly hash?: OriginalHash
}

const rows = corpus<Row>('parse/certs_described.jsonl')

describe.skipIf(rows === undefined)('descriptions of certificates', () => {
  it('say what the original says, or what the exceptions list', () => {
    const differences = (rows ?? []).flatMap((row) => compare(row))
    expectExceptions('certs-described', differences)
  })
})

function compare(row: Row): Difference[] {
  const theirs = row.hash === undefined ? { refused: true } : original(row.hash)
  const ours = described(Buffer.from(row.der, 'base64'))
  if ('refused' in ours || 'refused' in theirs) {
    const expected = 'refused' in theirs ? 'refused' : 'described'
    const actual = 'refused' in ours ? `refused: ${String(ours.refused)}` : 'described'
    return expected === 'refused' && actual.startsWith('refused') ? [] : [{ id: row.src, expected, actual }]
  }
  return Object.entries(theirs).flatMap(([field, expected]) => {
    const actual = ours[field]
    return JSON.stringify(expected) === JSON.stringify(actual) ? [] : [{ id: `${row.src} ${field}`, expected, actual }]
  })
}

type Fields = Record<string, unknown>

function original(hash: OriginalHash): Fields {
  return {
    subject: sorted(fromBytes(hash.subject)),
    issuer: sorted(fromBytes(hash.issuer)),
    subjectAltNames: hash.subjectAltNames ?? [],
    notBefore: hash.not_before,
    notAfter: hash.not_after,
    serial: hash.serial,
    keyUsage: hash.keyusage,
    extendedKeyUsage: hash.extkeyusage.oid,
    // Net::SSLeay returns undef for extensions without such a URI
    crlUris: hash.crl_uri.filter((uri) => uri !== null),
    ocspUris: hash.ocsp_uri.filter((uri) => uri !== null),
    signatureAlgorithm: hash.signature_alg,
    version: hash.version + 1,
    certificateDigest: hash.x509_digest_sha256,
    publicKeyDigest: hash.pubkey_digest_sha256,
    fingerprint: hash.fingerprint_sha256,
  }
}

function described(der: Uint8Array): Fields | { refused: string } {
  let description: CertificateDescription
  try {
    description = describeCertificate(der)
  } catch (error) {
    const { code } = error as { code: string }
    expect(code).toMatch(/^ERR_CERT_/)
    return { refused: code }
  }
  return {
    subject: sorted(description.subject),
    issuer: sorted(description.issuer),
    subjectAltNames: description.subjectAltNames.map(asOriginal),
    notBefore: description.notBefore.getTime() / 1000,
    notAfter: description.notAfter.getTime() / 1000,
    serial: decimal(description.serial),
    keyUsage: description.keyUsage,
    extendedKeyUsage: description.extendedKeyUsage.map((name) => oidFromName(name)),
    crlUris: description.crlUris,
    ocspUris: description.ocspUris,
    signatureAlgorithm: description.signatureAlgorithm,
    version: description.version,
    certificateDigest: description.digests.certificate,
    publicKeyDigest: description.digests.publicKey,
    fingerprint: description.fingerprint,
  }
}

/** Of an otherName (type OID, then `[0]` around the value) the octets of the value; other names in hex. */
function innerString(name: Uint8Array): string {
  const fields = new DerCursor(name)
  if (!fields.optional(Tag.OID)) return Buffer.from(name).toString('hex')
  const value = fields.enterExpected(contextTag(0, true))
  value.next()
  return Buffer.from(value.content()).toString('latin1')
}

function decimal(hex: string): string {
  return hex.startsWith('-') ? `-${BigInt(`0x${hex.slice(1)}`)}` : `${BigInt(`0x${hex}`)}`
}

/** Perl's octets: UTF-8 where that is what they are, else one character each. */
function fromBytes(name: Record<string, string | string[]>): object {
  const text = (value: string): string => {
    const decoded = Buffer.from(value, 'latin1').toString('utf8')
    return decoded.includes('\ufffd') ? value : decoded
  }
  return Object.fromEntries(
    Object.entries(name).map(([key, value]) => [key, Array.isArray(value) ? value.map(text) : text(value)]),
  )
}

/** The order of the attributes is not the original's to tell: it keeps them in a hash. */
function sorted(name: object): Fields {
  return Object.fromEntries(Object.entries(name).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** The original prints a directory name on one line, and of otherName only the string inside. */
function asOriginal([type, value]: GeneralName): readonly [string, unknown] {
  if (type === 'DIRNAME' && !(value instanceof Uint8Array))
    return [
      type,
      Object.entries(value)
        .flatMap(([key, values]) => [values].flat().map((one) => `/${oidNames(oidFromName(key) ?? '')?.short}=${one}`))
        .join(''),
    ]
  return [type, value instanceof Uint8Array ? innerString(value) : value]
}
