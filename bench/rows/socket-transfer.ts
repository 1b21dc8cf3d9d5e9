import type { BenchRow, Goal } from '../src/row.ts'
import { type Measure, Transfers } from '../src/transfer-subject.ts'

const C = 'C OpenSSL'
const ORIGINAL = 'the original'
const KB = 1024

/** What moving bytes costs: CPU seconds of the side under test per GB. */
export default async function rows(): Promise<BenchRow[]> {
  return [
    await row('receive, stream API', [{ of: 'node:tls', atMost: 1.03 }], (transfers) => ({
      '@x/socket': transfers.script('@x/socket', { work: 'receive' }),
      'node:tls': transfers.script('node:tls', { work: 'receive' }),
    })),
    await row(
      'receive into the caller’s buffers',
      [
        { of: "node:tls 'data'", atMost: 0.7 },
        { of: ORIGINAL, atMost: 0.95 },
        { of: C, atMost: 1.1 },
      ],
      (transfers) => ({
        '@x/socket': transfers.script('@x/socket', { work: 'onread' }),
        "node:tls 'data'": transfers.script('node:tls', { work: 'receive' }),
        'node:tls onread': transfers.script('node:tls', { work: 'onread' }),
        [ORIGINAL]: transfers.program('transfer.pl', 'receive', 64 * KB),
        [C]: transfers.program('transfer.c', 'receive', 64 * KB),
      }),
    ),
    await row(
      'send in 1 KB writes',
      [
        { of: 'node:tls', atMost: 0.5 },
        { of: ORIGINAL, atMost: 0.12 },
      ],
      (transfers) => ({
        '@x/socket': transfers.script('@x/socket', { work: 'send', size: KB }),
        'node:tls': transfers.script('node:tls', { work: 'send', size: KB }),
        // a write of its own for each, so less of it
        [ORIGINAL]: transfers.program('transfer.pl', 'send', KB, 64),
      }),
    ),
    await row(
      'send in 64 KB writes',
      [
        { of: 'node:tls', atMost: 0.8 },
        { of: C, atMost: 1.1 },
      ],
      (transfers) => ({
        '@x/socket': transfers.script('@x/socket', { work: 'send', size: 64 * KB }),
        'node:tls': transfers.script('node:tls', { work: 'send', size: 64 * KB }),
        'node:tls in 256 KB writes': transfers.script('node:tls', { work: 'send', size: 256 * KB }),
        [C]: transfers.program('transfer.c', 'send', 64 * KB),
      }),
    ),
  ]
}

async function row(
  name: string,
  goals: readonly Goal[],
  subjects: (transfers: Transfers) => Readonly<Record<string, Measure>>,
): Promise<BenchRow> {
  const transfers = await Transfers.start()
  return { name: `socket: ${name}`, measure: subjects(transfers), unit: 's/GB', goals, close: transfers.close }
}
