// Writes docs/standards.md from the citations in the sources. `node scripts/standards.mjs`
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { standards } from './lib/standards.mjs'

const root = join(import.meta.dirname, '..')
writeFileSync(join(root, 'docs/standards.md'), standards(root))
