import { importing } from '../src/importing.ts'
import type { BenchRow } from '../src/row.ts'

export default function rows(): BenchRow[] {
  return [
    importing('verify-hostname', 12, { psl: 'psl', tldts: 'tldts' }),
    importing('socket', 25, { 'node:tls': 'node:tls', pkijs: 'pkijs' }),
  ]
}
