// `pnpm fuzz [package …] [runs]`: each package's test/fuzz.test.ts, one after the other, with FUZZ_RUNS (5,000,000 unless given).
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const words = process.argv.slice(2)
const runs = words.find((word) => /^[0-9]+$/.test(word)) ?? process.env.FUZZ_RUNS ?? '5000000'
const named = words.filter((word) => !/^[0-9]+$/.test(word))

const all = readdirSync(`${root}packages`).filter((name) => existsSync(`${root}packages/${name}/test/fuzz.test.ts`))
const unknown = named.filter((name) => !all.includes(name))
if (unknown.length > 0) {
  console.error(`No fuzz test in: ${unknown.join(', ')}. There is one in: ${all.join(', ')}.`)
  process.exit(2)
}

const failed = []
for (const name of named.length > 0 ? named : all) {
  console.log(`\n@x/${name}: ${runs} runs`)
  const { status } = spawnSync(
    process.execPath,
    [`${root}node_modules/vitest/vitest.mjs`, 'run', 'test/fuzz.test.ts'],
    {
      cwd: `${root}packages/${name}`,
      env: { ...process.env, FUZZ_RUNS: runs },
      stdio: 'inherit',
    },
  )
  if (status !== 0) failed.push(name)
}
if (failed.length > 0) console.error(`\nFailed: ${failed.join(', ')}`)
process.exit(failed.length > 0 ? 1 : 0)
