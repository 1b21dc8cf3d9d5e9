#!/usr/bin/env node
import { run } from './cli.ts'
import { defaultCaStore } from './default.ts'

process.stdout.on('error', () => process.exit()) // the reader of a pipe has gone
process.exitCode = run(process.argv.slice(2), {
  store: defaultCaStore,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
})
