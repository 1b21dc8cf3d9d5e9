import { join } from 'node:path'
import { existsSync, globSync, readdirSync, readFileSync } from './files.mjs'

/** House rules that a machine can check: files every package has, codes in the error table, throws with codes. */
export function checkPackages(root) {
  const problems = []
  const overview = readFileSync(join(root, 'README.md'), 'utf8')
  for (const name of readdirSync(join(root, 'packages'))) {
    const folder = join(root, 'packages', name)
    for (const file of ['README.md', 'package.json', 'tsconfig.json', 'src', 'test'])
      if (!existsSync(join(folder, file))) problems.push(`packages: @x/${name} has no ${file}`)
    const readme = existsSync(join(folder, 'README.md')) ? readFileSync(join(folder, 'README.md'), 'utf8') : ''
    for (const [what, form] of Object.entries({
      'how to install it': `npm install @x/${name}`,
      'its errors': /^##+ .*errors?/im,
      'its limits': /^##+ .*(?:limits?|not check)/im,
    }))
      if (typeof form === 'string' ? !readme.includes(form) : !form.test(readme))
        problems.push(`packages: @x/${name}'s README does not say ${what}`)
    if (!overview.includes(`[\`@x/${name}\`](packages/${name})`))
      problems.push(`packages: the root README's table does not lead to @x/${name}`)
    const sources = globSync(join(folder, 'src'), '.ts')
    const codes = new Set()
    for (const file of sources) {
      const text = readFileSync(file, 'utf8')
      if (/throw new Error\(/.test(text)) problems.push(`packages: ${file} throws an error without a code`)
      if (/(?:istanbul|v8|c8) ignore/.test(text)) problems.push(`packages: ${file} hides code from coverage`)
      if (file.endsWith('/errors.ts')) for (const [, code] of text.matchAll(/\|\s+'(ERR_[A-Z0-9_]+)'/g)) codes.add(code)
    }
    for (const code of codes)
      if (!readme.includes(code)) problems.push(`packages: @x/${name}'s README does not explain ${code}`)
    const tests = globSync(join(folder, 'test'), '.ts')
      .map((file) => readFileSync(file, 'utf8'))
      .join('\n')
    for (const code of codes) if (!tests.includes(code)) problems.push(`packages: no test of @x/${name} names ${code}`)
    const subpaths = Object.keys(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).exports).filter(
      (path) => path !== '.' && path !== './package.json',
    )
    for (const path of subpaths)
      if (!readme.includes(`@x/${name}${path.slice(1)}`))
        problems.push(`packages: @x/${name}'s README does not mention the subpath ${path}`)
  }
  return problems
}
