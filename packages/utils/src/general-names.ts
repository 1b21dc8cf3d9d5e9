import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import { asciiBytes, contextTag, decodeOid, DerError, element, oid } from '@x/der'
import { type GeneralNameView } from '@x/der/x509'
import { encodeName, type NameRecord, nameToRecord } from './distinguished-name.ts'
import { bytesOfIp, bytesOfIpRange, ipOfBytes } from './ip-address.ts'
import { wrongType, wrongValue } from './misuse.ts'

/**
 * A GeneralName (RFC 5280 section 4.2.1.6) as `[type, value]`, in the original's words. OTHERNAME, X400 and EDIPARTY are
 * the content of their element as DER; a DIRNAME is a record of attributes, or DER.
 */
export type GeneralName =
  | readonly [type: 'DNS' | 'IP' | 'EMAIL' | 'URI' | 'RID', value: string]
  | readonly [type: 'DIRNAME', value: NameRecord | Uint8Array]
  | readonly [type: 'OTHERNAME' | 'X400' | 'EDIPARTY', value: Uint8Array]

/** The types, at their tag numbers. */
export const GENERAL_NAME_TYPES = [
  'OTHERNAME',
  'EMAIL',
  'DNS',
  'X400',
  'DIRNAME',
  'EDIPARTY',
  'URI',
  'IP',
  'RID',
] as const

/** The type of a bare name: an IP address, a URI (`scheme://`), an e-mail address (`@`), else a DNS name. */
export function guessGeneralName(name: string): GeneralName {
  if (typeof name !== 'string' || name === '') throw wrongType('names', 'a non-empty string or an array of them', name)
  if (isIP(name) !== 0) return ['IP', name]
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(name)) return ['URI', name]
  return name.includes('@') ? ['EMAIL', name] : ['DNS', name]
}

/**
 * One GeneralName as DER. DNS names beyond ASCII become A-labels. IP takes an address, or where `ranges` is set
 * (name constraints) an address with its prefix length or mask, `10.0.0.0/8`.
 */
export function encodeGeneralName(name: GeneralName, option: string, ranges = false): Uint8Array {
  if (!Array.isArray(name) || name.length !== 2) throw wrongType(option, 'an array of [type, value]', name)
  const [type, value] = name as GeneralName
  switch (type) {
    case 'DNS':
      return ascii(2, dnsName(value, option), option)
    case 'EMAIL':
      return ascii(1, value, option)
    case 'URI':
      return ascii(6, value, option)
    case 'IP': {
      const bytes = typeof value !== 'string' ? undefined : ranges ? bytesOfIpRange(value) : bytesOfIp(value)
      if (bytes === undefined) throw wrongValue(option, `has '${shown(value)}' where an IP address is expected`)
      return element(contextTag(7), bytes)
    }
    case 'RID':
      return element(contextTag(8), oid(value).subarray(2))
    case 'DIRNAME':
      return element(contextTag(4, true), encodeName(value, option))
    case 'OTHERNAME':
    case 'X400':
    case 'EDIPARTY': {
      if (!(value instanceof Uint8Array)) throw wrongType(option, `DER as a Uint8Array for ${type}`, value)
      return element(contextTag(GENERAL_NAME_TYPES.indexOf(type), true), value)
    }
    default:
      throw wrongValue(option, `has the type '${shown(type)}'; known are ${GENERAL_NAME_TYPES.join(', ')}`)
  }
}

function shown(value: unknown): string {
  return String(value).slice(0, 80)
}

/**
 * What is ASCII stays as it is. The rest is converted label by label, and each must become an A-label: of a whole name the conversion
 * drops characters (zero width, soft hyphens, what follows a slash) and makes dots of others, which gives another name.
 */
function dnsName(value: string, option: string): string {
  if (typeof value !== 'string' || !/[^\u0000-\u007f]/.test(value)) return value
  const labels = value.split('.').map((label) => {
    if (/^[\w*-]*$/.test(label)) return label
    const converted = /^[\w\u0080-\uffff-]+$/.test(label) ? domainToASCII(label) : ''
    if (!/^xn--[a-z0-9-]+$/.test(converted)) throw wrongValue(option, 'has a name that cannot be written as A-labels')
    return converted
  })
  return labels.join('.')
}

/** Control characters are refused: a name that ends at its NUL for some readers is an attack, not a name. */
function ascii(tag: number, value: string, option: string): Uint8Array {
  if (typeof value !== 'string') throw wrongType(option, 'made of strings', value)
  if (/[\u0000-\u001f\u007f]/.test(value)) throw wrongValue(option, 'has a name with a control character')
  try {
    return element(contextTag(tag), asciiBytes(value))
  } catch (error) {
    if (!(error instanceof DerError)) throw error
    throw wrongValue(option, 'has a name beyond ASCII')
  }
}

/**
 * A GeneralName for people: text as Latin-1 where it is not ASCII, and IP values of impossible lengths as `#` and their hex.
 * A DerError where a name or an OID inside is broken.
 */
export function describeGeneralName({ tag, value }: GeneralNameView): GeneralName {
  const type = GENERAL_NAME_TYPES[tag & 0x1f] as GeneralName[0]
  if (type === 'DNS' || type === 'EMAIL' || type === 'URI') return [type, latin1(value)]
  if (type === 'IP') return [type, ipOfBytes(value) ?? rangeText(value) ?? `#${Buffer.from(value).toString('hex')}`]
  if (type === 'RID') return [type, decodeOid(value)]
  return type === 'DIRNAME' ? [type, nameToRecord(value)] : [type, value]
}

/** One line of `type:value`. */
export function formatGeneralName([type, value]: GeneralName): string {
  if (typeof value === 'string') return `${type}:${value}`
  if (value instanceof Uint8Array) return `${type}:#${Buffer.from(value).toString('hex')}`
  return `${type}:${Object.entries(value)
    .flatMap(([key, values]) => [values].flat().map((one) => `${key}=${one}`))
    .join(', ')}`
}

function rangeText(value: Uint8Array): string | undefined {
  if (value.length !== 8 && value.length !== 32) return undefined
  return `${ipOfBytes(value.subarray(0, value.length / 2))}/${ipOfBytes(value.subarray(value.length / 2))}`
}

function latin1(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1')
}
