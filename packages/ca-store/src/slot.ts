import type { CaStore } from './ca-store.ts'

/** The process's default store: what the program set, else what was detected; undefined where nobody asked yet. */
export interface DefaultSlot {
  store: CaStore | undefined
}

const KEY: unique symbol = Symbol.for('@x/ca-store')

/** One slot for the process, however many copies of this package are loaded. */
export function defaultSlot(): DefaultSlot {
  const holder: typeof globalThis & { [KEY]?: DefaultSlot } = globalThis
  holder[KEY] ??= { store: undefined }
  return holder[KEY]
}

/** Puts `next` into the slot where `old` is in it. */
export function replaceDefault(old: CaStore, next: CaStore): void {
  const slot = defaultSlot()
  if (slot.store === old) slot.store = next
}
