import { CaStoreError } from './errors.ts'
import { Entry, type EntryList } from './entry.ts'
import { type FileSystem, MAX_FILE_BYTES, readFile } from './file-system.ts'
import { findCertificateBlocks, MAX_CERTIFICATES } from './pem.ts'

/** Entries that a store is made of. */
export interface Source {
  /** All of it, entries of one subject together; a directory is read as the iteration goes. */
  batches(): Iterable<readonly Entry[]>
  /** The entries that may have this subject; `hash` answers the subject hash. */
  bySubject(key: string, hash: () => string): readonly Entry[]
  /** False: no entry has trust settings, so that nobody is distrusted by them. */
  readonly mayDistrust: boolean
  /** What could not be read, so far. */
  readonly errors: readonly CaStoreError[]
}

/** A file or a list: its blocks are found at once, and decoded for the first question about a subject. */
export class ListSource implements Source {
  readonly errors: readonly CaStoreError[] = []
  readonly mayDistrust: boolean
  readonly #entries: readonly Entry[]
  #index: Map<string, Entry[]> | undefined

  constructor(entries: readonly Entry[]) {
    this.#entries = entries
    this.mayDistrust = entries.some((entry) => entry.hasSettings)
  }

  batches(): Iterable<readonly Entry[]> {
    return [this.#entries]
  }

  bySubject(key: string): readonly Entry[] {
    if (this.#index === undefined) {
      this.#index = new Map()
      for (const entry of this.#entries) {
        const subject = entry.subjectKey
        if (subject === undefined) continue
        const same = this.#index.get(subject)
        if (same === undefined) this.#index.set(subject, [entry])
        else same.push(entry)
      }
    }
    return this.#index.get(key) ?? []
  }
}

/**
 * The entries of a PEM file. A single certificate in DER counts where a program named the file; OpenSSL's own paths hold PEM.
 * @throws CaStoreError ERR_CA_FILE_UNREADABLE, ERR_CA_TOO_LARGE, ERR_CA_NOT_PEM
 */
export function readCaFile(
  fs: FileSystem,
  file: string,
  list: EntryList,
  limit: number = MAX_FILE_BYTES,
  onRead: (bytes: number) => void = () => undefined,
): Entry[] {
  const bytes = readFile(fs, file, Math.min(limit, MAX_FILE_BYTES))
  onRead(bytes.length)
  return parseCertificates(bytes, list, list.source === 'program')
}

/**
 * The entries of one PEM text or, with `derToo`, of one certificate in DER.
 * @throws CaStoreError ERR_CA_NOT_PEM, ERR_CA_TOO_LARGE
 */
export function parseCertificates(input: string | Uint8Array, list: EntryList, derToo = true, firstIndex = 0): Entry[] {
  if (derToo && typeof input !== 'string' && input[0] === 0x30)
    return [new Entry(list, firstIndex, Uint8Array.from(input))]
  const bytes =
    typeof input === 'string' ? Buffer.from(input) : Buffer.from(input.buffer, input.byteOffset, input.length)
  const blocks = findCertificateBlocks(bytes)
  const file = list.file ?? list.by
  if (blocks.length === 0) throw new CaStoreError('ERR_CA_NOT_PEM', 'holds no certificate in PEM', { file })
  if (blocks.length > MAX_CERTIFICATES)
    throw new CaStoreError('ERR_CA_TOO_LARGE', `holds more than ${MAX_CERTIFICATES} certificates`, { file })
  return blocks.map((block, i) => new Entry(list, firstIndex + i, block))
}

/** The entries of a list of PEM texts, as node:tls has them; texts without a certificate are left out. */
export function parsePemList(texts: readonly string[], list: EntryList): Entry[] {
  const entries: Entry[] = []
  for (const text of texts)
    for (const block of findCertificateBlocks(Buffer.from(text))) entries.push(new Entry(list, entries.length, block))
  return entries
}
