import { join } from 'node:path'
import { nameHash } from './canonical-name.ts'
import type { Crl } from './crl.ts'
import { CrlError } from './errors.ts'
import { MAX_CRL_BYTES, parseCrls } from './parse-crl.ts'

/** What is needed of node:fs/promises. */
export interface CrlFileSystem {
  readFile(path: string): Promise<Uint8Array>
  stat(path: string, options: { readonly bigint: true }): Promise<FileFacts>
}

interface FileFacts {
  readonly size: bigint
  readonly ino: bigint
  readonly mtimeNs: bigint
}

interface KnownFile {
  readonly version: string
  readonly crls: readonly Crl[]
  readonly error: CrlError | undefined
}

/** How many lists of one name are looked for in a hashed directory. */
const MAX_OF_A_NAME = 64

/** Lists in files, read again when a file changes (inode, size, time of modification). */
export class CrlFiles {
  readonly #fs: CrlFileSystem
  readonly #known = new Map<string, KnownFile>()
  readonly #reading = new Map<string, Promise<KnownFile | undefined>>()

  constructor(fs: CrlFileSystem) {
    this.#fs = fs
  }

  /** Every list of a file, PEM bundle or DER. What is wrong goes to `errors`; the lists read last are then kept. */
  async ofFile(path: string, errors: CrlError[]): Promise<readonly Crl[]> {
    const file = await this.#read(path)
    if (file === undefined) errors.push(fileError(path, 'does not exist'))
    else if (file.error !== undefined) errors.push(file.error)
    return file?.crls ?? []
  }

  /**
   * The lists of these issuers in a directory with hashed names (`openssl rehash`: `hash.r0`, `hash.r1` …), by the
   * canonical form of their names. The file's name only says where to look: what counts is who issued the list.
   */
  async ofFolder(folder: string, issuers: Iterable<string>, errors: CrlError[]): Promise<Crl[]> {
    const crls: Crl[] = []
    for (const hash of new Set([...issuers].map(nameHash)))
      for (let n = 0; n < MAX_OF_A_NAME; n++) {
        const file = await this.#read(join(folder, `${hash}.r${n}`))
        if (file === undefined) break
        if (file.error !== undefined) errors.push(file.error)
        crls.push(...file.crls)
      }
    return crls
  }

  /** Undefined where there is no such file. Questions at the same time share one reading. */
  #read(path: string): Promise<KnownFile | undefined> {
    const running = this.#reading.get(path)
    if (running !== undefined) return running
    const started = this.#load(path).finally(() => this.#reading.delete(path))
    this.#reading.set(path, started)
    return started
  }

  async #load(path: string): Promise<KnownFile | undefined> {
    const known = this.#known.get(path)
    try {
      const { size, ino, mtimeNs } = await this.#fs.stat(path, { bigint: true })
      const version = `${ino} ${size} ${mtimeNs}`
      if (known?.version === version) return known
      const loaded = await this.#parse(path, size, version, known)
      this.#known.set(path, loaded)
      return loaded
    } catch (cause) {
      if (known !== undefined) return { ...known, error: fileError(path, 'cannot be read', cause) }
      if (isMissing(cause)) return undefined
      return { version: '', crls: [], error: fileError(path, 'cannot be read', cause) }
    }
  }

  async #parse(path: string, size: bigint, version: string, known: KnownFile | undefined): Promise<KnownFile> {
    try {
      if (size > BigInt(MAX_CRL_BYTES)) throw new CrlError('ERR_CRL_TOO_LARGE', `${size} bytes`)
      return { version, crls: parseCrls(await this.#fs.readFile(path)), error: undefined }
    } catch (cause) {
      if (!(cause instanceof CrlError)) throw cause
      const error = new CrlError(cause.code, `${path}: ${cause.message}`, { cause, source: path })
      return { version, crls: known?.crls ?? [], error }
    }
  }
}

function fileError(path: string, problem: string, cause?: unknown): CrlError {
  return new CrlError('ERR_CRL_FILE_READ', `the list's file ${path} ${problem}`, { cause, source: path })
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}
