import { type FSWatcher, watch } from 'node:fs'
import { dirname } from 'node:path'
import { fileKey } from './options/content-key.ts'
import type { Resolved, ResolvedServer } from './options/resolve.ts'

/** How long changes may follow each other before files are read: a certificate and its key are two files. */
const SETTLE = 100
/** Where the system reports nothing (network file systems), changes are still found. */
const POLL = 60_000

/** The files that a server's certificates, keys, CAs and lists come from. */
export function filesOf({ resolved, hosts }: ResolvedServer): readonly string[] {
  const files = new Set<string>()
  const add = ({ context, policy }: Pick<Resolved, 'context' | 'policy'>): void => {
    for (const file of [context.certFile, context.keyFile, context.caFile, context.caPath, policy.revocation?.crlFile])
      if (file !== undefined) files.add(file)
  }
  add(resolved)
  for (const host of hosts) {
    add(host.resolved)
    for (const context of host.more) add({ context, policy: {} })
  }
  return [...files]
}

/**
 * Calls `onChange` when any of these files is another than before, until the signal. The folders are watched, not the files: a file that is
 * replaced by renaming, or reached by a link that is (as Kubernetes does), would go unnoticed. Does not keep the process alive.
 */
export function watchFiles(files: () => readonly string[], onChange: () => Promise<void>, signal: AbortSignal): void {
  let seen = versions(files())
  let timer: NodeJS.Timeout | undefined
  let checking: Promise<void> | undefined
  const check = (): void => {
    timer = undefined
    const now = versions(files())
    if (now === seen || signal.aborted) return
    seen = now
    checking = onChange().finally(() => {
      checking = undefined
      watchFolders()
    })
  }
  const soon = (): void => {
    if (timer !== undefined || signal.aborted) return
    timer = setTimeout(() => {
      if (checking === undefined) check()
      else void checking.then(check)
    }, SETTLE).unref()
  }
  const watchers = new Map<string, FSWatcher>()
  const watchFolders = (): void => {
    for (const folder of new Set(files().map((file) => dirname(file)))) {
      if (watchers.has(folder) || signal.aborted) continue
      try {
        const watcher = watch(folder, { persistent: false }, soon)
        watchers.set(folder, watcher)
        watcher.on('error', () => {
          watcher.close()
          watchers.delete(folder)
        })
      } catch {
        // a folder that cannot be watched is polled
      }
    }
  }
  watchFolders()
  const poll = setInterval(soon, POLL).unref()
  signal.addEventListener(
    'abort',
    () => {
      clearTimeout(timer)
      clearInterval(poll)
      for (const watcher of watchers.values()) watcher.close()
    },
    { once: true },
  )
}

/** Equal exactly when every file is the same as before. */
function versions(files: readonly string[]): string {
  return files
    .map((file) => {
      try {
        return fileKey(file)
      } catch {
        return `${file}: missing`
      }
    })
    .join('\n')
}
