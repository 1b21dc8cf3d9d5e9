// `npm start`, `npm test` and `npm run examples` on a machine that has only node and npm: fetch pnpm, install, then run the task.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const [task, ...args] = process.argv.slice(2)

const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' }
for (const name of ['npm_config_call', 'npm_config_package']) delete env[name] // an npx around us would reach the npx below

function run(command, commandArgs, options = {}) {
  const { status, error } = spawnSync(command, commandArgs, { cwd: root, env, stdio: 'inherit', ...options })
  if (error !== undefined) throw error
  if (status !== 0) process.exit(status ?? 1)
}

const npx = process.platform === 'win32' ? 'npx.cmd' : 'npx'
const quiet = ['--yes', '--prefer-offline', packageManager]
// what installing prints is for the eyes only: it must not stand between a report and its reader
const toStderr = { stdio: ['ignore', 2, 2] }
run(npx, [...quiet, 'install', '--frozen-lockfile', '--prefer-offline', '--reporter=append-only'], toStderr)

const tasks = {
  start() {
    run(npx, [...quiet, 'exec', 'turbo', 'run', 'build', '--filter=@x/cli...', '--output-logs=errors-only'], toStderr)
    run(process.execPath, [
      join(root, 'packages/cli/dist/main.js'),
      ...(args.length > 0 ? ['check', ...args] : ['demo']),
    ])
  },
  examples() {
    run(npx, [...quiet, 'exec', 'turbo', 'run', 'build', '--output-logs=errors-only'], toStderr)
    run(process.execPath, [join(root, 'scripts/examples.mjs'), ...args])
  },
  test() {
    run(npx, [...quiet, 'exec', 'turbo', 'run', 'test', '--output-logs=new-only', ...args])
  },
}
tasks[task]()
