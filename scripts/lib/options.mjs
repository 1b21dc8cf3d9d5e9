import { join } from 'node:path'
import { existsSync, globSync, readdirSync, readFileSync } from './files.mjs'

/** Every option that a package's entries take is named in its README: in a code span or an example. */
export function checkOptions(root) {
  const problems = []
  for (const name of readdirSync(join(root, 'packages'))) {
    const folder = join(root, 'packages', name)
    const path = join(folder, 'README.md')
    if (!existsSync(path)) continue // `checkPackages` says so
    const code = [...readFileSync(path, 'utf8').matchAll(/```[\s\S]*?```|`[^`\n]+`/g)].join('\n')
    const entries = Object.values(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).exports)
      .map((target) => target['@x/source'])
      .filter((source) => source !== undefined)
      .map((source) => readFileSync(join(folder, source), 'utf8'))
      .join('\n')
    for (const file of globSync(join(folder, 'src'), '.ts'))
      for (const [, type, body] of readFileSync(file, 'utf8').matchAll(
        /^export interface (\w*Options|\w*Strictness|\w*Scope|Scheme|PskEntry|OcspSingle|Issuer)(?:<[^>]*>)?(?: extends [^{]*| *\n +extends [^{]*)? ?\{\n([\s\S]*?)^\}/gm,
      )) {
        if (!new RegExp(`\\b${type}\\b`).test(entries)) continue
        for (const [, option] of body.matchAll(/^ {2}(?:readonly )?(\w+)\??[:(]/gm))
          if (!new RegExp(`\\b${option}\\b`).test(code))
            problems.push(`options: @x/${name}'s README does not name '${option}' of ${type}`)
      }
  }
  return problems
}
