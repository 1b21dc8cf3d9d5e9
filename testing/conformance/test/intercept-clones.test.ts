import { describe, expect, it } from 'vitest'
import { CertificateView, ExtensionOid, readAuthorityKeyIdentifier, readSubjectKeyIdentifier } from '@x/der/x509'
import { Interceptor } from '@x/intercept'
import { createAuthority, describeCertificate, oidFromName } from '@x/utils'
import { corpus, type Difference, expectExceptions } from '../src/corpus.ts'

/** What the original's CERT_asHash said of a certificate. */
interface OriginalHash {
  readonly subject: Record<string, string | string[]>
  readonly subjectAltNames?: readonly [string, string][]
  readonly not_before: number
  readonly not_after: number
  readonly keyusage: readonly string[]
  readonly extkeyusage?: { readonly oid: readonly (string | null)[] }
  readonly crl_uri: readonly (string | null)[]
  readonly ocsp_uri: readonly (string | null)[]
  readonly version: number
}

interface Row {
  readonly src: string
  readonly der: string
  readonly hash?: OriginalHash
  /** The original's description of its own clone. */
  readonly clone?: OriginalHash
}

const rows = corpus<Row>('parse/certs_described.jsonl')
const { certificate, privateKey } = createAuthority('Proxy CA')
const interceptor = new Interceptor({
  certificate,
  privateKey,
  mirrorInvalidity: false,
  now: () => Date.UTC(2026, 10, 21),
})
const mirroring = new Interceptor({ certificate, privateKey, now: () => Date.UTC(2026, 10, 21) })
const identifier = readSubjectKeyIdentifier(
  new CertificateView(certificate.raw).extension(ExtensionOid.SUBJECT_KEY_IDENTIFIER)?.value as Uint8Array,
)

describe.skipIf(rows === undefined)('clones', () => {
  it('say what the original’s clones say, or what the exceptions list', () => {
    expectExceptions('intercept-clones', (rows ?? []).flatMap(compare))
  })

  it('are signed by the CA, refer to it, and are never one', () => {
    for (const { der } of rows ?? []) {
      const clone = cloned(Buffer.from(der, 'base64'), interceptor)
      if (clone === undefined) continue
      expect(clone.certificate.verify(certificate.publicKey)).toBe(true)
      expect(clone.certificate.ca).toBe(false)
      const authority = new CertificateView(clone.raw).extension(ExtensionOid.AUTHORITY_KEY_IDENTIFIER)
      const { keyIdentifier = new Uint8Array() } = readAuthorityKeyIdentifier(authority?.value as Uint8Array)
      expect(Buffer.compare(keyIdentifier, identifier)).toBe(0)
    }
  })
})

/** The clone, or undefined where it was refused by a code of ours; anything else thrown fails. */
function cloned(der: Uint8Array, by: Interceptor): ReturnType<Interceptor['clone']> | undefined {
  try {
    return by.clone({ raw: der })
  } catch (error) {
    if (String((error as { code?: unknown }).code).startsWith('ERR_INTERCEPT_')) return undefined
    throw error
  }
}

function compare({ src, der, hash, clone: theirs }: Row): Difference[] {
  const clone = cloned(Buffer.from(der, 'base64'), mirroring)
  if (clone === undefined || theirs === undefined || hash === undefined) {
    const [expected, actual] = [theirs === undefined ? 'refused' : 'cloned', clone === undefined ? 'refused' : 'cloned']
    return expected === actual ? [] : [{ id: src, expected, actual }]
  }
  const wanted = fieldsWanted(theirs, hash)
  const found = fieldsFound(clone.raw)
  return Object.entries(wanted).flatMap(([field, expected]) => {
    const actual = found[field]
    return JSON.stringify(expected) === JSON.stringify(actual) ? [] : [{ id: `${src} ${field}`, expected, actual }]
  })
}

/**
 * Of the original's clone: subject, names, validity, and that it has no URIs. Its usages are always those of a server and a client, whatever
 * the certificate's own are; ours are the certificate's own, without those of a CA, so those are taken from its description.
 */
function fieldsWanted(clone: OriginalHash, origin: OriginalHash): Record<string, unknown> {
  return {
    subject: sorted(fromBytes(clone.subject)),
    subjectAltNames: clone.subjectAltNames ?? [],
    notBefore: clone.not_before,
    notAfter: clone.not_after,
    version: 3,
    crlUris: clone.crl_uri.filter((uri) => uri !== null),
    ocspUris: clone.ocsp_uri.filter((uri) => uri !== null),
    keyUsage: withoutCa(origin.keyusage),
    extendedKeyUsage: origin.extkeyusage?.oid.filter((usage) => usage !== '1.3.6.1.5.5.7.3.9') ?? [],
  }
}

/** Where nothing but a CA's usages was there, nonRepudiation stands for "nothing that TLS could use". */
function withoutCa(usages: readonly string[]): readonly string[] {
  const rest = usages.filter((usage) => usage !== 'keyCertSign' && usage !== 'cRLSign')
  return rest.length === 0 && usages.length > 0 ? ['nonRepudiation'] : rest
}

function fieldsFound(raw: Uint8Array): Record<string, unknown> {
  const { subject, subjectAltNames, notBefore, notAfter, version, crlUris, ocspUris, keyUsage, extendedKeyUsage } =
    describeCertificate(raw)
  return {
    subject: sorted(subject),
    subjectAltNames,
    notBefore: notBefore.getTime() / 1000,
    notAfter: notAfter.getTime() / 1000,
    version,
    crlUris,
    ocspUris,
    keyUsage,
    extendedKeyUsage: extendedKeyUsage.map((name) => oidFromName(name)),
  }
}

/** The order of the attributes is not the original's to tell: it keeps them in a hash. */
function sorted(name: Readonly<Record<string, unknown>>): unknown {
  return Object.entries(name).sort(([a], [b]) => (a < b ? -1 : 1))
}

/** Perl's octets: UTF-8 where that is what they are, else one character each. */
function fromBytes(name: Readonly<Record<string, string | string[]>>): Record<string, unknown> {
  const text = (value: string): string => {
    const decoded = Buffer.from(value, 'latin1').toString('utf8')
    return decoded.includes('\ufffd') ? value : decoded
  }
  return Object.fromEntries(
    Object.entries(name).map(([key, value]) => [key, Array.isArray(value) ? value.map(text) : text(value)]),
  )
}
