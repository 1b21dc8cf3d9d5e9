import nodeFs from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import {
  bitString,
  contextTag,
  DerCursor,
  element,
  integer,
  nullElement,
  oid,
  sequence,
  setOf,
  time,
  utf8String,
} from '@x/der'
import { CertificateView } from '@x/der/x509'
import { type Authority, createAuthority } from '@x/utils'
import { onTestFinished } from 'vitest'
import { type DetectOptions, detectCaStore } from '../src/detect.ts'
import type { CaStore } from '../src/ca-store.ts'
import type { FileSystem } from '../src/file-system.ts'
import { nameHash } from '../src/index.ts'

const authorities = new Map<string, Authority>()

/** A root of this name, made once. */
export function root(name = 'Root'): Authority {
  let authority = authorities.get(name)
  if (authority === undefined) authorities.set(name, (authority = createAuthority(name)))
  return authority
}

const YEAR = 365 * 86_400_000
export const expired: Authority = createAuthority({
  subject: { commonName: 'Expired' },
  notBefore: Date.now() - 2 * YEAR,
  notAfter: Date.now() - YEAR,
})

/** A temporary folder, removed after the test. */
export function folder(files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const path = nodeFs.mkdtempSync(join(tmpdir(), 'x-ca-store-'))
  onTestFinished(() => nodeFs.rmSync(path, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) {
    nodeFs.mkdirSync(dirname(join(path, name)), { recursive: true })
    nodeFs.writeFileSync(join(path, name), content)
  }
  return path
}

/** Files as `openssl rehash` would name them. */
export function hashed(...pems: readonly string[]): Record<string, string> {
  const files: Record<string, string> = {}
  for (const pem of pems) {
    const cursor = new DerCursor(der(pem)) // trust settings may follow the certificate
    cursor.next()
    const hash = nameHash(new CertificateView(cursor.element()).subject)
    let n = 0
    while (`${hash}.${n}` in files) n++
    files[`${hash}.${n}`] = pem
  }
  return files
}

export function der(pem: string): Buffer {
  return Buffer.from(/-----BEGIN [^-]+-----([^-]+)/.exec(pem)?.[1] ?? '', 'base64')
}

export function pem(bytes: Uint8Array, label = 'CERTIFICATE'): string {
  return `-----BEGIN ${label}-----\n${Buffer.from(bytes).toString('base64').replace(/.{64}/g, '$&\n')}\n-----END ${label}-----\n`
}

export const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
export const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'
export const ANY_PURPOSE = '2.5.29.37.0'

/** A `TRUSTED CERTIFICATE` block with these settings. */
export function trusted(
  certificate: string,
  settings: { trust?: readonly string[]; reject?: readonly string[]; alias?: string },
): string {
  const { trust, reject, alias } = settings
  const aux = sequence(
    ...(trust === undefined ? [] : [sequence(...trust.map(oid))]),
    ...(reject === undefined ? [] : [element(contextTag(0, true), ...reject.map(oid))]),
    ...(alias === undefined ? [] : [utf8String(alias)]),
  )
  return pem(Buffer.concat([der(certificate), aux]), 'TRUSTED CERTIFICATE')
}

/** A Name of these attributes, each its own RDN. */
export function name(...values: readonly Uint8Array[]): Uint8Array {
  return sequence(...values.map((value) => setOf(sequence(oid('2.5.4.3'), value))))
}

/** A self-issued certificate of version 1, whose signature is nonsense. */
export function version1(
  subject: Uint8Array,
  issuer: Uint8Array = subject,
  spki: Uint8Array = new CertificateView(root().raw).spki,
): Uint8Array {
  const algorithm = sequence(oid('1.2.840.113549.1.1.11'), nullElement())
  const validity = sequence(time(Date.now() - YEAR), time(Date.now() + YEAR))
  const tbs = sequence(integer(1), algorithm, issuer, validity, subject, spki)
  return sequence(tbs, algorithm, bitString(new Uint8Array(64)))
}

/**
 * A file system in which these files stand, and nothing else: absolute paths of any platform are mapped into a temporary
 * folder, so that every platform's paths can be tried on the real thing.
 */
export function machine(
  files: Readonly<Record<string, string | Uint8Array>>,
): FileSystem & { readonly opened: string[] } {
  const inside = (path: unknown): string =>
    String(path)
      .replaceAll('\\', '/')
      .replace(/^[a-zA-Z]:/, '')
      .replace(/^\/+/, '')
  const base = folder(Object.fromEntries(Object.entries(files).map(([path, content]) => [inside(path), content])))
  const opened: string[] = []
  return {
    ...nodeFs,
    opened,
    openSync: (path, ...rest) => {
      opened.push(String(path))
      return nodeFs.openSync(join(base, inside(path)), ...rest)
    },
    opendirSync: (path, ...rest) => nodeFs.opendirSync(join(base, inside(path)), ...rest),
  }
}

export interface World extends Partial<Omit<DetectOptions, 'fs'>> {
  readonly files?: Readonly<Record<string, string | Uint8Array>>
}

/** Detects on a machine that holds only what the test names. */
export function detect({ files = {}, ...world }: World = {}): CaStore {
  const tls = { rootCertificates: [root('Bundled').cert] }
  return detectCaStore({
    fs: machine(files),
    env: {},
    platform: 'linux',
    execArgv: [],
    buildDefines: [],
    tls,
    ...world,
  })
}

export function subjects(store: CaStore): string[] {
  return store.certificates.map(({ subject }) => subject)
}

export function codes(store: CaStore): string[] {
  return store.errors.map(({ code }) => code)
}

/** What a function throws. */
export function thrown(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
  throw new TypeError('expected it to throw')
}
