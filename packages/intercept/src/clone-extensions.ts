import { boolean, namedBits, octetString, oid, openDer, readOid, sequence, Tag } from '@x/der'
import {
  type CertificateView,
  expectGeneralName,
  ExtensionId,
  type ExtensionView,
  KeyPurposeId,
  KeyUsage,
  readKeyUsage,
  sameBytes,
} from '@x/der/x509'
import { InterceptError } from './errors.ts'

/** A clone is never a CA (RFC 5280 section 4.2.1.9), whatever the origin is. */
const NO_CA = sequence(oid(ExtensionId.BASIC_CONSTRAINTS), boolean(true), octetString(sequence()))

/**
 * The extensions, DER, that a clone takes over: alternative names of every type as they stand, usages without those that only a CA
 * has, and, under `mirrorInvalidity`, critical ones that nobody here knows, since a client must refuse those. All else is what the
 * origin's CA says about its certificate, and is not ours to repeat. Of an extension that comes twice, the first counts.
 *
 * @throws DerError for malformed names or usages
 * @throws InterceptError ERR_INTERCEPT_NOT_CLONABLE
 */
export function cloneExtensions(view: CertificateView, mirrorInvalidity: boolean): Uint8Array[] {
  const taken: Uint8Array[] = [NO_CA]
  const seen = new Set<string>()
  for (const extension of view.extensions()) {
    if (seen.has(extension.oid)) continue
    seen.add(extension.oid)
    const copy = COPIED.get(extension.oid) ?? (mirrorInvalidity && extension.critical ? copyUnknown : drop)
    const copied = copy(extension, mirrorInvalidity)
    if (copied !== undefined) taken.push(copied)
  }
  return taken
}

type Copy = (extension: ExtensionView, mirrorInvalidity: boolean) => Uint8Array | undefined

/** Extensions of RFC 5280 and others that speak of the origin's CA, its logs, its responders or its own key. */
const CA_ONLY = [
  ExtensionId.SUBJECT_DIRECTORY_ATTRIBUTES,
  ExtensionId.SUBJECT_KEY_IDENTIFIER, // the clone has its own
  ExtensionId.PRIVATE_KEY_USAGE_PERIOD,
  ExtensionId.ISSUER_ALT_NAME,
  ExtensionId.BASIC_CONSTRAINTS, // NO_CA
  ExtensionId.NAME_CONSTRAINTS,
  ExtensionId.CRL_DISTRIBUTION_POINTS,
  ExtensionId.CERTIFICATE_POLICIES,
  ExtensionId.POLICY_MAPPINGS,
  ExtensionId.AUTHORITY_KEY_IDENTIFIER, // the clone has its own
  ExtensionId.POLICY_CONSTRAINTS,
  ExtensionId.FRESHEST_CRL,
  ExtensionId.INHIBIT_ANY_POLICY,
  ExtensionId.AUTHORITY_INFO_ACCESS,
  ExtensionId.QC_STATEMENTS,
  ExtensionId.SUBJECT_INFO_ACCESS,
  ExtensionId.TLS_FEATURE, // must-staple
  ExtensionId.OCSP_NO_CHECK,
  ExtensionId.SCT_LIST,
] as const

const drop: Copy = () => undefined

const COPIED: ReadonlyMap<string, Copy> = new Map<string, Copy>([
  ...CA_ONLY.map((type): [string, Copy] => [type, drop]),
  [ExtensionId.KEY_USAGE, copyKeyUsage],
  [ExtensionId.SUBJECT_ALT_NAME, copyAlternativeNames],
  [ExtensionId.EXTENDED_KEY_USAGE, copyExtendedKeyUsage],
  [ExtensionId.NETSCAPE_CERT_TYPE, copyCertType],
])

function copyUnknown({ element }: ExtensionView): Uint8Array {
  return element
}

function rewritten({ oid: type, critical }: ExtensionView, value: Uint8Array): Uint8Array {
  return critical ? sequence(oid(type), boolean(true), octetString(value)) : sequence(oid(type), octetString(value))
}

/** Octet by octet, but only if they are names: clients disagree about broken lists. */
function copyAlternativeNames(extension: ExtensionView): Uint8Array {
  const names = openDer(extension.value)
  while (!names.done) expectGeneralName(names)
  return copyUnknown(extension)
}

/**
 * Without the bits of a CA. Where no other bit is left, the origin's key cannot serve TLS, and neither may the clone's (RFC 5280 section
 * 4.2.1.3 forbids an empty list): nonRepudiation says so, or, where invalidity is not mirrored, digitalSignature hides it.
 */
function copyKeyUsage(extension: ExtensionView, mirrorInvalidity: boolean): Uint8Array {
  const mask = readKeyUsage(extension.value)
  const bits = mask & ~(KeyUsage.KEY_CERT_SIGN | KeyUsage.CRL_SIGN)
  if (bits === mask && mask !== 0) return copyUnknown(extension)
  const rest = bits !== 0 ? bits : mirrorInvalidity ? KeyUsage.NON_REPUDIATION : KeyUsage.DIGITAL_SIGNATURE
  return rewritten(extension, namedBits(numbersOf(rest)))
}

const OCSP_SIGNING = oid(KeyPurposeId.OCSP_SIGNING)

/** Without the right to answer OCSP for the CA that issued it: that CA is now ours (RFC 6960 section 4.2.2.2). */
function copyExtendedKeyUsage(extension: ExtensionView): Uint8Array {
  const purposes = openDer(extension.value)
  const others: Uint8Array[] = []
  let found = false
  do {
    readOid(purposes.expect(Tag.OID))
    const purpose = purposes.element()
    if (sameBytes(purpose, OCSP_SIGNING)) found = true
    else others.push(purpose)
  } while (!purposes.done)
  if (!found) return copyUnknown(extension)
  if (others.length === 0)
    throw new InterceptError('ERR_INTERCEPT_NOT_CLONABLE', 'the certificate may sign OCSP responses and nothing else')
  return rewritten(extension, sequence(...others))
}

/** Netscape's types: client, server, e-mail, object signing and one reserved; bits 5 to 7 make a CA. */
function copyCertType(extension: ExtensionView): Uint8Array | undefined {
  const mask = readKeyUsage(extension.value)
  const bits = mask & 0x1f
  if (bits === mask && mask !== 0) return copyUnknown(extension)
  return bits === 0 ? undefined : rewritten(extension, namedBits(numbersOf(bits)))
}

function numbersOf(mask: number): number[] {
  return Array.from({ length: 24 }, (_, n) => n).filter((n) => mask & (1 << n))
}
