import { resolve } from 'node:path'
import { type Environment, variable } from './environment.ts'
import { CaStoreError } from './errors.ts'
import type { CaSource } from './entry.ts'
import type { FileSystem } from './file-system.ts'
import { openFile } from './load.ts'
import { ListSource, parsePemList, type Source } from './source.ts'

/** What this package needs of `node:tls`; `getCACertificates` is there from Node 22.15 on. */
export interface TlsRoots {
  readonly rootCertificates: readonly string[]
  readonly getCACertificates?: (type: 'default' | 'system' | 'extra') => readonly string[]
}

interface NodeWorld {
  readonly tls: TlsRoots
  readonly fs: FileSystem
  readonly env: Environment
  readonly execArgv: readonly string[]
  readonly buildDefines: readonly unknown[]
}

/** The operating system's store as node:tls reads it; undefined where this Node cannot, or finds nothing. */
export function systemSource(tls: TlsRoots): Source | undefined {
  const texts = tls.getCACertificates?.('system') ?? []
  return texts.length === 0 ? undefined : list(texts, 'system', "tls.getCACertificates('system')")
}

/**
 * What Node trusts without a `ca` option. With `getCACertificates` this follows --use-system-ca, --use-openssl-ca and
 * tls.setDefaultCACertificates(), which may mean nothing at all; without it, the Mozilla roots that Node bundles.
 */
export function nodeSources({ tls, env, execArgv, buildDefines }: NodeWorld): {
  sources: Source[]
  isNodeDefault: () => boolean
} {
  const bundled = list(tls.rootCertificates, 'node', 'tls.rootCertificates')
  if (tls.getCACertificates === undefined) {
    const isAsked = [...execArgv, variable(env, 'NODE_OPTIONS') ?? ''].some((text) =>
      /--use[-_]openssl[-_]ca\b/.test(text),
    )
    const usesOpenSsl = isAsked || buildDefines.includes('NODE_OPENSSL_CERT_STORE') // configure --openssl-use-def-ca-store
    const extra = variable(env, 'NODE_EXTRA_CA_CERTS') // Node reads it when it starts: what it holds now may be something else
    return { sources: [bundled], isNodeDefault: () => !usesOpenSsl && !extra }
  }
  const { getCACertificates } = tls
  const texts = getCACertificates('default')
  const known = new Set(tls.rootCertificates)
  const extra = new Set(getCACertificates('extra'))
  const own = texts.filter((text) => known.has(text))
  const others = texts.filter((text) => !known.has(text) && !extra.has(text))
  const sources = [list(own, 'node', 'tls.rootCertificates'), list(others, 'node', "tls.getCACertificates('default')")]
  // Under --use-openssl-ca Node trusts more than it lists, and lists none of its own.
  const holdsBundled = new Set(own).size === known.size
  return { sources, isNodeDefault: () => holdsBundled && getCACertificates('default') === texts }
}

/**
 * NODE_EXTRA_CA_CERTS as Node took it, or where this Node does not tell, as the file reads now. One that cannot be read is
 * reported and passed over, as Node does.
 */
export function extraSource({ tls, env, fs }: NodeWorld, errors: CaStoreError[]): Source | undefined {
  const file = variable(env, 'NODE_EXTRA_CA_CERTS') || undefined
  const by = 'NODE_EXTRA_CA_CERTS'
  if (tls.getCACertificates !== undefined) {
    const texts = tls.getCACertificates('extra')
    return texts.length === 0 ? undefined : list(texts, 'extra', by, file)
  }
  if (file === undefined) return undefined
  try {
    return openFile(fs, resolve(file), 'extra', by)
  } catch (error) {
    if (!(error instanceof CaStoreError)) throw error
    errors.push(error)
    return undefined
  }
}

function list(texts: readonly string[], source: CaSource, by: string, file?: string): Source {
  return new ListSource(parsePemList(texts, { source, by, file }))
}
