import type { OcspStore } from './cache.ts'
import type { OcspFetch, OcspMethod } from './ask-responder.ts'

/** A request under way that several may wait for. */
export interface SharedRequest {
  readonly body: Promise<Uint8Array>
  readonly nonce: Uint8Array | undefined
  /** Waits for the body or for one's own signal; the request is given up when nobody waits any longer. */
  wait(signal: AbortSignal): Promise<Uint8Array>
}

/** What has to be the same for a request to be shared, besides responder and certificate. */
export interface SharedBy {
  readonly fetch: OcspFetch
  readonly method: OcspMethod
  /** Whether a nonce is sent: an answer without one must not serve somebody who insists on it. */
  readonly withNonce: boolean
}

/** By cache, since those who share a cache share its questions; then by responder and certificate. */
const underWay = new WeakMap<OcspStore, Map<string, { readonly by: SharedBy; readonly request: SharedRequest }>>()

/** The request that is under way to this responder about this certificate, if any. */
export function findShared(store: OcspStore, url: string, key: string, by: SharedBy): SharedRequest | undefined {
  const found = underWay.get(store)?.get(`${url} ${key}`)
  if (found === undefined) return undefined
  const { fetch, method, withNonce } = found.by
  return fetch === by.fetch && method === by.method && withNonce === by.withNonce ? found.request : undefined
}

/** Starts a request about these certificates, for others to join. */
export function startShared(
  store: OcspStore,
  url: string,
  keys: readonly string[],
  by: SharedBy,
  nonce: Uint8Array | undefined,
  start: (signal: AbortSignal) => Promise<Uint8Array>,
): SharedRequest {
  const controller = new AbortController()
  const body = start(controller.signal)
  const request: SharedRequest = { body, nonce, wait: waiting(body, controller) }
  const entries = underWay.get(store) ?? new Map<string, { by: SharedBy; request: SharedRequest }>()
  underWay.set(store, entries)
  for (const key of keys) entries.set(`${url} ${key}`, { by, request })
  const forget = (): void => {
    for (const key of keys) if (entries.get(`${url} ${key}`)?.request === request) entries.delete(`${url} ${key}`)
  }
  body.then(forget, forget)
  controller.signal.addEventListener('abort', forget, { once: true })
  return request
}

function waiting(body: Promise<Uint8Array>, controller: AbortController): SharedRequest['wait'] {
  let waiters = 0
  return async (signal) => {
    signal.throwIfAborted()
    waiters++
    let abort = (): void => undefined
    const aborted = new Promise<never>((_resolve, reject) => {
      abort = () => reject(signal.reason)
      signal.addEventListener('abort', abort, { once: true })
    })
    try {
      return await Promise.race([body, aborted])
    } finally {
      signal.removeEventListener('abort', abort)
      if (--waiters === 0) controller.abort()
    }
  }
}
