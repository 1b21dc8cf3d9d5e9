import { domainToASCII } from 'node:url'
import { invalidType, invalidValue } from '../errors.ts'
import type { Parse } from './parse.ts'
import type { HostOptions, HostsOption } from './server-types.ts'

const credentialKeys = ['cert', 'certFile', 'key', 'keyFile', 'pfx', 'passphrase'] as const
const anchorKeys = ['ca', 'caFile', 'caPath', 'caStore'] as const
const contextKeys = [
  ...credentialKeys,
  ...anchorKeys,
  'ciphers',
  'sigalgs',
  'ecdhCurve',
  'minVersion',
  'maxVersion',
  'secureOptions',
  'dhparam',
  'honorCipherOrder',
  'allowPartialTrustChain',
  'clientCaNames',
] as const
const hostKeys: readonly string[] = [
  ...contextKeys,
  'secureContext',
  'requestCert',
  'ALPNProtocols',
  'verify',
  'revocation',
  'crl',
  'rejectUnauthorized',
] satisfies readonly (keyof HostOptions)[]

/** What stands for one name: its options, and further certificates of it (RSA beside ECDSA). */
export interface HostRecord {
  readonly name: string
  readonly options: HostOptions
  readonly more: readonly HostOptions[]
}

/** Names and shapes; the options themselves are read with the server's, see `mergeHost`. */
export const hosts: Parse<readonly HostRecord[]> = (value, option) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalidType(option, 'an object')
  const found = new Map<string, HostRecord>()
  for (const [given, entry] of Object.entries(value as HostsOption)) {
    const name = hostPattern(given, option)
    if (found.has(name)) throw invalidValue(option, `has '${given}' twice`)
    found.set(name, { name, ...hostRecord(entry, `${option}['${given}']`) })
  }
  if (found.size === 0) throw invalidValue(option, 'must not be empty')
  return Object.freeze([...found.values()])
}

/** One entry's options and further certificates. */
export function hostRecord(entry: unknown, option: string): Omit<HostRecord, 'name'> {
  const list: readonly unknown[] = Array.isArray(entry) ? entry : [entry]
  const [options, ...more] = list.map((item, index) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) throw invalidType(option, 'an object')
    const known: readonly string[] = index === 0 ? hostKeys : credentialKeys
    const stranger = Object.keys(item).find((key) => !known.includes(key))
    if (stranger !== undefined)
      throw invalidValue(
        `${option}.${stranger}`,
        hostKeys.includes(stranger) ? 'belongs to the first certificate of a host' : 'does not apply to a host',
      )
    return item
  })
  if (options === undefined) throw invalidValue(option, 'must not be empty')
  return { options, more }
}

/** A host's options over the server's. Certificates, and CAs, are taken all together from where one of them is given. */
export function mergeHost(server: object, host: HostOptions): object {
  const merged: Record<string, unknown> = { ...server, hosts: undefined }
  const drop = (keys: readonly string[]): void => {
    for (const key of keys) delete merged[key]
  }
  const gives = (keys: readonly (keyof HostOptions)[]): boolean => keys.some((key) => host[key] !== undefined)
  if (gives(credentialKeys)) drop(credentialKeys)
  if (gives(anchorKeys)) drop(anchorKeys)
  if (host.secureContext !== undefined) drop(contextKeys)
  else if (gives(contextKeys)) drop(['secureContext'])
  return { ...merged, ...host }
}

/** `''`, a name, or a wildcard for one label; in lower case, as A-labels. */
function hostPattern(given: string, option: string): string {
  if (given === '') return ''
  const wildcard = given.startsWith('*.') ? '*.' : ''
  const name = domainToASCII(given.slice(wildcard.length).replace(/\.$/, ''))
  if (!/^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/.test(name))
    throw invalidValue(option, `has '${given.slice(0, 80)}', which is neither a name nor '*.' and a name`)
  return wildcard + name
}
