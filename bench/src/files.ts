import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What peers in other languages read: written into a folder that is removed when this process ends. Gives the paths by name. */
export function filesOf<Name extends string>(
  contents: Readonly<Record<Name, string | Uint8Array>>,
): { readonly folder: string } & Readonly<Record<Name, string>> {
  const folder = mkdtempSync(join(tmpdir(), 'x-bench-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const paths: Record<string, string> = { folder }
  for (const [name, content] of Object.entries(contents) as [Name, string | Uint8Array][]) {
    const path = join(folder, name)
    writeFileSync(path, content, { mode: 0o600 })
    paths[name] = path
  }
  return paths as { readonly folder: string } & Readonly<Record<Name, string>>
}
