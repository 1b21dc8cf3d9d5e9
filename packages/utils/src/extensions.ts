import {
  boolean,
  contextTag,
  DerError,
  element,
  ia5String,
  integer,
  namedBits,
  octetString,
  oid,
  sequence,
} from '@x/der'
import { AccessMethod, ExtensionId } from '@x/der/x509'
import { encodeGeneralName, type GeneralName } from './general-names.ts'
import { refuseInherited, wrongType, wrongValue } from './misuse.ts'
import { oidElement, oidFromName } from './oids.ts'
import { CERT_TYPES, KEY_USAGES } from './purpose.ts'

/** Values of the extensions that can be given in a typed form, by short name. */
export interface ExtensionValues {
  subjectAltName: readonly GeneralName[]
  issuerAltName: readonly GeneralName[]
  basicConstraints: { readonly ca: boolean; readonly pathLength?: number | undefined }
  keyUsage: readonly string[]
  /** Names (`serverAuth`, `OCSPSigning` …) or OIDs. */
  extendedKeyUsage: readonly string[]
  nsCertType: readonly string[]
  nsComment: string
  /** The identifier's octets. */
  subjectKeyIdentifier: Uint8Array
  /** The key identifier's octets. */
  authorityKeyIdentifier: Uint8Array
  /** URLs. */
  authorityInfoAccess: { readonly ocsp?: readonly string[]; readonly caIssuers?: readonly string[] }
  /** URLs, one distribution point each. */
  crlDistributionPoints: readonly string[]
  /** URLs, one distribution point each. */
  freshestCRL: readonly string[]
  /** OIDs. */
  certificatePolicies: readonly string[]
  /** IP entries are ranges: `10.0.0.0/8`. */
  nameConstraints: { readonly permitted?: readonly GeneralName[]; readonly excluded?: readonly GeneralName[] }
  /** TLS extension numbers (RFC 7633); 5 is must-staple. */
  tlsfeature: readonly number[]
  /** id-pkix-ocsp-nocheck (RFC 6960 section 4.2.2.2.1): present, without content. */
  noCheck: null
}

/** Names of the extensions with a typed form. */
export type ExtensionName = keyof ExtensionValues

/** An extension with a typed value. */
export type TypedExtension = {
  [N in ExtensionName]: { readonly name: N; readonly critical?: boolean; readonly value: ExtensionValues[N] }
}[ExtensionName]

/** Any extension: `raw` is the DER inside its OCTET STRING. Named by OID, or by short or long name. */
export type RawExtension = {
  readonly critical?: boolean
  readonly raw: Uint8Array
  readonly text?: string | undefined
} & ({ readonly oid: string; readonly name?: string | undefined } | { readonly name: string })

/** An extension to be put into a certificate. */
export type ExtensionInput = TypedExtension | RawExtension

/** An extension ready to be written. */
export interface EncodedExtension {
  readonly oid: string
  readonly critical: boolean
  /** DER inside the OCTET STRING. */
  readonly raw: Uint8Array
  /** The whole Extension, where many certificates share it. */
  readonly written?: Uint8Array
}

/** Checks and encodes one extension. */
export function encodeExtension(input: ExtensionInput, option: string): EncodedExtension {
  if (typeof input !== 'object' || input === null) throw wrongType(option, 'an object', input)
  refuseInherited(input, `${option}.`, ['text', 'toJSON']) // of a description: its words for people, passed over
  for (const key of Object.keys(input))
    if (!['oid', 'name', 'critical', 'raw', 'value', 'text'].includes(key))
      throw wrongValue(`${option}.${key}`, 'is not known')
  const {
    oid: dotted,
    name,
    critical = false,
    raw,
    value,
  } = input as Partial<RawExtension & TypedExtension> & { oid?: string }
  const id: unknown = dotted ?? (typeof name === 'string' ? oidFromName(name) : undefined)
  if (typeof id !== 'string')
    throw wrongValue(`${option}.name`, `is '${String(name)}', which is no known extension: give its OID`)
  if (oidFromName(id) === undefined) throw wrongValue(`${option}.oid`, `is '${id}', which is no object identifier`)
  if (typeof critical !== 'boolean') throw wrongType(`${option}.critical`, 'a boolean', critical)
  if (raw !== undefined) {
    if (!(raw instanceof Uint8Array)) throw wrongType(`${option}.raw`, 'a Uint8Array of DER', raw)
    if (value !== undefined) throw wrongValue(`${option}.value`, 'must not stand beside raw')
    return { oid: id, critical, raw }
  }
  const encode = ENCODERS.get(id)
  if (encode === undefined) throw wrongValue(option, `needs raw DER: there is no typed form of ${name ?? id}`)
  return { oid: id, critical, raw: encode(value, `${option}.value`) }
}

