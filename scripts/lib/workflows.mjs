import { join } from 'node:path'
import { globSync, readFileSync } from './files.mjs'

/** Workflows start without permissions and name actions by commit, with the version beside it: a tag can be moved. */
export function checkWorkflows(root) {
  const problems = []
  for (const file of globSync(join(root, '.github/workflows'), '.yml')) {
    const name = file.slice(root.length + 1)
    const text = readFileSync(file, 'utf8')
    if (!/^permissions: \{\}$/m.test(text)) problems.push(`workflows: ${name} does not start without permissions`)
    for (const [, action, reference] of text.matchAll(/^\s*(?:- )?uses: (\S+)(.*)$/gm))
      if (!/^[\w./-]+@[0-9a-f]{40}$/.test(action) || !/^ # v\d/.test(reference))
        problems.push(`workflows: ${name} uses ${action}, which is not pinned by commit and version`)
    for (const [, job, body] of text.slice(text.indexOf('\njobs:')).matchAll(/^ {2}(\w+):\n((?: {4}.*\n|\n)+)/gm))
      if (!/^ {4}permissions:\n(?: {6}[\w-]+: (?:read|write|none).*\n)+/m.test(body))
        problems.push(`workflows: ${name}: job ${job} does not say what it may`)
  }
  return problems
}
