import { inheritedKey } from '@x/der'
import nodeFs from 'node:fs'
import { delimiter, resolve } from 'node:path'
import { type CertificateInput, textOrBytes } from './certificate-input.ts'
import type { FileSystem } from './file-system.ts'
import { misuse } from './misuse.ts'
import type { TrustPurpose } from './trust-settings.ts'

/** What a program trusts; all that is given is added together, one at least must be. */
export interface LoadCaStoreOptions {
  /** One or many, each PEM (a bundle counts in full), DER, an X509Certificate or a peer certificate (SSL_ca). */
  readonly certificates?: CertificateInput | readonly CertificateInput[] | undefined
  /** A PEM bundle, or one certificate in DER; at most 16 MiB (SSL_ca_file). */
  readonly file?: string | undefined
  /**
   * Directories as `openssl rehash` makes them, one at least usable: a list, or a string in which the platform's separator
   * (`:`, on Windows `;`) stands between them (SSL_ca_path).
   */
  readonly path?: string | readonly string[] | undefined
  /**
   * Whose certificates the store is to judge: servers' (default `serverAuth`) or clients'. What a `TRUSTED CERTIFICATE` block
   * says for the other purpose is not looked at.
   */
  readonly purpose?: TrustPurpose | undefined
  /** Instead of node:fs. */
  readonly fs?: FileSystem | undefined
}

/** The options after `readOptions`: paths absolute, certificates copied, nothing left to check. */
export interface ParsedOptions {
  readonly certificates: readonly (string | Uint8Array)[] | undefined
  readonly file: string | undefined
  readonly directories: readonly string[]
  readonly purpose: TrustPurpose
  readonly fs: FileSystem
}

const known: ReadonlySet<string> = new Set([
  'certificates',
  'file',
  'path',
  'purpose',
  'fs',
] satisfies (keyof LoadCaStoreOptions)[])

/** @throws TypeError naming the option that is unknown, empty or of the wrong type */
export function readOptions(options: LoadCaStoreOptions): ParsedOptions {
  if (typeof options !== 'object' || options === null) throw misuse('ERR_INVALID_ARG_TYPE', 'options must be an object')
  refuseInherited(options)
  for (const name of Object.keys(options))
    if (!known.has(name)) throw misuse('ERR_INVALID_ARG_VALUE', `unknown option '${name}'`)
  const { certificates, file, path, purpose = 'serverAuth', fs = nodeFs } = options
  if (certificates === undefined && file === undefined && path === undefined)
    throw misuse('ERR_INVALID_ARG_VALUE', "one of the options 'certificates', 'file' and 'path' must be given")
  if (purpose !== 'serverAuth' && purpose !== 'clientAuth')
    throw misuse('ERR_INVALID_ARG_VALUE', "option 'purpose' must be 'serverAuth' or 'clientAuth'")
  if (typeof fs !== 'object' || fs === null || typeof fs.openSync !== 'function')
    throw misuse('ERR_INVALID_ARG_TYPE', "option 'fs' must be a file system like node:fs")
  return {
    certificates: certificates === undefined ? undefined : readInputs(certificates),
    file: file === undefined ? undefined : resolve(nonEmpty(file, 'file')),
    directories: path === undefined ? [] : readPath(path),
    purpose,
    fs,
  }
}

/** What an options object inherits would be passed over, and with it perhaps a restriction; what every object does is an attacker's. */
function refuseInherited(options: object): void {
  const inherited = inheritedKey(options)
  if (inherited !== undefined) throw misuse('ERR_INVALID_ARG_VALUE', `option '${inherited.key}' ${inherited.problem}`)
}

function readInputs(certificates: unknown): (string | Uint8Array)[] {
  const inputs: readonly unknown[] = Array.isArray(certificates) ? certificates : [certificates]
  return inputs.map((input) => {
    const bytes = textOrBytes(input, "option 'certificates'")
    return typeof bytes === 'string' ? bytes : Uint8Array.from(bytes)
  })
}

function readPath(path: unknown): string[] {
  const parts: readonly unknown[] = Array.isArray(path) ? path : splitPath(nonEmpty(path, 'path'))
  if (parts.length === 0) throw misuse('ERR_INVALID_ARG_VALUE', "option 'path' must name a directory")
  return parts.map((part) => resolve(nonEmpty(part, 'path')))
}

/** The directories of a list as OpenSSL reads it: empty ones are none, not the working directory. */
export function splitPath(path: string, separator: string = delimiter): string[] {
  return path.split(separator).filter((part) => part !== '')
}

function nonEmpty(value: unknown, option: string): string {
  if (typeof value !== 'string') throw misuse('ERR_INVALID_ARG_TYPE', `option '${option}' must be a string`)
  if (value === '' || value.includes('\0'))
    throw misuse('ERR_INVALID_ARG_VALUE', `option '${option}' must be a path, not '${value}'`)
  return value
}