/** An extension from its typed value, not critical unless told. */
export function typedExtension<N extends ExtensionName>(
  name: N,
  value: ExtensionValues[N],
  critical = false,
  option: string = name,
): EncodedExtension {
  return { oid: EXTENSION_OIDS[name], critical, raw: TYPED[name](value, option) }
}

/** The Extension structure (RFC 5280 section 4.1). */
export function writeExtension({ oid: id, critical, raw, written }: EncodedExtension): Uint8Array {
  if (written !== undefined) return written
  const type = oidElement(id)
  return critical ? sequence(type, boolean(true), octetString(raw)) : sequence(type, octetString(raw))
}

/** The same, written once for many certificates. */
export function shared(extension: EncodedExtension): EncodedExtension {
  return { ...extension, written: writeExtension(extension) }
}

/** OIDs of the extensions with a typed form. */
export const EXTENSION_OIDS: Readonly<Record<ExtensionName, string>> = {
  subjectKeyIdentifier: ExtensionId.SUBJECT_KEY_IDENTIFIER,
  keyUsage: ExtensionId.KEY_USAGE,
  subjectAltName: ExtensionId.SUBJECT_ALT_NAME,
  issuerAltName: ExtensionId.ISSUER_ALT_NAME,
  basicConstraints: ExtensionId.BASIC_CONSTRAINTS,
  nameConstraints: ExtensionId.NAME_CONSTRAINTS,
  crlDistributionPoints: ExtensionId.CRL_DISTRIBUTION_POINTS,
  certificatePolicies: ExtensionId.CERTIFICATE_POLICIES,
  authorityKeyIdentifier: ExtensionId.AUTHORITY_KEY_IDENTIFIER,
  extendedKeyUsage: ExtensionId.EXTENDED_KEY_USAGE,
  freshestCRL: ExtensionId.FRESHEST_CRL,
  authorityInfoAccess: ExtensionId.AUTHORITY_INFO_ACCESS,
  tlsfeature: ExtensionId.TLS_FEATURE,
  noCheck: ExtensionId.OCSP_NO_CHECK,
  nsCertType: ExtensionId.NETSCAPE_CERT_TYPE,
  nsComment: ExtensionId.NETSCAPE_COMMENT,
}

const TYPED: { readonly [N in ExtensionName]: (value: ExtensionValues[N], option: string) => Uint8Array } = {
  subjectAltName: generalNames,
  issuerAltName: generalNames,
  basicConstraints: ({ ca, pathLength }, option) => {
    if (typeof ca !== 'boolean') throw wrongType(`${option}.ca`, 'a boolean', ca)
    if (pathLength === undefined) return ca ? sequence(boolean(true)) : sequence()
    if (!Number.isInteger(pathLength) || pathLength < 0) throw wrongValue('pathLength', 'must be a whole number from 0')
    return ca ? sequence(boolean(true), integer(pathLength)) : sequence(integer(pathLength))
  },
  keyUsage: (names, option) => namedBits(bitNumbers(names, KEY_USAGES, option)),
  nsCertType: (names, option) => namedBits(bitNumbers(names, CERT_TYPES, option)),
  extendedKeyUsage: (names, option) => sequence(...list(names, option).map((name) => usageOid(name, option))),
  nsComment: (text) => ia5String(text),
  subjectKeyIdentifier: (id, option) => octetString(bytes(id, option)),
  authorityKeyIdentifier: (id, option) => sequence(element(contextTag(0), bytes(id, option))),
  authorityInfoAccess: ({ ocsp = [], caIssuers = [] }, option) =>
    sequence(
      ...list(ocsp, `${option}.ocsp`).map((url) => sequence(oid(AccessMethod.OCSP), uri(url, option))),
      ...list(caIssuers, `${option}.caIssuers`).map((url) => sequence(oid(AccessMethod.CA_ISSUERS), uri(url, option))),
    ),
  crlDistributionPoints: distributionPoints,
  freshestCRL: distributionPoints,
  certificatePolicies: (ids, option) => sequence(...list(ids, option).map((id) => sequence(oid(id)))),
  nameConstraints: ({ permitted, excluded }, option) =>
    sequence(
      ...[permitted, excluded].flatMap((names, i) =>
        names === undefined || names.length === 0 ? [] : [element(contextTag(i, true), ...subtrees(names, option))],
      ),
    ),
  tlsfeature: (numbers, option) => sequence(...list(numbers, option).map((number) => integer(number))),
  noCheck: () => Uint8Array.of(5, 0),
}

