import type { ByteStore, SessionEntry } from '../src/index.ts'

let count = 0

/** An entry with bytes of its own, good for an hour from the beginning of 1970 unless told. */
export function entry(changes: Partial<SessionEntry> = {}): SessionEntry {
  const session = Buffer.from(`session ${++count}`)
  return {
    session,
    protocol: 'TLSv1.3',
    expires: 3_600_000,
    chain: [],
    name: 'example.org',
    evidence: null,
    ...changes,
  }
}

/** What a Redis of one process would do. */
export class MemoryByteStore implements ByteStore {
  readonly lists: Map<string, Uint8Array[]> = new Map()

  put(name: string, bytes: Uint8Array, { keep }: { readonly keep: number }): void {
    this.lists.set(name, [bytes, ...(this.lists.get(name) ?? [])].slice(0, keep))
  }

  take(name: string): Uint8Array | undefined {
    return this.lists.get(name)?.shift()
  }

  peek(name: string): Uint8Array | undefined {
    return this.lists.get(name)?.[0]
  }

  delete(name: string): void {
    this.lists.delete(name)
  }
}
