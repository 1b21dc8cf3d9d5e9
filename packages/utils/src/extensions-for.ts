import type { CertificateOptions } from './certificate-options.ts'
import { type EncodedExtension, encodeExtension, EXTENSION_OIDS, typedExtension } from './extensions.ts'
import { wrongType, wrongValue } from './misuse.ts'
import { oidFromName } from './oids.ts'
import { usagesOf } from './purpose.ts'

/** What the extensions depend on besides the options. */
export interface ExtensionContext {
  readonly emptySubject: boolean
  /** subjectKeyIdentifier. */
  readonly identifier: Uint8Array
  /** authorityKeyIdentifier. */
  readonly issuerIdentifier: Uint8Array
}

/** The extensions of a new certificate, in order: what the options ask for, then `extensions`, without `omit`. */
export function extensionsFor(options: CertificateOptions, context: ExtensionContext): EncodedExtension[] {
  const { extensions = [], omit = [] } = options
  if (!Array.isArray(extensions)) throw wrongType('extensions', 'an array', extensions)
  if (!Array.isArray(omit)) throw wrongType('omit', 'an array', omit)
  const given = extensions.map((one, i) => encodeExtension(one, `extensions[${i}]`))
  const asked = askedExtensions(options, context)
  const left = new Set(omit.map((name: string) => oidFromName(name) ?? unknownExtension(name)))
  const all = options.fingerprint === undefined ? besides(asked, given) : likeDescribed(asked, given, options)
  return all.filter(({ oid }) => !left.has(oid))
}

function unknownExtension(name: string): never {
  throw wrongValue('omit', `has '${name}', which is no known extension: give its OID`)
}

/** What is in the list of extensions replaces what options and defaults would set. */
function besides(asked: readonly EncodedExtension[], given: readonly EncodedExtension[]): EncodedExtension[] {
  const replaced = new Set(given.map(({ oid }) => oid))
  return [...asked.filter(({ oid }) => !replaced.has(oid)), ...given]
}

function likeDescribed(
  asked: readonly EncodedExtension[],
  given: readonly EncodedExtension[],
  _options: CertificateOptions,
): EncodedExtension[] {
  return besides(asked, given)
}

/** Extensions from options and defaults, in the original's order. */
function askedExtensions(options: CertificateOptions, context: ExtensionContext): EncodedExtension[] {
  const { subjectAltNames = [], ca = false, pathLength, ocspUris = [], crlUris = [] } = options
  if (typeof ca !== 'boolean') throw wrongType('ca', 'a boolean', ca)
  const usages = usagesOf(options.purpose, ca)
  if (pathLength !== undefined && !usages.ca) throw wrongValue('pathLength', 'is for CAs only')
  const keyUsage = options.keyUsage ?? [...usages.keyUsage]
  const extendedKeyUsage = options.extendedKeyUsage ?? [...usages.extendedKeyUsage]
  const list: EncodedExtension[] = [
    typedExtension('subjectKeyIdentifier', context.identifier),
    typedExtension('authorityKeyIdentifier', context.issuerIdentifier),
  ]
  // RFC 5280 section 4.2.1.6: critical where the subject is empty
  if (subjectAltNames.length > 0) list.push(typedExtension('subjectAltName', subjectAltNames, context.emptySubject))
  list.push(typedExtension('basicConstraints', { ca: usages.ca, pathLength }, true))
  if (keyUsage.length > 0) list.push(typedExtension('keyUsage', keyUsage, true))
  if (usages.certType.size > 0) list.push(typedExtension('nsCertType', [...usages.certType]))
  if (extendedKeyUsage.length > 0) list.push(typedExtension('extendedKeyUsage', extendedKeyUsage))
  if (ocspUris.length > 0) list.push(typedExtension('authorityInfoAccess', { ocsp: ocspUris }))
  if (crlUris.length > 0) list.push(typedExtension('crlDistributionPoints', crlUris))
  if (options.mustStaple === true) list.push(typedExtension('tlsfeature', [5]))
  return list
}

export { EXTENSION_OIDS }
