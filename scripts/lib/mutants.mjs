import { join } from 'node:path'
import { existsSync, readdirSync, readFileSync } from './files.mjs'

/** Each mutant's text stands once where it says, and its test is there: code that moves takes its mutants along. Ids are told apart by list. */
export function checkMutants(root) {
  const folder = join(root, 'scripts/mutants')
  const problems = []
  for (const list of readdirSync(folder).filter((file) => file.endsWith('.json'))) {
    const { package: name, mutants } = JSON.parse(readFileSync(join(folder, list), 'utf8'))
    const ids = new Set()
    for (const { id, file, find, replace, test } of mutants) {
      const path = join(root, 'packages', name, file)
      const places = existsSync(path) ? readFileSync(path, 'utf8').split(find).length - 1 : 0
      if (places !== 1) problems.push(`mutants: the text of ${list} ${id} stands ${places} times in ${file}`)
      if (find === replace) problems.push(`mutants: ${list} ${id} changes nothing`)
      if (!existsSync(join(root, 'packages', name, test)))
        problems.push(`mutants: there is no ${test} for ${list} ${id}`)
      if (ids.has(id)) problems.push(`mutants: ${list} has two of ${id}`)
      ids.add(id)
    }
  }
  return problems
}
