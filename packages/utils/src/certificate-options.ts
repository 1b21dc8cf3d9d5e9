import type { KeyObject } from 'node:crypto'
import type { CertificateInput } from './certificate-input.ts'
import type { NameRecord } from './distinguished-name.ts'
import type { ExtensionInput } from './extensions.ts'
import type { GeneralName } from './general-names.ts'
import type { KeyKind } from './generate-key.ts'
import type { PrivateKeyInput } from './private-keys.ts'
import type { Purpose } from './purpose.ts'

/** Who signs. */
export interface Issuer {
  readonly certificate: CertificateInput
  readonly privateKey: PrivateKeyInput
}

/** What `createCertificate` can be told. All of it is optional. */
export interface CertificateOptions {
  /** A record of attributes, or a Name as DER; `{}` is the empty name. Default: the first DNS name or IP address as commonName. */
  readonly subject?: NameRecord | Uint8Array
  readonly subjectAltNames?: readonly GeneralName[]
  /** Date or milliseconds since 1970; fractions of seconds are cut. Default: a minute ago, since clocks differ. */
  readonly notBefore?: Date | number
  /** Date or milliseconds since 1970. Default: 365 days after notBefore. */
  readonly notAfter?: Date | number
  /** A positive integer of at most 20 octets; a string is hex. Default: 16 random octets. */
  readonly serial?: bigint | number | string | Uint8Array
  /** A certificate authority: the original's `CA => 1`. Default false. */
  readonly ca?: boolean
  /** How many CAs may follow below this one. Default: unlimited. */
  readonly pathLength?: number
  /** Default: server and client, or for a CA `CA sslCA emailCA objCA`. */
  readonly purpose?: Purpose
  /** Replaces what the purpose sets; an empty list leaves the extension out. */
  readonly keyUsage?: readonly string[]
  /** Names (`serverAuth`, `OCSPSigning` …) or OIDs. Replaces what the purpose sets; an empty list leaves the extension out. */
  readonly extendedKeyUsage?: readonly string[]
  /** OCSP responders, for the authority information access. */
  readonly ocspUris?: readonly string[]
  /** CRL distribution points. */
  readonly crlUris?: readonly string[]
  /** Sets the TLS feature status_request (RFC 7633). */
  readonly mustStaple?: boolean
  /** Further extensions. Each replaces what would be set otherwise by the same OID. */
  readonly extensions?: readonly ExtensionInput[]
  /** Names or OIDs of extensions that are left out although they would be set. */
  readonly omit?: readonly string[]
  /** The subject's key, or the kind of key to make, as `generateKeySync` takes it (`'rsa'`, `{ type: 'ec', curve: 'P-384' }`). Default: a new P-256 key. */
  readonly privateKey?: PrivateKeyInput | KeyKind
  /** Instead of privateKey, where only the public key is at hand; needs an issuer. */
  readonly publicKey?: KeyObject
  /** Default: the certificate signs itself. A name, as descriptions have it, is ignored. */
  readonly issuer?: Issuer | NameRecord
  /** Digest of the signature. Default: sha256; for P-384 sha384, for P-521 sha512; none for EdDSA. */
  readonly digest?: string
  /** How RSA keys sign. Default 'pkcs1'. */
  readonly padding?: 'pkcs1' | 'pss'
  /** 3, and nothing else. */
  readonly version?: number
  /** The clock for notBefore's default, in milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number
  /** Part of descriptions, ignored here. */
  readonly signatureAlgorithm?: string
  /** Part of descriptions, ignored here, but it tells that these options are one: their list of extensions is complete. */
  readonly fingerprint?: string
  /** Part of descriptions, ignored here. */
  readonly digests?: unknown
  /** Part of descriptions, ignored here. */
  readonly problems?: readonly string[]
}

/** Names of all options. */
export const CERTIFICATE_OPTIONS: ReadonlySet<string> = new Set(
  Object.keys({
    subject: 1,
    subjectAltNames: 1,
    notBefore: 1,
    notAfter: 1,
    serial: 1,
    ca: 1,
    pathLength: 1,
    purpose: 1,
    keyUsage: 1,
    extendedKeyUsage: 1,
    ocspUris: 1,
    crlUris: 1,
    mustStaple: 1,
    extensions: 1,
    omit: 1,
    privateKey: 1,
    publicKey: 1,
    issuer: 1,
    digest: 1,
    padding: 1,
    version: 1,
    now: 1,
    signatureAlgorithm: 1,
    fingerprint: 1,
    digests: 1,
    problems: 1,
  } satisfies { [K in keyof Required<CertificateOptions>]: 1 }),
)
