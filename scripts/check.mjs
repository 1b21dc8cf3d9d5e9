// Checks on the packages as such: arrows, manifests, unused code and dependencies, published types, generated documents.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { checkArrows } from './lib/arrows.mjs'
import { checkChangesets } from './lib/changesets.mjs'
import { checkLinks } from './lib/links.mjs'
import { checkMutants } from './lib/mutants.mjs'
import { checkOptions } from './lib/options.mjs'
import { checkPackages } from './lib/packages.mjs'
import { checkParity } from './lib/parity.mjs'
import { checkStandards } from './lib/standards.mjs'
import { checkWorkflows } from './lib/workflows.mjs'

const root = join(import.meta.dirname, '..')
const problems = [
  ...checkArrows(root),
  ...checkChangesets(root),
  ...checkPackages(root),
  ...checkMutants(root),
  ...checkOptions(root),
  ...checkParity(root),
  ...checkStandards(root),
  ...checkLinks(root),
  ...checkWorkflows(root),
]

function tool(name, args, cwd = root) {
  const { status, stdout, stderr } = spawnSync(join(root, 'node_modules/.bin', name), args, { cwd, encoding: 'utf8' })
  if (status !== 0)
    problems.push(`${name} ${args.join(' ')} in ${cwd.slice(root.length + 1) || '.'}:\n${stdout}${stderr}`)
  else console.log(`ok ${name} ${cwd.slice(root.length + 1)}`)
}

tool('sherif', [
  // typedoc needs TypeScript's older API, in a package of its own
  '-i',
  'typescript',
  '--ignore-rule',
  'root-package-dependencies',
  '--ignore-rule',
  'types-in-dependencies',
])
tool('knip', ['--no-progress'])
for (const name of readdirSync(join(root, 'packages'))) {
  const cwd = join(root, 'packages', name)
  tool('publint', ['--strict'], cwd)
  tool('attw', ['--pack', '.', '--profile', 'esm-only'], cwd)
}

for (const problem of problems) console.error(`\n${problem}`)
console.log(problems.length === 0 ? 'all checks passed' : `${problems.length} checks failed`)
process.exit(problems.length === 0 ? 0 : 1)
