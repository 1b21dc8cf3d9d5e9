import { isDeepStrictEqual } from 'node:util'
import type { CertificateOptions } from './certificate-options.ts'
import { extensionFields } from './extension-fields.ts'
import { type EncodedExtension, EXTENSION_OIDS, encodeExtension, shared, typedExtension } from './extensions.ts'
import { wrongType, wrongValue } from './misuse.ts'
import { oidFromName } from './oids.ts'
import { usagesOf } from './purpose.ts'

/** What the extensions depend on besides the options. */
export interface ExtensionContext {
  readonly emptySubject: boolean
  readonly subjectKeyIdentifier: EncodedExtension
  readonly authorityKeyIdentifier: EncodedExtension
}

/** The extensions of a new certificate, in order: what the options ask for, then `extensions`, without `omit`. */
export function extensionsFor(options: CertificateOptions, context: ExtensionContext): EncodedExtension[] {
  const { extensions = [], omit = [] } = options
  if (!Array.isArray(extensions)) throw wrongType('extensions', 'an array', extensions)
  if (!Array.isArray(omit)) throw wrongType('omit', 'an array', omit)
  const given = extensions.map((one, i) => encodeExtension(one, `extensions[${i}]`))
  const left = new Set(omit.map((name: string) => oidFromName(name) ?? unknownExtension(name)))
  const all =
    options.fingerprint === undefined
      ? beside(askedExtensions(options, context), given)
      : likeDescribed(options, given, context)
  return all.filter(({ oid }) => !left.has(oid))
}

function unknownExtension(name: string): never {
  throw wrongValue('omit', `has '${name}', which is no known extension: give its OID`)
}

/** What is in the list of extensions replaces what options and defaults would set. */
function beside(asked: readonly EncodedExtension[], given: readonly EncodedExtension[]): EncodedExtension[] {
  const replaced = new Set(given.map(({ oid }) => oid))
  return [...asked.filter(({ oid }) => !replaced.has(oid)), ...given]
}

/** Extensions from options and defaults, in the original's order. */
function askedExtensions(options: CertificateOptions, context: ExtensionContext): EncodedExtension[] {
  const { subjectAltNames = [], ocspUris = [], crlUris = [], mustStaple = false } = options
  if (typeof mustStaple !== 'boolean') throw wrongType('mustStaple', 'a boolean', mustStaple)
  const list: EncodedExtension[] = [context.subjectKeyIdentifier, context.authorityKeyIdentifier]
  // RFC 5280 section 4.2.1.6: critical where the subject is empty
  if (subjectAltNames.length > 0)
    list.push(typedExtension('subjectAltName', subjectAltNames, context.emptySubject, 'subjectAltNames'))
  list.push(...usageExtensions(options))
  if (ocspUris.length > 0) list.push(typedExtension('authorityInfoAccess', { ocsp: ocspUris }, false, 'ocspUris'))
  if (crlUris.length > 0) list.push(typedExtension('crlDistributionPoints', crlUris, false, 'crlUris'))
  if (mustStaple) list.push(typedExtension('tlsfeature', [5]))
  return list
}

const usageCache = new Map<string, readonly EncodedExtension[]>()
const USAGE_CACHE_SIZE = 64

/** basicConstraints, keyUsage, nsCertType and extKeyUsage; those of purposes in words are written once. */
function usageExtensions(options: CertificateOptions): readonly EncodedExtension[] {
  const { purpose, ca = false, pathLength } = options
  if (typeof ca !== 'boolean') throw wrongType('ca', 'a boolean', ca)
  const inWords = typeof purpose === 'string' || purpose === undefined
  if (!inWords || options.keyUsage !== undefined || options.extendedKeyUsage !== undefined || pathLength !== undefined)
    return makeUsageExtensions(options, ca)
  const id = `${ca} ${purpose}`
  const known = usageCache.get(id)
  if (known !== undefined) return known
  const made = makeUsageExtensions(options, ca).map(shared)
  if (usageCache.size < USAGE_CACHE_SIZE) usageCache.set(id, made)
  return made
}

