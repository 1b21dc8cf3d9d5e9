// The stages of CI, each timed; all of them run, whatever failed before. Ends with one line that sums every test there was.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { globSync } from './lib/files.mjs'
import { installPeers } from './lib/peers.mjs'

const root = join(import.meta.dirname, '..')
const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const corpora = join(root, '../shared/corpora')
const env = { ...process.env, CI: 'true', NO_COLOR: '1', TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' }

const npx = ['npx', '--yes', '--prefer-offline', packageManager]

/** Runs a command to its end and returns its exit status. */
function run(command, more = {}) {
  const [program, ...args] = command
  return (
    spawnSync(program, args, { cwd: root, env: { ...env, ...more }, stdio: ['ignore', 'inherit', 'inherit'] }).status ??
    1
  )
}

/** Each stage returns an exit status. Benches never run here. */
const stages = {
  peers: installPeers,
  'npm test': () => run(['npm', 'test']),
  lint: () => run([...npx, 'run', 'lint']),
  typecheck: () => run([...npx, 'run', 'typecheck']),
  build: () => run([...npx, 'run', 'build']),
  pack: () => run([...npx, 'run', 'pack-test', '--matrix']),
  reference: () => run([...npx, 'run', 'reference']),
  packages: () => run([...npx, 'run', 'check']),
  interop: () => run([...npx, 'run', 'interop'], { REQUIRE_PEERS: '1' }),
  conformance: () => run([...npx, 'run', 'conformance'], existsSync(corpora) ? { CONFORMANCE_DATA: corpora } : {}),
  examples: () => run([...npx, 'run', 'examples']),
  mutants: () => run([...npx, 'run', 'mutants', '--sample', '8']),
  matrix: () => run([...npx, 'run', 'matrix'], { REQUIRE_PEERS: '1' }),
}

for (const folder of globSync(root, '.json').filter((file) => file.includes('/.reports/')))
  rmSync(folder, { force: true })

const only = process.argv.slice(2)
const failed = []
for (const [name, stage] of Object.entries(stages)) {
  if (only.length > 0 && !only.includes(name)) continue
  console.log(`\n== ${name}`)
  const started = performance.now()
  const status = stage()
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
