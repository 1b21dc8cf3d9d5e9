import { refuseInherited, wrongType, wrongValue } from './misuse.ts'

/**
 * What a certificate is for, in the original's words: `'server,client'`, `'+server -keyEncipherment'`, an array of such
 * words, or a record `{ server: true, keyEncipherment: false }`. Case is ignored.
 */
export type Purpose = string | readonly string[] | Readonly<Record<string, boolean | number | string>>

/** The extensions that a purpose amounts to. */
export interface Usages {
  ca: boolean
  readonly keyUsage: Set<string>
  readonly extendedKeyUsage: Set<string>
  readonly certType: Set<string>
}

/** Bits of KeyUsage (RFC 5280 section 4.2.1.3), in order. */
export const KEY_USAGES = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const

/** Bits of Netscape's certificate type, in order; bit 4 is reserved. */
export const CERT_TYPES = ['client', 'server', 'email', 'objsign', 'reserved', 'sslCA', 'emailCA', 'objCA'] as const

interface Row {
  readonly ca?: true
  readonly ku?: readonly string[]
  readonly eku?: string
  readonly type?: string
}

const BOTH = ['digitalSignature', 'keyEncipherment']
const CA: Row = { ca: true, ku: ['digitalSignature', 'keyCertSign'] }
const EMAIL: Row = { ku: BOTH, eku: 'emailProtection', type: 'email' }
const CODE: Row = { ku: BOTH, eku: 'codeSigning', type: 'objsign' }

/** One row per purpose, as the original's CERT_create has them; the last one is ours. */
const ROWS = new Map<string, Row>([
  ['client', { ku: BOTH, eku: 'clientAuth', type: 'client' }],
  ['server', { ku: BOTH, eku: 'serverAuth', type: 'server' }],
  ['email', EMAIL],
  ['objsign', CODE],
  ['ca', CA],
  ['sslca', { ...CA, type: 'sslCA' }],
  ['emailca', { ...CA, type: 'emailCA' }],
  ['objca', { ...CA, type: 'objCA' }],
  ['emailprotection', EMAIL],
  ['codesigning', CODE],
  ['timestamping', { eku: 'timeStamping' }],
  ...KEY_USAGES.map((name): [string, Row] => [name.toLowerCase(), { ku: [name] }]),
  ['clientauth', { eku: 'clientAuth' }],
  ['serverauth', { eku: 'serverAuth' }],
  ['ocspsigning', { ku: ['digitalSignature'], eku: 'OCSPSigning' }],
])

/**
 * The usages of a purpose. Without one: server and client; for a CA, CA sslCA emailCA objCA unless the purpose takes
 * one away. What a purpose with `-` would set is removed at the end, whoever set it.
 */
export function usagesOf(purpose: Purpose | undefined, ca: boolean): Usages {
  const wanted = parsePurpose(purpose)
  if (ca) for (const name of ['ca', 'sslca', 'emailca', 'objca']) if (!wanted.has(name)) wanted.set(name, true)
  if (wanted.size === 0) wanted.set('server', true).set('client', true)
  const usages: Usages = { ca: false, keyUsage: new Set(), extendedKeyUsage: new Set(), certType: new Set() }
  const byVerdict = [...wanted].sort(([, a], [, b]) => Number(b) - Number(a))
  for (const [name, on] of byVerdict) {
    const row = ROWS.get(name)
    if (row === undefined) throw wrongValue('purpose', `has '${name}', which is not a purpose`)
    const change = <T>(set: Set<T>, value: T): unknown => (on ? set.add(value) : set.delete(value))
    if (row.ca) usages.ca = on
    for (const usage of row.ku ?? []) change(usages.keyUsage, usage)
    if (row.eku !== undefined) change(usages.extendedKeyUsage, row.eku)
    if (row.type !== undefined) change(usages.certType, row.type)
  }
  return usages
}

function parsePurpose(purpose: Purpose | undefined): Map<string, boolean> {
  const wanted = new Map<string, boolean>()
  if (purpose === undefined) return wanted
  if (typeof purpose !== 'string' && !Array.isArray(purpose)) {
    if (typeof purpose !== 'object' || purpose === null)
      throw wrongType('purpose', 'a string, an array or an object', purpose)
    refuseInherited(purpose, 'purpose.')
    for (const [name, on] of Object.entries(purpose))
      wanted.set(name.toLowerCase(), Boolean(on) && on !== '-' && on !== '0')
    return wanted
  }
  const words: readonly unknown[] =
    typeof purpose === 'string' ? (purpose.match(/[+-]?[^\s,;+-]+|[+-]/g) ?? []) : purpose
  for (const word of words) {
    const parts = typeof word === 'string' ? /^([+-]?)(\w+)$/.exec(word) : null
    if (parts === null) throw wrongValue('purpose', `has '${String(word)}', which is not a purpose`)
    wanted.set((parts[2] as string).toLowerCase(), parts[1] !== '-')
  }
  return wanted
}
