import { randomBytes } from 'node:crypto'
import { open, rename, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** What `writeAtomically` needs of the file system: `node:fs/promises` has it. */
export interface WritableFileSystem {
  open(path: string, flags: string, mode: number): Promise<WritableFile>
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
}

/** An open file. */
export interface WritableFile {
  writeFile(data: string): Promise<void>
  sync(): Promise<void>
  close(): Promise<void>
}

/** Node's own file system. */
export const nodeFileSystem: WritableFileSystem = { open, rename, unlink }

/**
 * Writes a file so that at any moment either the old or the whole new one is there: to a new file of that mode in the same
 * directory, synced, then renamed. The mode is that of the new file whatever the old one had. A symbolic link is replaced.
 * Errors of the file system pass through as they are, and then the old file is untouched.
 */
export async function writeAtomically(
  path: string,
  data: string,
  mode: number,
  fs: WritableFileSystem = nodeFileSystem,
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path).slice(0, 64)}.${randomBytes(8).toString('hex')}.tmp`)
  const file = await fs.open(temporary, 'wx', mode)
  try {
    try {
      await file.writeFile(data)
      await file.sync()
    } finally {
      await file.close()
    }
    await fs.rename(temporary, path)
  } catch (error) {
    await fs.unlink(temporary).catch(() => undefined)
    throw error
  }
}
