import nodeFs from 'node:fs'
import { resolve } from 'node:path'
import nodeTls from 'node:tls'
import { CaStore } from './ca-store.ts'
import { type Environment, variable } from './environment.ts'
import { CaStoreError } from './errors.ts'
import { type FileSystem, isAbsent } from './file-system.ts'
import { hasAnchor } from './judge.ts'
import { openDirectories, openFile, requireAnchor } from './load.ts'
import { extraSource, nodeSources, systemSource, type TlsRoots } from './node-roots.ts'
import { splitPath } from './options.ts'
import { type Platform, type PlatformRow, platformSources } from './platforms.ts'
import type { JudgeRules } from './entry.ts'
import type { Source } from './source.ts'

/** The world that detection looks at; each part can be replaced. */
export interface DetectOptions {
  readonly fs: FileSystem
  readonly env: Environment
  /** As `process.platform`. */
  readonly platform: string
  readonly tls: TlsRoots
  /** Node's own command line, as `process.execArgv`. */
  readonly execArgv: readonly string[]
  /** What Node was compiled with, as `process.config.target_defaults.defines`. */
  readonly buildDefines: readonly unknown[]
  /** Milliseconds since 1970. */
  readonly now: () => number
}

interface Found {
  readonly sources: readonly Source[]
  readonly file?: string | undefined
  readonly path?: string | undefined
  readonly isNodeDefault: (() => boolean) | undefined
}

/**
 * The machine's CAs, from the first of these that has any: SSL_CERT_FILE and SSL_CERT_DIR, the platform's table, the operating
 * system's store, what Node trusts by itself. NODE_EXTRA_CA_CERTS is added to each.
 *
 * @throws CaStoreError ERR_CA_ENVIRONMENT where one of the two variables is set and unusable: going on would trust what the
 *   user did not ask for; ERR_CA_EMPTY where Node itself trusts none
 */
export function detectCaStore(world: Partial<DetectOptions> = {}): CaStore {
  const given = {
    fs: nodeFs,
    env: process.env,
    platform: process.platform,
    tls: nodeTls,
    execArgv: process.execArgv,
    buildDefines: process.config.target_defaults.defines,
    now: Date.now,
  }
  const options: DetectOptions = { ...given, ...world }
  const rules: JudgeRules = { now: options.now(), purpose: 'serverAuth' }
  const platform = platformSources(options.platform)
  const errors: CaStoreError[] = []
  const found =
    fromEnvironment(options, platform, rules, errors) ??
    fromRows(options, platform.rows, rules, errors) ??
    fromSystem(options, platform, rules) ??
    fromRows(options, platform.afterSystemStore, rules, errors) ??
    fromNode(options, rules, errors)
  const extra = extraSource(options, errors)
  return new CaStore({
    file: found.file,
    path: found.path,
    sources: extra === undefined ? found.sources : [...found.sources, extra],
    errors,
    rules,
    clock: options.now,
    isNodeDefault: found.isNodeDefault,
    rebuild: () => detectCaStore(world),
  })
}

function fromEnvironment(
  options: DetectOptions,
  platform: Platform,
  rules: JudgeRules,
  errors: CaStoreError[],
): Found | undefined {
  const file = variable(options.env, 'SSL_CERT_FILE')
  const path = variable(options.env, 'SSL_CERT_DIR')
  if (file === undefined && path === undefined) return undefined
  const sources: Source[] = []
  if (file !== undefined)
    sources.push(...required('SSL_CERT_FILE', rules, () => [openEnvironmentFile(options.fs, file)]))
  const directories = path === undefined ? [] : splitPath(path, platform.delimiter).map((part) => resolve(part))
  if (path !== undefined)
    sources.push(
      ...required('SSL_CERT_DIR', rules, () => {
        if (directories.length === 0) throw new CaStoreError('ERR_CA_PATH_UNREADABLE', 'names no directory')
        return openDirectories(options.fs, directories, 'environment', 'SSL_CERT_DIR', errors)
      }),
    )
  return {
    sources,
    file: file === undefined ? undefined : resolve(file),
    path: path === undefined ? undefined : directories.join(platform.delimiter),
    isNodeDefault: undefined,
  }
}

function openEnvironmentFile(fs: FileSystem, file: string): Source {
  if (file === '') throw new CaStoreError('ERR_CA_FILE_UNREADABLE', 'names no file')
  return openFile(fs, resolve(file), 'environment', 'SSL_CERT_FILE')
}

function required(variable: string, rules: JudgeRules, open: () => Source[]): Source[] {
  try {
    const sources = open()
    requireAnchor(sources, rules, [])
    return sources
  } catch (cause) {
    if (!(cause instanceof CaStoreError)) throw cause
    const place = { file: cause.file, index: cause.index, cause }
    throw new CaStoreError(
      'ERR_CA_ENVIRONMENT',
      `${variable} is set but unusable (${cause.message}); correct it or unset it`,
      place,
    )
  }
}

function fromRows(
  options: DetectOptions,
  rows: readonly PlatformRow[],
  rules: JudgeRules,
  errors: CaStoreError[],
): Found | undefined {
  for (const row of rows)
    try {
      const source = openRow(options.fs, row)
      requireAnchor([source], rules, [])
      return { sources: [source], [row.kind === 'file' ? 'file' : 'path']: row.path, isNodeDefault: undefined }
    } catch (error) {
      if (!(error instanceof CaStoreError)) throw error
      if (!isAbsent(error)) errors.push(error)
    }
  return undefined
}

function openRow(fs: FileSystem, { kind, path, systems }: PlatformRow): Source {
  if (kind === 'file') return openFile(fs, path, 'platform', systems)
  const [directory] = openDirectories(fs, [path], 'platform', systems, [])
  return directory as Source
}

function fromSystem(options: DetectOptions, platform: Platform, rules: JudgeRules): Found | undefined {
  const source = platform.hasSystemStore ? systemSource(options.tls) : undefined
  return source !== undefined && hasAnchor(source, rules) ? { sources: [source], isNodeDefault: undefined } : undefined
}

function fromNode(options: DetectOptions, rules: JudgeRules, errors: readonly CaStoreError[]): Found {
  const { sources, isNodeDefault } = nodeSources(options)
  requireAnchor(sources, rules, errors)
  return { sources, isNodeDefault }
}
