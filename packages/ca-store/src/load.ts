import { delimiter } from 'node:path'
import { CaStore } from './ca-store.ts'
import { CaStoreError } from './errors.ts'
import type { CaSource, Entry, JudgeRules } from './entry.ts'
import type { FileSystem } from './file-system.ts'
import { HashedDirectory } from './hashed-directory.ts'
import { hasAnchor, judge } from './judge.ts'
import { type LoadCaStoreOptions, readOptions } from './options.ts'
import { ListSource, parseCertificates, readCaFile, type Source } from './source.ts'

/**
 * A store of exactly what is given. Broken and repeated entries are left out and reported in `errors`; expired ones and ones
 * that are no CA stay, since a program may trust a leaf or an intermediate on purpose.
 *
 * @throws TypeError for an option that is unknown, empty or of the wrong type, and where no source is given
 * @throws CaStoreError the reason where a file or all directories of `path` are unusable; ERR_CA_EMPTY where no anchor remains
 */
export function loadCaStore(options: LoadCaStoreOptions): CaStore {
  const given = readOptions(options)
  const errors: CaStoreError[] = []
  const rules: JudgeRules = { now: Date.now(), purpose: given.purpose }
  const sources: Source[] = []
  if (given.certificates !== undefined) sources.push(new ListSource(readCertificates(given.certificates, errors)))
  if (given.file !== undefined) sources.push(openFile(given.fs, given.file, 'program', 'file'))
  if (given.directories.length > 0)
    sources.push(...openDirectories(given.fs, given.directories, 'program', 'path', errors))
  requireAnchor(sources, rules, errors)
  return new CaStore({
    file: given.file,
    path: given.directories.length > 0 ? given.directories.join(delimiter) : undefined,
    sources,
    errors,
    rules,
    clock: Date.now,
    isNodeDefault: undefined,
    rebuild: () =>
      loadCaStore({
        certificates: given.certificates,
        file: given.file,
        path: given.directories.length > 0 ? given.directories : undefined,
        purpose: given.purpose,
        fs: given.fs,
      }),
  })
}

/**
 * A PEM bundle as a source.
 * @throws CaStoreError where it cannot be read or holds no certificate
 */
export function openFile(fs: FileSystem, file: string, source: CaSource, by: string): Source {
  return new ListSource(readCaFile(fs, file, { source, by, file }))
}

/**
 * Those of the directories that are usable.
 * @throws CaStoreError the first one's reason where none is
 */
export function openDirectories(
  fs: FileSystem,
  directories: readonly string[],
  source: CaSource,
  by: string,
  errors: CaStoreError[],
): Source[] {
  const failures: CaStoreError[] = []
  const sources = directories.flatMap((directory) => {
    try {
      return new HashedDirectory(fs, directory, source, by)
    } catch (error) {
      if (!(error instanceof CaStoreError)) throw error
      failures.push(error)
      return []
    }
  })
  const [first] = failures
  if (sources.length === 0 && first !== undefined) throw first
  errors.push(...failures)
  return sources
}

/** @throws CaStoreError ERR_CA_EMPTY, its `cause` the first reason */
export function requireAnchor(sources: readonly Source[], rules: JudgeRules, errors: readonly CaStoreError[]): void {
  if (sources.some((source) => hasAnchor(source, rules))) return
  const entries = sources.flatMap((source) => [...source.batches()].flat())
  const reasons = [...errors, ...sources.flatMap((source) => source.errors), ...judge(entries, rules).skipped]
  const [cause] = reasons
  const message = `no usable CA certificate${cause === undefined ? '' : ` (${cause.message})`}`
  throw new CaStoreError('ERR_CA_EMPTY', message, { file: cause?.file, index: cause?.index, cause })
}

function readCertificates(inputs: readonly (string | Uint8Array)[], errors: CaStoreError[]): Entry[] {
  const list = { source: 'program', by: 'certificates', file: undefined } as const
  const entries: Entry[] = []
  for (const input of inputs)
    try {
      for (const entry of parseCertificates(input, list, true, entries.length)) entries.push(entry)
    } catch (error) {
      if (!(error instanceof CaStoreError)) throw error
      errors.push(error)
    }
  return entries
}
