import { contextTag, DerCursor, readOid, Tag } from '@x/der'
import { KeyPurposeId } from '@x/der/x509'

/** What the store is to judge: servers' certificates or clients'. Only `TRUSTED CERTIFICATE` blocks tell the two apart. */
export type TrustPurpose = 'serverAuth' | 'clientAuth'

/** OpenSSL's trust settings of one certificate: the OIDs it is trusted for (undefined: no such list) and rejected for. */
export interface TrustSettings {
  readonly trusted: readonly string[] | undefined
  readonly rejected: readonly string[]
}

/**
 * Reads X509_CERT_AUX: `SEQUENCE { trust SEQUENCE OF OID OPTIONAL, reject [0] SEQUENCE OF OID OPTIONAL, … }`,
 * what follows the certificate in a `TRUSTED CERTIFICATE` block (OpenSSL's crypto/x509/x_x509a.c).
 * @throws DerError
 */
export function readTrustSettings(aux: Uint8Array): TrustSettings {
  if (aux.length === 0) return { trusted: undefined, rejected: [] }
  const outer = new DerCursor(aux)
  const fields = outer.enterExpected(Tag.SEQUENCE)
  outer.finish()
  const trusted = fields.optional(Tag.SEQUENCE) ? readOids(fields.enter()) : undefined
  const rejected = fields.optional(REJECT) ? readOids(fields.enter()) : []
  fields.optional(Tag.UTF8_STRING) // alias
  fields.optional(Tag.OCTET_STRING) // key identifier
  fields.optional(OTHER)
  fields.finish()
  return { trusted, rejected }
}

const REJECT = contextTag(0, true)
const OTHER = contextTag(1, true)

function readOids(list: DerCursor): string[] {
  const oids: string[] = []
  while (!list.done) oids.push(readOid(list.expect(Tag.OID)))
  return oids
}

const purposes: Readonly<Record<TrustPurpose, string>> = {
  serverAuth: KeyPurposeId.SERVER_AUTH,
  clientAuth: KeyPurposeId.CLIENT_AUTH,
}

/**
 * Whether the settings allow an anchor for this purpose, as X509_check_trust decides: it must not be rejected for it, nor for
 * any, and where there is a list of what it is trusted for, that must hold the purpose or any.
 */
export function isTrustedFor(settings: TrustSettings, purpose: TrustPurpose): boolean {
  const { trusted, rejected } = settings
  const concerns = (oid: string): boolean => oid === purposes[purpose] || oid === KeyPurposeId.ANY
  return !rejected.some(concerns) && (trusted === undefined || trusted.some(concerns))
}
