import { defineConfig, type ViteUserConfig } from 'vitest/config'

/** Resolves the workspace's packages to their sources, so that tests need no build. */
const config: ViteUserConfig = defineConfig({
  ssr: { resolve: { conditions: ['@x/source'] } },
  test: {
    include: ['test/**/*.test.ts'],
    reporters: process.env['CI'] ? ['dot', 'json'] : ['default', 'json'],
    outputFile: { json: '.reports/vitest.json' },
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 120_000, // what hangs ends; no test is measured by it, however busy the machine is
    hookTimeout: 120_000,
  },
})
export default config
