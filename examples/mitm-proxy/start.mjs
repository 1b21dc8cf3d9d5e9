// Starts main.ts: as it is where Node runs TypeScript (22.18 and newer), else bundled first.
import { fileURLToPath, pathToFileURL } from 'node:url'

const folder = fileURLToPath(new URL('.', import.meta.url))
if (process.features.typescript) await import('./main.ts')
else {
  const { build } = await import('vite')
  await build({
    root: folder,
    configFile: false,
    logLevel: 'error',
    build: {
      ssr: `${folder}main.ts`,
      target: 'node20',
      outDir: `${folder}dist`,
      rolldownOptions: {
        external: (id) => !id.startsWith('.') && !id.startsWith('/'),
        output: { entryFileNames: 'main.mjs' },
      },
    },
  })
  await import(pathToFileURL(`${folder}dist/main.mjs`).href)
}
