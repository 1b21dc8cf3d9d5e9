import {
  openDer,
  decodeAscii,
  DerCursor,
  DerError,
  element,
  ia5String,
  printableString,
  readString,
  sequence,
  setOf,
  Tag,
  utf8String,
} from '@x/der'
import { readRdn, type NameAttribute } from '@x/der/x509'
import { wrongType, wrongValue } from './misuse.ts'
import { oidElement, oidFromName, oidNames } from './oids.ts'

/** A distinguished name by attribute, in order: `{ commonName: 'a', organizationalUnitName: ['b', 'c'] }`. */
export type NameRecord = Readonly<Record<string, string | readonly string[]>>

/**
 * A Name (DER, with its header) as a record: keys are OpenSSL's long names (`commonName`, `countryName`) or dotted OIDs, a
 * repeated attribute is an array. A value that is no readable string is shown as `#` and its hex (RFC 4514 section 2.4).
 * A DerError where the bytes are no Name.
 */
export function nameToRecord(name: Uint8Array): NameRecord {
  const record: Record<string, string | string[]> = {}
  for (const { oid: id, tag, value } of attributesOf(name)) {
    const key = oidNames(id)?.name ?? id
    const text = attributeText(tag, value)
    const before = record[key]
    if (before === undefined) record[key] = text
    else if (typeof before === 'string') record[key] = [before, text]
    else before.push(text)
  }
  return record
}

/** A Name on one line, for people: `CN=a, O=b + OU=c`, in the order of the certificate, escaped as RFC 4514 section 2.4 says. */
export function formatName(name: Uint8Array): string {
  let line = ''
  let last = 0
  for (const { oid: id, tag, value, rdn } of attributesOf(name)) {
    if (line !== '') line += rdn === last ? ' + ' : ', '
    last = rdn
    line += `${oidNames(id)?.short ?? id}=${escapeValue(attributeText(tag, value))}`
  }
  return line
}

/**
 * A Name as DER from a record (keys: long or short names, or dotted OIDs), or DER as it is. Each value is its own RDN.
 * Country, serialNumber and dnQualifier are PrintableString, e-mail address and domainComponent IA5String, all else
 * UTF8String (RFC 5280 appendix A.1). Lengths are not limited.
 */
export function encodeName(name: NameRecord | Uint8Array, option: string): Uint8Array {
  if (name instanceof Uint8Array) return name
  if (typeof name !== 'object' || name === null || Array.isArray(name))
    throw wrongType(option, 'an object of attributes, or DER', name)
  const rdns: Uint8Array[] = []
  for (const [key, values] of Object.entries(name)) {
    const id = oidFromName(key)
    if (id === undefined) throw wrongValue(`${option}.${key}`, 'is not a known attribute: give its OID')
    const list: readonly unknown[] = Array.isArray(values) ? values : [values]
    for (const value of list) {
      if (typeof value !== 'string') throw wrongType(`${option}.${key}`, 'a string or an array of strings', value)
      rdns.push(setOf(sequence(oidElement(id), encodeValue(id, value))))
    }
  }
  return sequence(...rdns)
}

const PRINTABLE = new Set(['2.5.4.6', '2.5.4.5', '2.5.4.46', '1.3.6.1.4.1.311.60.2.1.3'])
const IA5 = new Set(['1.2.840.113549.1.9.1', '0.9.2342.19200300.100.1.25'])

/** Falls back to UTF8String where the proper type cannot hold the text. */
function encodeValue(id: string, text: string): Uint8Array {
  try {
    if (PRINTABLE.has(id)) return printableString(text)
    if (IA5.has(id)) return ia5String(text)
  } catch (error) {
    if (!(error instanceof DerError)) throw error
  }
  return utf8String(text)
}

/** The attributes of a Name in order. A RelativeDistinguishedName without any, which RFC 5280 forbids and some have, is passed over. */
function attributesOf(name: Uint8Array): NameAttribute[] {
  const rdns = openDer(name)
  const attributes: NameAttribute[] = []
  for (let rdn = 0; !rdns.done; rdn++) {
    const set = rdns.enterExpected(Tag.SET)
    if (!set.done) attributes.push(...readRdn(set, rdn))
  }
  return attributes
}

function attributeText(tag: number, value: Uint8Array): string {
  if (tag === Tag.UTF8_STRING || tag === Tag.PRINTABLE_STRING || tag === Tag.IA5_STRING) {
    const text = decodeAscii(value) // nearly every value, and many times faster than a TextDecoder
    if (text !== undefined) return text
  }
  const der = element(tag, value)
  const cursor = new DerCursor(der)
  cursor.next()
  try {
    return readString(cursor)
  } catch (error) {
    if (!(error instanceof DerError)) throw error
    // T.61's habit of Latin-1 in strings that should be ASCII is common; nothing else is guessed
    if (tag === Tag.IA5_STRING || tag === Tag.PRINTABLE_STRING) return Buffer.from(value).toString('latin1')
    return `#${Buffer.from(der).toString('hex')}`
  }
}

function escapeValue(text: string): string {
  return text
    .replace(/[",+;<>\\]/g, '\\$&')
    .replace(/^[ #]| $/g, '\\$&')
    .replace(/[\u0000-\u001f\u007f]/g, (c) => `\\${c.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`)
}
