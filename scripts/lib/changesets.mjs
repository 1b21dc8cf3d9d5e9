import { join } from 'node:path'
import { existsSync, globSync, readdirSync, readFileSync } from './files.mjs'

/** Changesets have the form that `changeset version` reads and name packages that exist; a package that was never released has one. */
export function checkChangesets(root) {
  const problems = []
  const named = new Set()
  for (const file of globSync(join(root, '.changeset'), '.md')) {
    const head = /^---\n((?:'@x\/[\w-]+': (?:patch|minor|major)\n)+)---\n\n?\S/.exec(readFileSync(file, 'utf8'))
    if (head === null)
      problems.push(`changesets: ${file.slice(root.length + 1)} does not say which package changes how`)
    for (const [, name] of head?.[1].matchAll(/^'@x\/([\w-]+)'/gm) ?? []) named.add(name)
  }
  for (const name of named)
    if (!existsSync(join(root, 'packages', name))) problems.push(`changesets: there is no @x/${name}`)
  for (const name of readdirSync(join(root, 'packages')))
    if (
      JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')).version === '0.0.0' &&
      !named.has(name)
    )
      problems.push(`changesets: none names @x/${name}, which was never released`)
  return problems
}
