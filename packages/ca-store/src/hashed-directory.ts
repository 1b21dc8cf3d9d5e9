import { join } from 'node:path'
import { CaStoreError } from './errors.ts'
import type { CaSource, Entry } from './entry.ts'
import { type FileSystem, readDirectory } from './file-system.ts'
import { readCaFile, type Source } from './source.ts'

/** Bytes read from one directory in all. */
export const MAX_DIRECTORY_BYTES: number = 64 * 1024 * 1024

/**
 * A directory as `openssl rehash` lays it out: `hash.N` holds the certificates with that subject hash (X509_LOOKUP_hash_dir).
 * The names are fixed when it is opened; a file is read at the first question about its subject, once.
 */
export class HashedDirectory implements Source {
  readonly errors: CaStoreError[] = []
  /** Its files are read one by one: nobody knows. */
  readonly mayDistrust = true
  readonly #fs: FileSystem
  readonly #path: string
  readonly #source: CaSource
  readonly #by: string
  readonly #names = new Map<string, string[]>()
  readonly #read = new Map<string, readonly Entry[]>()
  #bytesLeft = MAX_DIRECTORY_BYTES

  /**
   * @throws CaStoreError ERR_CA_PATH_UNREADABLE, ERR_CA_TOO_LARGE, or ERR_CA_PATH_NOT_HASHED where no file is named by the
   *   hash of the certificate in it (the hash of OpenSSL 0.9.8, which Android still uses, is another one)
   */
  constructor(fs: FileSystem, path: string, source: CaSource, by: string) {
    this.#fs = fs
    this.#path = path
    this.#source = source
    this.#by = by
    for (const name of readDirectory(fs, path, isHashedName).sort(byNumber)) {
      const hash = name.slice(0, 8)
      const same = this.#names.get(hash)
      if (same === undefined) this.#names.set(hash, [name])
      else same.push(name)
    }
    for (const hash of this.#names.keys()) if (this.#lookUp(hash).some((entry) => entry.isWhereItBelongs)) return
    throw new CaStoreError(
      'ERR_CA_PATH_NOT_HASHED',
      'holds no certificate under its subject hash (see openssl rehash)',
      {
        file: path,
      },
    )
  }

  *batches(): Iterable<readonly Entry[]> {
    for (const hash of this.#names.keys()) yield this.#lookUp(hash)
  }

  bySubject(key: string, hash: () => string): readonly Entry[] {
    return this.#lookUp(hash()).filter((entry) => entry.subjectKey === key)
  }

  #lookUp(hash: string): readonly Entry[] {
    const names = this.#names.get(hash)
    if (names === undefined) return [] // not kept: strangers may ask for as many names as they like
    let entries = this.#read.get(hash)
    if (entries === undefined) {
      entries = names.flatMap((name) => this.#readFile(name, hash))
      this.#read.set(hash, entries)
    }
    return entries
  }

  #readFile(name: string, hash: string): Entry[] {
    const file = join(this.#path, name)
    try {
      const list = { source: this.#source, by: this.#by, file, hash }
      return readCaFile(this.#fs, file, list, this.#bytesLeft, (count) => {
        this.#bytesLeft -= count
      })
    } catch (error) {
      if (!(error instanceof CaStoreError)) throw error
      this.errors.push(error)
      return []
    }
  }
}

/** `hash.N`; `hash.rN` is a CRL. */
function isHashedName(name: string): boolean {
  return /^[0-9a-f]{8}\.(0|[1-9][0-9]{0,5})$/.test(name)
}

function byNumber(a: string, b: string): number {
  const hashes = a.slice(0, 8) < b.slice(0, 8) ? -1 : a.slice(0, 8) > b.slice(0, 8) ? 1 : 0
  return hashes || Number(a.slice(9)) - Number(b.slice(9))
}
