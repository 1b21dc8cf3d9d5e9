import { spawnSync } from 'node:child_process'
import { builtinModules } from 'node:module'
import { dirname, join, posix } from 'node:path'
import { existsSync, globSync, readFileSync } from './files.mjs'

const unwanted = /(?:^|\/)(?:test|\.reports|\.turbo|bench)\/|\.test\.[cm]?[jt]s$|tsconfig|vitest\.config|\.tsbuildinfo$/
/** `import 'x'`, `… from 'x'` at the end of a line that begins a statement or closes its braces, `import('x')`. */
const imports = [
  /^import\s*["']([^"']+)["']/gm,
  /^(?:(?:import|export)\b[^'"=\n]*|\}\s*)\bfrom\s*["']([^"']+)["']/gm,
  /\bimport\(\s*["']([^"']+)["']\s*\)/g,
]
const hooks = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish']

/**
 * What is wrong with one packed package, unpacked in `folder`: files that are missing or do not belong, maps without their
 * sources, code that no entry reaches, imports that are not declared, scripts that would run on installation, paths of this machine.
 */
export function checkTarball(folder, root) {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const problems = []
  const files = [...globSync(folder, ''), ...globSync(join(folder, 'dist'), '')]
    .map((file) => file.slice(folder.length + 1))
    .filter((file, at, all) => all.indexOf(file) === at)
  const has = new Set(files)
  const targets = Object.values(manifest.exports).flatMap((target) =>
    typeof target === 'string' ? [target] : Object.values(target),
  )
  const programs = Object.values(manifest.bin ?? {})
  for (const file of ['LICENSE', 'README.md', ...[...targets, ...programs].map((path) => posix.normalize(path))])
    if (!has.has(file)) problems.push(`${file} is missing`)
  for (const file of files) if (unwanted.test(file)) problems.push(`${file} does not belong there`)
  for (const program of programs)
    if (!readFileSync(join(folder, program), 'utf8').startsWith('#!/usr/bin/env node\n'))
      problems.push(`${program} does not start as a command`)
  for (const file of files.filter((name) => name.endsWith('.map'))) {
    const { sources, sourceRoot = '' } = JSON.parse(readFileSync(join(folder, file), 'utf8'))
    for (const source of sources)
      if (!existsSync(join(folder, dirname(file), sourceRoot, source))) problems.push(`${file} maps to no ${source}`)
  }
  const { reached, outside } = follow(
    folder,
    [...targets, ...programs].filter((path) => path.endsWith('.js')),
  )
  for (const file of files)
    if (file.startsWith('dist/') && file.endsWith('.js') && !reached.has(file) && !onlyTypes(join(folder, file)))
      problems.push(`${file} is reached from no entry: a build left it`)
  const declared = new Set(Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }))
  for (const name of outside)
    if (name !== manifest.name && !declared.has(name)) problems.push(`imports ${name}, which it does not declare`)
  for (const hook of hooks) if (manifest.scripts?.[hook] !== undefined) problems.push(`has a script '${hook}'`)
  for (const field of ['description', 'keywords', 'license', 'engines'])
    if (manifest[field] === undefined) problems.push(`package.json has no ${field}`)
  for (const [name, range] of Object.entries({ ...manifest.dependencies, ...manifest.peerDependencies }))
    if (/^(?:workspace|file|link):/.test(range)) problems.push(`depends on ${name} by ${range}`)
  for (const file of files)
    if (readFileSync(join(folder, file), 'utf8').includes(root)) problems.push(`${file} names a path of this machine`)
  return { manifest, files, problems }
}

/** Unpacks a tarball and returns the folder `package` in it. */
export function unpack(tarball, folder) {
  const { status, stderr } = spawnSync('tar', ['-xzf', tarball, '-C', folder], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`tar: ${stderr}`)
  return join(folder, 'package')
}

/** What tsc writes for a module of types: a file without code. */
function onlyTypes(file) {
  return /^export \{\};\n\/\/# sourceMappingURL=\S+\s*$/.test(readFileSync(file, 'utf8'))
}

/** The files that these entries load, and the packages that they import. */
function follow(folder, entries) {
  const reached = new Set()
  const outside = new Set()
  const waiting = entries.map((entry) => posix.normalize(entry))
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (reached.has(file) || !existsSync(join(folder, file))) continue
    reached.add(file)
    const text = readFileSync(join(folder, file), 'utf8')
    for (const pattern of imports) for (const [, specifier] of text.matchAll(pattern)) note(specifier, file)
  }
  return { reached, outside }

  function note(specifier, from) {
    if (specifier.startsWith('.')) waiting.push(posix.join(posix.dirname(from), specifier))
    else if (!specifier.startsWith('node:') && !builtinModules.includes(specifier))
      outside.add(specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/'))
  }
}
