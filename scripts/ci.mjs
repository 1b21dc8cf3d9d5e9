// The stages of CI, each timed; all of them run, whatever failed before. Ends with one line that sums every test there was.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { globSync } from './lib/files.mjs'
import { installPeers } from './lib/peers.mjs'

const root = join(import.meta.dirname, '..')
const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const corpora = join(root, '../shared/corpora')
const env = { ...process.env, CI: 'true', TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' }

const pnpm = (...args) => ['npx', ['--yes', '--prefer-offline', packageManager, ...args]]

/** Name, command, further environment. Benches never run here. */
const stages = [
  ['peers', installPeers],
  ['npm test', ['npm', ['test']]],
  ['lint', pnpm('run', 'lint')],
  ['typecheck', pnpm('run', 'typecheck')],
  ['build', pnpm('run', 'build')],
  ['packages', pnpm('run', 'check')],
  ['interop', pnpm('run', 'interop'), { REQUIRE_PEERS: '1' }],
  ['conformance', pnpm('run', 'conformance'), existsSync(corpora) ? { CONFORMANCE_DATA: corpora } : {}],
  ['examples', pnpm('run', 'examples')],
  ['mutants', pnpm('run', 'mutants', '--sample', '8')],
  ['matrix', pnpm('run', 'matrix')],
]

for (const folder of globSync(root, '.json').filter((file) => file.includes('/.reports/')))
  rmSync(folder, { force: true })

const only = process.argv.slice(2)
const failed = []
for (const [name, command, more = {}] of stages) {
  if (only.length > 0 && !only.includes(name)) continue
  console.log(`\n== ${name}`)
  const started = performance.now()
  let status = 1
  try {
    if (typeof command === 'function') status = command()
    else
      status =
        spawnSync(command[0], command[1], {
          cwd: root,
          env: { ...env, ...more },
          stdio: ['ignore', 'inherit', 'inherit'],
        }).status ?? 1
  } catch (error) {
    console.error(error)
  }
  console.log(
    `== ${name}: ${status === 0 ? 'ok' : `failed (${status})`} in ${((performance.now() - started) / 1000).toFixed(1)} s`,
  )
  if (status !== 0) failed.push(name)
}

let passed = 0
let failures = 0
let skipped = 0
for (const file of globSync(root, '.json').filter((path) => path.includes('/.reports/'))) {
  const report = JSON.parse(readFileSync(file, 'utf8'))
  passed += report.numPassedTests
  failures += report.numFailedTests
  skipped += report.numPendingTests
}
if (failed.length > 0) console.log(`\nfailed stages: ${failed.join(', ')}`)
console.log(`\n${passed} passed, ${Math.max(failures, failed.length)} failed, ${skipped} skipped`)
process.exit(failed.length === 0 && failures === 0 ? 0 : 1)
