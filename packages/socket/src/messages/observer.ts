import type { RecordObserver } from '../engine/record.ts'
import type { TlsMessage } from './message.ts'

/** Makes messages out of the records and secrets of one connection. */
export function observe(_role: 'client' | 'server', _report: (message: TlsMessage) => void): RecordObserver {
  return { received: () => undefined, sent: () => undefined, secret: () => undefined }
}
