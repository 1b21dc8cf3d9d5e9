// Applies each mutant to the source and demands that its test fails: a check whose removal no test notices is no check.
// `pnpm mutants [package] [--sample n]`; the sample is every k-th mutant, so that it is the same each time.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
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
let running
const problems = []
for (const mutant of chosen) {
  const folder = join(root, 'packages', mutant.name)
  const path = join(folder, mutant.file)
  const original = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const label = `${mutant.list}/${mutant.id}`
  const places = original.split(mutant.find).length - 1
  if (places !== 1) problems.push(`${label}: the text to replace stands ${places} times in ${mutant.file}`)
  else if (!existsSync(join(folder, mutant.test))) problems.push(`${label}: there is no ${mutant.test}`)
  else await tryOne(mutant, { folder, path, original, label })
}
for (const problem of problems) console.error(problem)
console.log(`mutants: ${caught} passed, ${problems.length} failed`)
process.exit(problems.length === 0 ? 0 : 1)

async function tryOne(mutant, { folder, path, original, label }) {
  const restore = () => writeFileSync(path, original)
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => (restore(), end(), process.exit(1)))
  try {
    writeFileSync(
      path,
      original.replace(mutant.find, () => mutant.replace),
    )
    const status = await run(folder, mutant.test)
    if (status === 0) problems.push(`${label}: survived ${mutant.test}`)
    else caught++
    console.log(`${status === 0 ? 'SURVIVED' : 'caught'} ${label}`)
  } finally {
    restore()
    process.removeAllListeners('SIGINT').removeAllListeners('SIGTERM')
  }
}

/** The exit status of a package's test; undefined where it did not end. A mutant may loop for ever, and the workers that do so have to go too. */
async function run(cwd, test) {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const args = [vitest, 'run', '--bail=1', '--reporter=dot', '--testTimeout=30000', test]
  const child = spawn(process.execPath, args, { cwd, stdio: 'ignore', detached: true })
  running = child.pid
  let late = false
  const timer = setTimeout(() => {
    late = true
    end()
  }, 120_000)
  const [status] = await once(child, 'exit')
  running = undefined
  clearTimeout(timer)
  return late ? undefined : status
}

/** The process of the test and its workers. */
function end() {
  if (running !== undefined) process.kill(-running, 'SIGKILL')
}
