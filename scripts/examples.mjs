// Runs every example and every document's fenced TypeScript as its reader would: against the built packages, each in a process of its own.
// `npm run examples [-- part of a name …]`
// A fence `ts world` runs in the world of testing/snippets; `ts no-run (reason)` does not run, and says why.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { transformWithOxc } from 'vite'
import { globSync } from './lib/files.mjs'

const root = join(import.meta.dirname, '..')
const only = process.argv.slice(2)

function docs() {
  return globSync(join(root, 'docs'), '.md').map((file) => file.slice(root.length + 1))
}

/** TypeScript whose types are taken off: Node 20 does not do that itself. */
async function strip(source, name) {
  return (await transformWithOxc(source, name, { lang: 'ts', target: 'es2023', sourcemap: false })).code
}

/** The runnable fences of a document. */
function fences(document, folder) {
  const path = join(root, document)
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '' // `pnpm check` demands a README
  for (const [at, [, info, body]] of [...text.matchAll(/^```ts([^\n]*)\n([\s\S]*?)^```/gm)].entries()) {
    const label = `${document} example ${at + 1}`
    if (info.trim() === '' || info === ' world')
      programs.push({
        label,
        folder: join(root, info === ' world' ? 'testing/snippets' : folder),
        source: body,
        world: info === ' world',
      })
    else if (!/^ no-run \(.+\)$/.test(info)) failed.push(`${label}: '\`\`\`ts${info}' is not understood`)
  }
}

const programs = []
const failed = []
for (const name of readdirSync(join(root, 'packages'))) fences(`packages/${name}/README.md`, `packages/${name}`)
for (const document of ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...docs()]) fences(document, 'testing/snippets')
for (const file of globSync(join(root, 'examples'), '.ts'))
  if (!file.endsWith('.d.ts') && !readFileSync(file, 'utf8').startsWith('// not run'))
    programs.push({
      label: file.slice(root.length + 1),
      folder: join(root, 'examples'),
      source: readFileSync(file, 'utf8'),
    })

/** The world, ready to be imported, and the CA that its machine trusts. */
const worldPlace = join(root, 'testing/snippets/.reports/world')
const worldFile = join(worldPlace, 'world.mjs')
const worldVariables = Object.fromEntries(
  [
    ['SSL_CERT_FILE', 'ca.pem'],
    ['NODE_EXTRA_CA_CERTS', 'ca.pem'],
    ['WORLD_CA_KEY', 'ca-key.pem'],
  ].map(([name, file]) => [name, join(worldPlace, file)]),
)
if (programs.some(({ world }) => world)) {
  const { createAuthority } = await import('../packages/utils/dist/index.js')
  const authority = createAuthority('Snippets')
  mkdirSync(worldPlace, { recursive: true })
  writeFileSync(join(worldPlace, 'ca.pem'), authority.cert)
  writeFileSync(join(worldPlace, 'ca-key.pem'), authority.key)
  writeFileSync(worldFile, await strip(readFileSync(join(root, 'testing/snippets/src/world.ts'), 'utf8'), 'world.ts'))
}

let passed = 0
const chosen = programs.filter(({ label }) => only.length === 0 || only.some((word) => label.includes(word)))
for (const { label, folder, source, world } of chosen) {
  mkdirSync(join(folder, '.reports'), { recursive: true })
  const place = mkdtempSync(join(folder, '.reports', 'example-'))
  try {
    const file = join(place, 'example.mjs')
    writeFileSync(file, await strip(world ? `${source}\nprocess.exit(0)\n` : source, 'example.ts'))
    const { status, stderr, stdout, signal } = spawnSync(
      process.execPath,
      world ? ['--import', worldFile, file] : [file],
      {
        cwd: place,
        encoding: 'utf8',
        timeout: 60_000,
        env: { ...process.env, EXAMPLE_RUN: '1', ...(world ? worldVariables : {}) },
      },
    )
    if (status === 0) passed++
    else failed.push(`${label} (${signal ?? status})\n${stdout}${stderr}`)
    if (chosen.length === 1) process.stdout.write(stdout) // somebody wants to see it
    console.log(`${status === 0 ? 'ok' : 'FAILED'} ${label}`)
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}
for (const failure of failed) console.error(`\n${failure}`)
console.log(`examples: ${passed} passed, ${failed.length} failed`)
process.exit(failed.length === 0 ? 0 : 1)
