// Packs every package as it would be published, looks at what is in the tarballs, installs them in an empty folder and loads
// every entry there by import and by require.
// `pnpm pack-test [--matrix: on each Node line] [--release: what only a release needs] [--keep: leave the folder, to try it by hand]`
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkTarball, unpack } from './lib/tarball.mjs'

const root = join(import.meta.dirname, '..')
const flags = process.argv.slice(2)
const env = { ...process.env, npm_config_update_notifier: 'false' }
for (const name of ['npm_config_call', 'npm_config_package', 'NODE_OPTIONS']) delete env[name]

const place = mkdtempSync(join(tmpdir(), 'pack-test-'))
const problems = []
try {
  const packed = readdirSync(join(root, 'packages')).map(pack)
  checkRepositories(packed.map(({ manifest }) => manifest))
  const consumer = install(packed)
  writeFileSync(join(consumer, 'load.mjs'), loader(packed))
  load('this Node', process.execPath, [join(consumer, 'load.mjs')], consumer)
  for (const { manifest } of packed)
    for (const name of Object.keys(manifest.bin ?? {}))
      load(name, join(consumer, 'node_modules/.bin', name), ['--help'], consumer)
  if (flags.includes('--matrix'))
    for (const version of ['20.19.0', '22.12.0', '24', '26'])
      load(
        `Node ${version}`,
        'npx',
        ['--yes', '--prefer-offline', '-p', `node@${version}`, '-c', 'node load.mjs'],
        consumer,
      )
} finally {
  if (flags.includes('--keep')) console.log(`left in ${join(place, 'consumer')}`)
  else rmSync(place, { recursive: true, force: true })
}
for (const problem of problems) console.error(`pack-test: ${problem}`)
console.log(problems.length === 0 ? 'pack-test: all packages hold' : `pack-test: ${problems.length} problems`)
process.exit(problems.length === 0 ? 0 : 1)

/** One package's tarball, and what is wrong with it. */
function pack(name) {
  const folder = join(place, name)
  mkdirSync(folder)
  const { status, stdout, stderr } = run('pnpm', ['pack', '--pack-destination', folder], join(root, 'packages', name))
  const tarball = readdirSync(folder).find((file) => file.endsWith('.tgz'))
  if (status !== 0 || tarball === undefined) throw new Error(`pnpm pack of ${name}: ${stdout}${stderr}`)
  const { manifest, files, problems: found } = checkTarball(unpack(join(folder, tarball), folder), root)
  problems.push(...found.map((problem) => `${manifest.name}: ${problem}`))
  console.log(`${manifest.name}: ${files.length} files`)
  return { manifest, tarball: join(folder, tarball) }
}

/** Provenance ties a package to its repository: all packages name the same one and their own folder in it, or (before a release) none does. */
function checkRepositories(manifests) {
  const urls = new Set(manifests.map(({ repository }) => repository?.url))
  if (urls.size > 1) problems.push(`repository differs: ${[...urls].join(', ')}`)
  if (flags.includes('--release') && urls.has(undefined))
    problems.push('repository is missing, and provenance needs it')
  for (const { name, repository } of manifests)
    if (repository !== undefined && repository.directory !== `packages/${name.slice('@x/'.length)}`)
      problems.push(`${name}: repository.directory is ${repository.directory}`)
}

function install(packed) {
  const consumer = join(place, 'consumer')
  mkdirSync(consumer)
  const dependencies = Object.fromEntries(packed.map(({ manifest, tarball }) => [manifest.name, `file:${tarball}`]))
  for (const { manifest } of packed) Object.assign(dependencies, manifest.peerDependencies)
  writeFileSync(join(consumer, 'package.json'), JSON.stringify({ name: 'consumer', private: true, dependencies }))
  const { status, stdout, stderr } = run(
    'npm',
    ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'],
    consumer,
  )
  if (status !== 0) throw new Error(`npm install: ${stdout}${stderr}`)
  return consumer
}

/** A program that loads every entry both ways; both must give the same names and the same objects. */
function loader(packed) {
  const entries = packed.flatMap(({ manifest }) =>
    Object.keys(manifest.exports)
      .filter((path) => path !== './package.json')
      .map((path) => manifest.name + path.slice(1)),
  )
  return `import { createRequire } from 'node:module'
const require = createRequire(import.meta.url)
let failed = 0
for (const entry of ${JSON.stringify(entries)}) {
  try {
    const required = require(entry)
    const imported = await import(entry)
    const names = Object.keys(imported)
    const wrong = names.filter((name) => required[name] !== imported[name])
    if (names.length === 0 || wrong.length > 0) throw new TypeError('import and require differ: ' + wrong.join(', '))
  } catch (error) {
    failed++
    console.error(entry, error)
  }
}
console.log(failed === 0 ? 'loaded ${entries.length} entries by import and require on ' + process.version : 'failed: ' + failed)
process.exit(failed === 0 ? 0 : 1)
`
}

function load(label, program, args, cwd) {
  const { status, stdout, stderr } = run(program, args, cwd)
  const lines = stdout.trim().split('\n')
  if (status !== 0) problems.push(`${label}: exit status ${status}\n${stdout}${stderr}`)
  else console.log(`${label}: ${lines.at(lines[0].startsWith('loaded') ? -1 : 0)}`)
}

function run(program, args, cwd) {
  return spawnSync(program, args, { cwd, env, encoding: 'utf8', maxBuffer: 1 << 26 })
}
