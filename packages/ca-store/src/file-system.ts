import nodeFs from 'node:fs'
import { CaStoreError } from './errors.ts'

/** What this package needs of `node:fs`; pass your own to read from elsewhere. */
export type FileSystem = Pick<typeof nodeFs, 'openSync' | 'fstatSync' | 'readSync' | 'closeSync' | 'opendirSync'>

/** 16 MiB: seventy times the largest bundle that a distribution ships. */
export const MAX_FILE_BYTES: number = 16 * 1024 * 1024
/** Names looked at in one directory before it is refused. */
export const MAX_DIRECTORY_NAMES = 100_000

// Opening a FIFO must not wait for a writer; regular files are unaffected. Undefined on Windows.
const OPEN_FLAGS = nodeFs.constants.O_RDONLY | (nodeFs.constants.O_NONBLOCK ?? 0)

/**
 * The content of a regular file of at most `limit` bytes, which is enforced while reading since a file can grow.
 * @throws CaStoreError ERR_CA_FILE_UNREADABLE (`cause` is Node's error), ERR_CA_TOO_LARGE
 */
export function readFile(fs: FileSystem, file: string, limit: number = MAX_FILE_BYTES): Buffer {
  try {
    const fd = fs.openSync(file, OPEN_FLAGS)
    try {
      return readDescriptor(fs, fd, file, limit)
    } finally {
      fs.closeSync(fd)
    }
  } catch (cause) {
    if (cause instanceof CaStoreError) throw cause
    throw new CaStoreError('ERR_CA_FILE_UNREADABLE', `cannot be read (${reason(cause)})`, { file, cause })
  }
}

function readDescriptor(fs: FileSystem, fd: number, file: string, limit: number): Buffer {
  const stat = fs.fstatSync(fd)
  if (!stat.isFile()) throw new CaStoreError('ERR_CA_FILE_UNREADABLE', 'is not a regular file', { file })
  if (stat.size > limit) throw tooLarge(file, limit)
  let bytes = Buffer.allocUnsafeSlow(stat.size + 1) // one more tells a file that has grown
  let length = 0
  for (;;) {
    const count = fs.readSync(fd, bytes, length, bytes.length - length, null)
    if (count === 0) return bytes.subarray(0, length)
    length += count
    if (length > limit) throw tooLarge(file, limit)
    if (length === bytes.length) bytes = Buffer.concat([bytes], Math.min(2 * length, limit + 1))
  }
}

function tooLarge(file: string, limit: number): CaStoreError {
  return new CaStoreError('ERR_CA_TOO_LARGE', `is larger than ${limit} bytes`, { file })
}

/**
 * The names in a directory that `wanted` picks.
 * @throws CaStoreError ERR_CA_PATH_UNREADABLE (`cause` is Node's error), ERR_CA_TOO_LARGE
 */
export function readDirectory(fs: FileSystem, path: string, wanted: (name: string) => boolean): string[] {
  const names: string[] = []
  try {
    const directory = fs.opendirSync(path, { bufferSize: 1024 })
    try {
      for (let seen = 0; ; seen++) {
        const entry = directory.readSync()
        if (entry === null) return names
        if (seen >= MAX_DIRECTORY_NAMES)
          throw new CaStoreError('ERR_CA_TOO_LARGE', `holds more than ${MAX_DIRECTORY_NAMES} names`, { file: path })
        if (wanted(entry.name) && !entry.isDirectory()) names.push(entry.name)
      }
    } finally {
      directory.closeSync()
    }
  } catch (cause) {
    if (cause instanceof CaStoreError) throw cause
    throw new CaStoreError('ERR_CA_PATH_UNREADABLE', `is not an accessible directory (${reason(cause)})`, {
      file: path,
      cause,
    })
  }
}

function reason(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
}

/** True where a source is simply not there, which a search does not report. */
export function isAbsent(error: CaStoreError): boolean {
  const { cause } = error
  return cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR')
}
