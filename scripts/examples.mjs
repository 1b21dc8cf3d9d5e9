// Runs every example and every README's fenced TypeScript as its reader would: against the built packages, each in a process of its own.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { transformWithOxc } from 'vite'
import { globSync } from './lib/files.mjs'

const root = join(import.meta.dirname, '..')
const only = process.argv.slice(2)

/** TypeScript whose types are taken off: Node 20 does not do that itself. */
async function strip(source, name) {
  return (await transformWithOxc(source, name, { lang: 'ts', target: 'es2023', sourcemap: false })).code
}

const programs = []
for (const name of readdirSync(join(root, 'packages'))) {
  const path = join(root, 'packages', name, 'README.md')
  const readme = existsSync(path) ? readFileSync(path, 'utf8') : '' // `pnpm check` demands one
  for (const [at, [, info, body]] of [...readme.matchAll(/^```ts([^\n]*)\n([\s\S]*?)^```/gm)].entries())
    if (!info.includes('no-run'))
      programs.push({
        label: `packages/${name}/README.md example ${at + 1}`,
        folder: join(root, 'packages', name),
        source: body,
      })
}
for (const file of globSync(join(root, 'examples'), '.ts'))
  if (!file.endsWith('.d.ts') && !readFileSync(file, 'utf8').startsWith('// not run'))
    programs.push({
      label: file.slice(root.length + 1),
      folder: join(root, 'examples'),
      source: readFileSync(file, 'utf8'),
    })

const failed = []
let passed = 0
for (const { label, folder, source } of programs) {
  if (only.length > 0 && !only.some((word) => label.includes(word))) continue
  mkdirSync(join(folder, '.reports'), { recursive: true })
  const place = mkdtempSync(join(folder, '.reports', 'example-'))
  try {
    const file = join(place, 'example.mjs')
    writeFileSync(file, await strip(source, 'example.ts'))
    const { status, stderr, stdout, signal } = spawnSync(process.execPath, [file], {
      cwd: place,
      encoding: 'utf8',
      timeout: 60_000,
      env: { ...process.env, EXAMPLE_RUN: '1' },
    })
    if (status === 0) passed++
    else failed.push(`${label} (${signal ?? status})\n${stdout}${stderr}`)
    console.log(`${status === 0 ? 'ok' : 'FAILED'} ${label}`)
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}
for (const failure of failed) console.error(`\n${failure}`)
console.log(`examples: ${passed} passed, ${failed.length} failed`)
process.exit(failed.length === 0 ? 0 : 1)
