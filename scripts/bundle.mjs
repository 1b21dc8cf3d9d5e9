// Writes dist/*.js of the package in the working directory: one file per entry of its exports map, and what they share.
// Node resolves, opens and links each module of an import by itself, half a millisecond of CPU apiece; a package of twenty
// modules would cost its users ten. Types stay one file per module, from tsc; dependencies stay outside.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, isAbsolute, join } from 'node:path'
import { build } from 'vite'

const { exports, bin = {} } = JSON.parse(readFileSync('package.json', 'utf8'))
const entry = Object.fromEntries(
  Object.values(exports)
    .map((target) => target['@x/source'])
    .filter((source) => source !== undefined)
    .map((source) => [basename(source, '.ts'), source]),
)
for (const file of Object.values(bin)) entry[basename(file, '.js')] = `./src/${basename(file, '.js')}.ts`
// Names of shared files change with their content: what an earlier build left would be packed too.
for (const file of existsSync('dist') ? readdirSync('dist', { recursive: true }) : [])
  if (/\.js(\.map)?$/.test(file)) rmSync(join('dist', file))

await build({
  configFile: false,
  logLevel: 'warn',
  build: {
    lib: { entry, formats: ['es'] },
    target: 'node20',
    outDir: 'dist',
    emptyOutDir: false,
    minify: false,
    sourcemap: true,
    rolldownOptions: {
      external: (id) => !id.startsWith('.') && !isAbsolute(id),
      output: { chunkFileNames: 'shared-[hash].js' },
    },
  },
})
