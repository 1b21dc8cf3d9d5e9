// The unit tests on every supported Node line, and the sockets beside openssl, gnutls, nginx and the original. `pnpm matrix [22 24 26]`
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const given = process.argv.slice(2)
const lines = given.length > 0 ? given : ['22', '24', '26']
const env = { ...process.env }
for (const name of ['npm_config_call', 'npm_config_package']) delete env[name]

/** Both roles, each check's pass and fail; without the programs they skip, or fail where REQUIRE_PEERS says so. */
const interop = ['client', 'client-resumption', 'server', 'checks-client-certificates', 'checks-revocation']

/** What runs on each line: where, which files (none: all), and the report's name. */
const runs = [
  { folder: '.', files: [], report: 'node' },
  { folder: 'testing/interop', files: interop.map((name) => `test/socket-${name}.test.ts`), report: 'interop-node' },
]

const failed = []
for (const line of lines)
  for (const { folder, files, report } of runs) {
    console.log(`Node ${line}, ${folder}`)
    const vitest = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...files, '--reporter=dot', '--reporter=json']
    const output = `--outputFile.json=${join(root, '.reports', `${report}-${line}.json`)}`
    const command = `node --version && node ${[...vitest, output].map((word) => `'${word}'`).join(' ')}`
    const { status } = spawnSync('npx', ['--yes', '--prefer-offline', '-p', `node@${line}`, '-c', command], {
      cwd: join(root, folder),
      env,
      stdio: 'inherit',
    })
    if (status !== 0) failed.push(`${line} (${folder})`)
  }
if (failed.length > 0) console.error(`failed on Node ${failed.join(', ')}`)
process.exit(failed.length === 0 ? 0 : 1)
