import type { CaStore } from './ca-store.ts'
import { detectCaStore } from './detect.ts'
import { loadCaStore } from './load.ts'
import type { LoadCaStoreOptions } from './options.ts'
import { defaultSlot } from './slot.ts'

/**
 * The store of this process: what `setDefaultCaStore` set, else what is detected at the first call and kept (the original's
 * `default_ca`). All copies of this package in a process share it.
 *
 * @throws CaStoreError ERR_CA_ENVIRONMENT where SSL_CERT_FILE or SSL_CERT_DIR is set but unusable; ERR_CA_EMPTY
 */
export function defaultCaStore(): CaStore {
  const slot = defaultSlot()
  slot.store ??= detectCaStore()
  return slot.store
}

/**
 * Sets the store that `defaultCaStore` answers, loading it at once; `undefined` forgets it and what was detected, so that the
 * next question detects again. Where loading throws, the default stays what it was.
 *
 * @throws TypeError, CaStoreError as {@link loadCaStore} does
 */
export function setDefaultCaStore(options: LoadCaStoreOptions | undefined): void {
  defaultSlot().store = options === undefined ? undefined : loadCaStore(options)
}
