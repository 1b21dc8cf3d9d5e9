import { DerError } from '@x/der'
import {
  AccessMethod,
  GeneralNameTag,
  readAuthorityInfoAccess,
  readDistributionPointUris,
  readExtendedKeyUsage,
  readKeyUsage,
  readSubjectAltName,
  uriText,
} from '@x/der/x509'
import { EXTENSION_OIDS } from './extensions.ts'
import { describeGeneralName, type GeneralName } from './general-names.ts'
import { oidNames } from './oids.ts'
import { KEY_USAGES } from './purpose.ts'

/** What the extensions say, for people; an empty list where there is no such extension. */
export interface ExtensionFields {
  readonly subjectAltNames: readonly GeneralName[]
  /** Names of the bits, in their order. */
  readonly keyUsage: readonly string[]
  /** Short names, or dotted OIDs where they have none. */
  readonly extendedKeyUsage: readonly string[]
  readonly crlUris: readonly string[]
  readonly ocspUris: readonly string[]
  /** Names of the fields that could not be read, and are empty therefore. */
  readonly problems: readonly string[]
}

/** An extension as far as its fields are concerned. */
export interface ExtensionContent {
  readonly oid: string
  readonly raw: Uint8Array
}

type Field = Exclude<keyof ExtensionFields, 'problems'>

const READERS: readonly [oid: string, field: Field, read: (raw: Uint8Array) => readonly unknown[]][] = [
  [EXTENSION_OIDS.subjectAltName, 'subjectAltNames', (raw) => readSubjectAltName(raw).map(describeGeneralName)],
  [EXTENSION_OIDS.keyUsage, 'keyUsage', keyUsageNames],
  [
    EXTENSION_OIDS.extendedKeyUsage,
    'extendedKeyUsage',
    (raw) => readExtendedKeyUsage(raw).map((id) => oidNames(id)?.short ?? id),
  ],
  [EXTENSION_OIDS.crlDistributionPoints, 'crlUris', readDistributionPointUris],
  [EXTENSION_OIDS.authorityInfoAccess, 'ocspUris', (raw) => accessUris(raw, AccessMethod.OCSP)],
]

/** The fields of the extensions, each from the first extension of its type. */
export function extensionFields(extensions: readonly ExtensionContent[]): ExtensionFields {
  const fields: Record<Field, readonly unknown[]> = {
    subjectAltNames: [],
    keyUsage: [],
    extendedKeyUsage: [],
    crlUris: [],
    ocspUris: [],
  }
  const problems: string[] = []
  for (const [oid, field, read] of READERS) {
    const extension = extensions.find((one) => one.oid === oid)
    if (extension === undefined) continue
    try {
      fields[field] = read(extension.raw)
    } catch (error) {
      if (!(error instanceof DerError)) throw error
      problems.push(field)
    }
  }
  return { ...(fields as unknown as Omit<ExtensionFields, 'problems'>), problems }
}

/** Names of the bits of a KeyUsage; bits without a name are passed over. A DerError where it is broken. */
export function keyUsageNames(raw: Uint8Array): string[] {
  const mask = readKeyUsage(raw)
  return KEY_USAGES.filter((_, bit) => mask & (1 << bit))
}

function accessUris(raw: Uint8Array, method: string): string[] {
  return readAuthorityInfoAccess(raw)
    .filter((one) => one.method === method && one.location.tag === GeneralNameTag.URI)
    .map((one) => uriText(one.location))
}
