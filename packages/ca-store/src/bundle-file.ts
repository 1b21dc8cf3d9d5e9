import nodeFs from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { CaStore } from './ca-store.ts'
import { CaStoreError } from './errors.ts'

/** What decides where a bundle is written. */
export interface BundleFileOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly home: () => string
  /** The user's id; undefined on Windows. */
  readonly uid: number | undefined
}

/**
 * A file that holds exactly what the store trusts, for programs that take one: the store's own where that is all there is, else
 * one in the user's cache directory, named by its content, mode 0600 in a directory of mode 0700.
 *
 * @throws CaStoreError ERR_CA_CACHE_UNWRITABLE where it cannot be written, or others could write there too
 */
export function bundleFile(store: CaStore, options: Partial<BundleFileOptions> = {}): string {
  const { env = process.env, home = homedir, uid = process.getuid?.() } = options
  if (store.file !== undefined && isExactly(store, store.file)) return store.file
  const directory = join(env['XDG_CACHE_HOME'] || join(home(), '.cache'), 'x-ca-store')
  const file = join(directory, `${store.digest}.pem`)
  const pem = store.toPem()
  try {
    nodeFs.mkdirSync(directory, { recursive: true, mode: 0o700 })
    const stat = nodeFs.lstatSync(directory)
    const isOurs = stat.isDirectory() && (uid === undefined || (stat.uid === uid && (stat.mode & 0o022) === 0))
    if (!isOurs)
      throw new CaStoreError('ERR_CA_CACHE_UNWRITABLE', 'is not a directory that only you can write to', {
        file: directory,
      })
    const temporary = `${file}.${process.pid}`
    nodeFs.rmSync(temporary, { force: true })
    nodeFs.writeFileSync(temporary, pem, { mode: 0o600, flag: 'wx' })
    nodeFs.renameSync(temporary, file)
  } catch (cause) {
    if (cause instanceof CaStoreError) throw cause
    throw new CaStoreError('ERR_CA_CACHE_UNWRITABLE', 'cannot be written; use --pem and a file of your own', {
      file,
      cause,
    })
  }
  return file
}

/** Whether another program that reads the file trusts the same: all of it is from there, and nothing was left out but what is void anyway. */
function isExactly(store: CaStore, file: string): boolean {
  if (!store.raw.every((der) => store.origin(der)?.file === file)) return false
  return store.errors.every(
    ({ code, file: at }) => at !== file || code === 'ERR_CA_EXPIRED' || code === 'ERR_CA_DUPLICATE',
  )
}
