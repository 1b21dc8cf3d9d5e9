// The unit tests on every supported Node line. `pnpm matrix [22 24 26]`
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const given = process.argv.slice(2)
const lines = given.length > 0 ? given : ['22', '24', '26']
const env = { ...process.env }
for (const name of ['npm_config_call', 'npm_config_package']) delete env[name]

const failed = []
for (const line of lines) {
  console.log(`Node ${line}`)
  const command = `node --version && node node_modules/vitest/vitest.mjs run --reporter=dot --reporter=json --outputFile.json=.reports/node-${line}.json`
  const { status } = spawnSync('npx', ['--yes', '--prefer-offline', '-p', `node@${line}`, '-c', command], {
    cwd: root,
    env,
    stdio: 'inherit',
  })
  if (status !== 0) failed.push(line)
}
if (failed.length > 0) console.error(`failed on Node ${failed.join(', ')}`)
process.exit(failed.length === 0 ? 0 : 1)
