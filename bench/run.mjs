// `pnpm bench [topic or part of a name] [--check] [--rounds 7] [--built]`, and `pnpm bench --scale [topic] [--built]`: builds the packages that the chosen rows import (with --built they are measured as
// they were built before), bundles the rows (Node 20 cannot run TypeScript) and runs them against the packages' built output, as a user would have it.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from 'vite'

const folder = fileURLToPath(new URL('.', import.meta.url))
const root = fileURLToPath(new URL('..', import.meta.url))
const { values, positionals } = parseArgs({
  options: {
    check: { type: 'boolean', default: false },
    built: { type: 'boolean', default: false },
    scale: { type: 'boolean', default: false },
    rounds: { type: 'string' },
  },
  allowPositionals: true,
})
const only = positionals[0]
const sources = values.scale ? 'scale' : 'rows'

const all = readdirSync(folder + sources).filter((name) => name.endsWith('.ts'))
const named = all.filter((name) => basename(name, '.ts') === only)
const rows = named.length > 0 ? named : all
if (values.scale && only !== undefined && named.length === 0) {
  console.error(`No scale run is called '${only}'; there are ${all.map((name) => basename(name, '.ts')).join(', ')}.`)
  process.exit(1)
}

function buildPackages() {
  const imported = new Set()
  for (const row of rows)
    for (const [, name] of readFileSync(`${folder}${sources}/${row}`, 'utf8').matchAll(/'(@x\/[a-z-]+)/g))
      imported.add(name)
  const filters = [...imported].flatMap((name) => ['--filter', name])
  const turbo = ['run', 'build', ...filters, '--output-logs=errors-only', '--log-prefix=none']
  const built = spawnSync(`${root}node_modules/.bin/turbo`, turbo, {
    cwd: root,
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (built.status !== 0) {
    console.error('The packages could not be built; run `pnpm build` to see why.')
    process.exit(1)
  }
}
if (!values.built) buildPackages()

// of this run alone: two may go on at once
const outDir = `${folder}dist-${process.pid}`
process.once('exit', () => rmSync(outDir, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
const input = Object.fromEntries(
  ['main', 'worker', 'scale', 'scale-worker'].map((name) => [name, `${folder}src/${name}.ts`]),
)
for (const row of rows) input[`row-${basename(row, '.ts')}`] = `${folder}${sources}/${row}`
await build({
  root: folder,
  configFile: false,
  logLevel: 'warn',
  build: {
    ssr: true,
    target: 'node20',
    outDir,
    emptyOutDir: true,
    minify: false,
    rolldownOptions: {
      input,
      external: (id) => !id.startsWith('.') && !id.startsWith('/') && !id.startsWith('\0'),
      output: { entryFileNames: '[name].mjs', chunkFileNames: '[name].mjs' },
    },
  },
})

const bundled = (name) => pathToFileURL(`${outDir}/${name}.mjs`).href
const files = rows.map((row) => ({ topic: basename(row, '.ts'), file: bundled(`row-${basename(row, '.ts')}`) }))
if (values.scale) {
  const { runScale } = await import(bundled('scale'))
  process.exitCode = await runScale(files, {
    worker: fileURLToPath(bundled('scale-worker')),
    folder,
    whole: only === undefined,
  })
} else {
  const { runBench } = await import(bundled('main'))
  process.exitCode = await runBench(files, {
    worker: fileURLToPath(bundled('worker')),
    only: named.length > 0 ? undefined : only,
    check: values.check,
    rounds: values.rounds === undefined ? undefined : Number(values.rounds),
    table: only === undefined ? `${folder}README.md` : undefined,
  })
}
