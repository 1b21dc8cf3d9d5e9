import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

export { existsSync, readdirSync, readFileSync }

/** Every file below a folder whose name ends so, sorted; none where the folder is missing. */
export function globSync(folder, ending) {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name)
      if (name === 'node_modules' || name === 'dist') return []
      return statSync(path).isDirectory() ? globSync(path, ending) : name.endsWith(ending) ? [path] : []
    })
}
