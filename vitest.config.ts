import { defineConfig } from 'vitest/config'

// The matrix over Node versions runs all unit tests in one process tree; turbo runs them package by package.
export default defineConfig({ test: { projects: ['packages/*'], maxWorkers: 2 } })
