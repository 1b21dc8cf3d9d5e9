import { globSync, readdirSync, readFileSync } from './files.mjs'
import { join } from 'node:path'

/** Which packages a package may import from (ARCHITECTURE.md): arrows go one way. */
const arrows = {
  der: [],
  'session-cache': [],
  starttls: [],
  'verify-hostname': ['der'],
  'ca-store': ['der'],
  utils: ['der'],
  ocsp: ['der', 'utils'],
  crl: ['der', 'utils'],
  intercept: ['der', 'utils'],
  socket: ['ca-store', 'crl', 'der', 'ocsp', 'session-cache', 'utils', 'verify-hostname'],
  cli: ['ca-store', 'der', 'socket', 'starttls', 'utils'],
}

/** Imports in src against the table, dependencies in package.json against both, and nobody's src from outside. */
export function checkArrows(root) {
  const problems = []
  for (const name of readdirSync(join(root, 'packages'))) {
    const allowed = arrows[name]
    if (allowed === undefined) {
      problems.push(`arrows: package '${name}' is not in the table`)
      continue
    }
    const used = new Set()
    for (const file of globSync(join(root, 'packages', name, 'src'), '.ts'))
      for (const [, specifier] of readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)) {
        const match = /^@x\/([^/]+)/.exec(specifier)
        if (match !== null && match[1] !== name) {
          used.add(match[1])
          if (!allowed.includes(match[1]))
            problems.push(`arrows: ${file} imports @x/${match[1]}, which @x/${name} may not`)
        }
        if (/\.\.\/\.\.\/.*\/src\//.test(specifier)) problems.push(`arrows: ${file} reaches into another package's src`)
      }
    const manifest = JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8'))
    const declared = Object.keys(manifest.dependencies ?? {})
      .filter((dependency) => dependency.startsWith('@x/'))
      .map((dependency) => dependency.slice(3))
    for (const dependency of declared)
      if (!used.has(dependency)) problems.push(`arrows: @x/${name} declares @x/${dependency} and does not import it`)
    for (const dependency of used)
      if (!declared.includes(dependency))
        problems.push(`arrows: @x/${name} imports @x/${dependency} and does not declare it`)
  }
  return problems
}
