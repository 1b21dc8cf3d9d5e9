import { dirname, join } from 'node:path'
import { statSync } from 'node:fs'
import { existsSync, globSync, readFileSync } from './files.mjs'

/** Every relative link of a document leads to a file or folder that is there, and to a heading where it names one. */
export function checkLinks(root) {
  const documents = [
    ...['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md'].map((name) => join(root, name)),
    ...['docs', 'decisions', 'examples', 'packages', 'bench', 'testing'].flatMap((name) =>
      globSync(join(root, name), '.md'),
    ),
  ].filter((file) => existsSync(file) && !file.includes('/.reports/'))
  const problems = []
  for (const document of documents) {
    const prose = readFileSync(document, 'utf8')
      .replace(/^```[\s\S]*?^```/gm, '')
      .replace(/(`+)[^`]*?\1/g, 'code')
    for (const [, link] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(link)) continue
      const [path, heading] = link.split('#')
      const target = path === '' ? document : join(dirname(document), path)
      if (!existsSync(target) || (heading !== undefined && !headings(target).has(heading)))
        problems.push(`links: ${document.slice(root.length + 1)} links to ${link}, which is not there`)
    }
  }
  return problems
}

/** The anchors of a document's headings, as GitHub makes them. */
function headings(file) {
  if (!statSync(file).isFile()) return new Set()
  return new Set(
    [...readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N}_ -]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}
