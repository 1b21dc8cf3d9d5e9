// Applies each mutant to the source and demands that its test fails: a check whose removal no test notices is no check.
// `pnpm mutants [package] [--sample n]`; the sample is every k-th mutant, so that it is the same each time.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

const root = join(import.meta.dirname, '../..')
const args = process.argv.slice(2)
const sampleAt = args.indexOf('--sample')
const sample = sampleAt === -1 ? Infinity : Number(args[sampleAt + 1])
const only = args.filter((arg, at) => !arg.startsWith('--') && (sampleAt === -1 || at !== sampleAt + 1))

const all = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.json') && (only.length === 0 || only.includes(basename(file, '.json'))))
  .flatMap((file) => {
    const { package: name, mutants } = JSON.parse(readFileSync(join(import.meta.dirname, file), 'utf8'))
    return mutants.map((mutant) => ({ ...mutant, list: basename(file, '.json'), name }))
  })
const step = Math.max(1, Math.floor(all.length / sample))
const chosen = all.filter((_, at) => at % step === 0).slice(0, sample)

let caught = 0
const problems = []
for (const mutant of chosen) {
  const folder = join(root, 'packages', mutant.name)
  const path = join(folder, mutant.file)
  const original = readFileSync(path, 'utf8')
  const label = `${mutant.list}/${mutant.id}`
  const places = original.split(mutant.find).length - 1
  if (places !== 1) {
    problems.push(`${label}: the text to replace stands ${places} times in ${mutant.file}`)
    continue
  }
  const restore = () => writeFileSync(path, original)
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => (restore(), process.exit(1)))
  try {
    writeFileSync(
      path,
      original.replace(mutant.find, () => mutant.replace),
    )
    const { status } = spawnSync(
      process.execPath,
      [
        join(root, 'node_modules/vitest/vitest.mjs'),
        'run',
        '--bail=1',
        '--reporter=dot',
        '--testTimeout=30000',
        mutant.test,
      ],
      {
        cwd: folder,
        stdio: 'ignore',
        timeout: 120_000,
      },
    )
    if (status === 0) problems.push(`${label}: survived ${mutant.test}`)
    else caught++
    console.log(`${status === 0 ? 'SURVIVED' : 'caught'} ${label}`)
  } finally {
    restore()
    process.removeAllListeners('SIGINT').removeAllListeners('SIGTERM')
  }
}
for (const problem of problems) console.error(problem)
console.log(`mutants: ${caught} passed, ${problems.length} failed`)
process.exit(problems.length === 0 ? 0 : 1)