function makeUsageExtensions(options: CertificateOptions, ca: boolean): EncodedExtension[] {
  const { pathLength } = options
  const usages = usagesOf(options.purpose, ca)
  if (pathLength !== undefined && !usages.ca) throw wrongValue('pathLength', 'is for CAs only')
  const keyUsage = options.keyUsage ?? [...usages.keyUsage]
  const extendedKeyUsage = options.extendedKeyUsage ?? [...usages.extendedKeyUsage].sort()
  const list = [typedExtension('basicConstraints', { ca: usages.ca, pathLength }, true)]
  if (keyUsage.length > 0) list.push(typedExtension('keyUsage', keyUsage, true))
  if (usages.certType.size > 0) list.push(typedExtension('nsCertType', [...usages.certType]))
  if (extendedKeyUsage.length > 0) list.push(typedExtension('extendedKeyUsage', extendedKeyUsage))
  return list
}

const OPTION_OF_OID: Readonly<
  Record<string, 'subjectAltNames' | 'keyUsage' | 'extendedKeyUsage' | 'ocspUris' | 'crlUris'>
> = {
  [EXTENSION_OIDS.subjectAltName]: 'subjectAltNames',
  [EXTENSION_OIDS.keyUsage]: 'keyUsage',
  [EXTENSION_OIDS.extendedKeyUsage]: 'extendedKeyUsage',
  [EXTENSION_OIDS.authorityInfoAccess]: 'ocspUris',
  [EXTENSION_OIDS.crlDistributionPoints]: 'crlUris',
}
const USAGE_OIDS: ReadonlySet<string> = new Set([
  EXTENSION_OIDS.basicConstraints,
  EXTENSION_OIDS.keyUsage,
  EXTENSION_OIDS.nsCertType,
  EXTENSION_OIDS.extendedKeyUsage,
])
const KEY_OIDS: ReadonlySet<string> = new Set([
  EXTENSION_OIDS.subjectKeyIdentifier,
  EXTENSION_OIDS.authorityKeyIdentifier,
])

/**
 * The extensions of a description, byte for byte and in their order, but for what identifies the keys. An option that
 * says something else than the description's own extension was changed by the caller, and wins.
 */
function likeDescribed(
  options: CertificateOptions,
  given: readonly EncodedExtension[],
  context: ExtensionContext,
): EncodedExtension[] {
  const described = extensionFields(given)
  const changes = Object.entries(OPTION_OF_OID).filter(
    ([, name]) => options[name] !== undefined && !isDeepStrictEqual(options[name], described[name]),
  )
  const changed = new Set(changes.map(([oid]) => oid))
  // what is as it was described is not encoded again: it may be what nobody would write
  const { subjectAltNames: _, keyUsage: __, extendedKeyUsage: ___, ocspUris: ____, crlUris: _____, ...rest } = options
  const changedOptions = Object.fromEntries(changes.map(([, name]) => [name, options[name]]))
  const asked = new Map(askedExtensions({ ...rest, ...changedOptions }, context).map((one) => [one.oid, one]))
  const repurposed = options.purpose !== undefined || options.ca !== undefined || options.pathLength !== undefined
  const isAsked = (oid: string): boolean => KEY_OIDS.has(oid) || changed.has(oid) || (repurposed && USAGE_OIDS.has(oid))
  const kept = given.flatMap((one) => {
    if (!isAsked(one.oid)) return [one]
    const replacement = asked.get(one.oid)
    asked.delete(one.oid)
    return replacement === undefined ? [] : [recritical(replacement, one.critical || replacement.critical)]
  })
  const has = new Set(kept.map(({ oid }) => oid))
  const added = [...asked.values()].filter(
    ({ oid }) => !has.has(oid) && !KEY_OIDS.has(oid) && (isAsked(oid) || oid === EXTENSION_OIDS.tlsfeature),
  )
  return [...kept, ...added]
}

function recritical({ oid, raw }: EncodedExtension, critical: boolean): EncodedExtension {
  return { oid, critical, raw }
}
