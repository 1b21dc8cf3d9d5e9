import type { BenchRow } from '../src/row.ts'
import { type Transfer, Transfers } from '../src/transfer-subject.ts'

/** What it costs to carry TLS record by record, beside the native engine: CPU seconds of this side per GB. */
export default async function rows(): Promise<BenchRow[]> {
  return [
    await row('receive over the record engine', { work: 'receive' }, 1.2),
    await row('send over the record engine, 64 KB writes', { work: 'send', size: 65_536 }, 1.8),
  ]
}

async function row(name: string, transfer: Transfer, atMost: number): Promise<BenchRow> {
  const transfers = await Transfers.start()
  return {
    name,
    unit: 's/GB',
    measure: {
      'record engine': transfers.script('@x/socket', { ...transfer, stoppable: true }),
      'native engine': transfers.script('@x/socket', transfer),
    },
    goals: [{ of: 'native engine', atMost }],
    close: transfers.close,
  }
}