const ENCODERS = new Map<string, (value: unknown, option: string) => Uint8Array>(
  (Object.keys(TYPED) as ExtensionName[]).map((name) => {
    const encode = TYPED[name] as (value: unknown, option: string) => Uint8Array
    return [EXTENSION_OIDS[name], (value, option) => checked(encode, value, option, RECORDS.has(name))]
  }),
)

/** Extensions whose value is an object. */
const RECORDS: ReadonlySet<string> = new Set(['basicConstraints', 'authorityInfoAccess', 'nameConstraints'])

/** Wrong shapes of values end as a TypeError that names the option, whatever the encoder stumbled over. */
function checked(
  encode: (value: unknown, option: string) => Uint8Array,
  value: unknown,
  option: string,
  record: boolean,
): Uint8Array {
  if (value === undefined) throw wrongType(option, 'given, or raw DER instead', value)
  if (record) {
    if (typeof value !== 'object' || value === null) throw wrongType(option, 'an object', value)
    refuseInherited(value, `${option}.`)
  }
  try {
    return encode(value, option)
  } catch (error) {
    if (error instanceof DerError) throw wrongValue(option, `cannot be written: ${error.message}`)
    throw error
  }
}

function list<T>(values: readonly T[], option: string): readonly T[] {
  if (!Array.isArray(values)) throw wrongType(option, 'an array', values)
  return values
}

function bytes(value: Uint8Array, option: string): Uint8Array {
  if (!(value instanceof Uint8Array)) throw wrongType(option, 'a Uint8Array', value)
  return value
}

function generalNames(names: readonly GeneralName[], option: string): Uint8Array {
  return sequence(...list(names, option).map((name) => encodeGeneralName(name, option)))
}

function subtrees(names: readonly GeneralName[], option: string): Uint8Array[] {
  return list(names, option).map((name) => sequence(encodeGeneralName(name, option, true)))
}

/** DistributionPoint with a fullName and nothing else (RFC 5280 section 4.2.1.13). */
function distributionPoints(urls: readonly string[], option: string): Uint8Array {
  return sequence(
    ...list(urls, option).map((url) =>
      sequence(element(contextTag(0, true), element(contextTag(0, true), uri(url, option)))),
    ),
  )
}

function uri(url: string, option: string): Uint8Array {
  return encodeGeneralName(['URI', url], option)
}

function bitNumbers(names: readonly string[], known: readonly string[], option: string): number[] {
  return list(names, option).map((name: unknown) => {
    const bit = known.findIndex((one) => typeof name === 'string' && one.toLowerCase() === name.toLowerCase())
    if (bit < 0) throw wrongValue(option, `has '${String(name)}'; known are ${known.join(', ')}`)
    return bit
  })
}

function usageOid(name: unknown, option: string): Uint8Array {
  const id = typeof name === 'string' ? oidFromName(name) : undefined
  if (id === undefined) throw wrongValue(option, `has '${String(name)}', which is no known usage: give its OID`)
  return oidElement(id)
}
