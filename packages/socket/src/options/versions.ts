import { constants } from 'node:crypto'
import type { SecureVersion } from 'node:tls'
import { invalidType, invalidValue, SecureSocketError } from '../errors.ts'

/** Options that say which protocol versions are allowed; to be spread into those of `connect` and its kin. */
export interface ProtocolVersions {
  readonly minVersion: SecureVersion
  readonly maxVersion: SecureVersion
  /** `SSL_OP_NO_TLSv1_1` and its like, where a version between the two is excluded. */
  readonly secureOptions?: number
}

interface Version {
  readonly name: SecureVersion
  /** Bars this version alone. */
  readonly bar: number
}

/** What Node can speak, oldest first. */
const versions: readonly Version[] = [
  { name: 'TLSv1', bar: constants.SSL_OP_NO_TLSv1 },
  { name: 'TLSv1.1', bar: constants.SSL_OP_NO_TLSv1_1 },
  { name: 'TLSv1.2', bar: constants.SSL_OP_NO_TLSv1_2 },
  { name: 'TLSv1.3', bar: constants.SSL_OP_NO_TLSv1_3 },
]

/** The original's spellings, in lower case. */
const words: ReadonlyMap<string, 'any' | 'never' | SecureVersion> = new Map([
  ['sslv23', 'any'],
  ['sslv2/3', 'any'],
  ['sslv2', 'never'],
  ['sslv3', 'never'],
  ['tlsv1', 'TLSv1'],
  ['tlsv1_1', 'TLSv1.1'],
  ['tlsv11', 'TLSv1.1'],
  ['tlsv1_2', 'TLSv1.2'],
  ['tlsv12', 'TLSv1.2'],
  ['tlsv1_3', 'TLSv1.3'],
  ['tlsv13', 'TLSv1.3'],
])

/**
 * The original's SSL_version as options of node:tls: `connect({host, port, ...protocolVersions('SSLv23:!TLSv1_1')})`.
 *
 * Parts are separated by `:`, without regard to case. One may name a version (`TLSv1_2`, also `TLSv12`): that one only; `SSLv23` or none: all that
 * Node can speak. `!version` takes one away. The text counts as it stands: `SSLv23:!SSLv3:!SSLv2`, a default of old, allows TLS 1.0, which OpenSSL
 * 3 then still refuses at its security level 1 and above (`ciphers: '…:@SECLEVEL=0'`). Leave it away for the default of this package, TLS 1.2 and newer.
 *
 * @throws SecureSocketError ERR_SECURE_SOCKET_UNSUPPORTED where it asks for SSLv2 or SSLv3 (see `features()`);
 *   TypeError ERR_INVALID_ARG_VALUE for an unknown word, two versions, or a text that leaves none.
 */
export function protocolVersions(text: string): ProtocolVersions {
  if (typeof text !== 'string') throw invalidType('version', 'a string')
  const allowed = new Set<SecureVersion>(versions.map(({ name }) => name))
  let sole: SecureVersion | 'any' | undefined
  for (const part of text.split(':')) {
    const word = part.trim()
    const not = word.startsWith('!')
    const meaning = words.get((not ? word.slice(1) : word).toLowerCase())
    if (meaning === undefined) throw invalidValue('version', `holds '${word.slice(0, 40)}', which is no version`)
    if (not) {
      if (meaning === 'any') throw invalidValue('version', `holds '${word}', which leaves nothing`)
      if (meaning !== 'never') allowed.delete(meaning)
      continue
    }
    if (meaning === 'never') throw unsupported(word)
    if (sole !== undefined && sole !== meaning) throw invalidValue('version', 'names several versions: only one can be')
    sole = meaning
  }
  const left = versions.filter(
    ({ name }) => allowed.has(name) && (sole === undefined || sole === 'any' || sole === name),
  )
  const [first] = left
  const last = left.at(-1)
  if (first === undefined || last === undefined) throw invalidValue('version', 'leaves no version')
  const between = versions.slice(versions.indexOf(first), versions.indexOf(last))
  const secureOptions = between.reduce((flags, version) => (left.includes(version) ? flags : flags | version.bar), 0)
  return { minVersion: first.name, maxVersion: last.name, ...(secureOptions === 0 ? {} : { secureOptions }) }
}

function unsupported(word: string): SecureSocketError {
  return new SecureSocketError('ERR_SECURE_SOCKET_UNSUPPORTED', `${word} is spoken by no version of Node`, {
    hint: 'features().protocols lists what there is',
  })
}
