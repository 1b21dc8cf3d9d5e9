import { join } from 'node:path'
import { existsSync, readFileSync } from './files.mjs'

/** Every file that docs/parity.md names as a test exists. */
export function checkParity(root) {
  const path = join(root, 'docs/parity.md')
  if (!existsSync(path)) return ['parity: docs/parity.md is missing']
  const problems = []
  for (const [, file] of readFileSync(path, 'utf8').matchAll(/`((?:packages|testing|examples)\/[^`]+\.ts)`/g))
    if (!existsSync(join(root, file))) problems.push(`parity: docs/parity.md names ${file}, which does not exist`)
  return problems
}
