import { type CaStore, defaultCaStore, loadCaStore } from '@x/ca-store'
import { BoundedMap, contentKey, fileKey } from './content-key.ts'
import type { Resolved } from './resolve.ts'

/** The CAs of one side, as the checks and as node:tls want them. */
export interface Anchors {
  readonly store: CaStore | undefined
  /** What tells these anchors from others in a cache's key. */
  readonly key: string
  /** Options for tls.createSecureContext. */
  readonly contextOptions: { readonly ca?: string | string[] }
}

const stores = new BoundedMap<Anchors>(64)

/**
 * All of `ca`, `caFile`, `caPath` and `caStore` together; the default store where none is given; nothing where `ca` is `[]`.
 * A server that asks for no client certificates loads none (`needed` false).
 */
export function loadAnchors(context: Resolved['context'], needed: boolean): Anchors {
  const { ca, caFile, caPath, caStore } = context
  if (!needed) return { store: undefined, key: 'none', contextOptions: { ca: [] } }
  if (ca === undefined && caFile === undefined && caPath === undefined) {
    const store = caStore ?? defaultCaStore()
    return { store, key: contentKey(store), contextOptions: store.secureContextOptions() }
  }
  const key = contentKey([
    ca,
    caFile === undefined ? undefined : fileKey(caFile),
    caPath === undefined ? undefined : fileKey(caPath),
    caStore,
  ])
  let anchors = stores.get(key)
  if (anchors === undefined) {
    anchors = { ...combine(context), key }
    stores.set(key, anchors)
  }
  return anchors
}

function combine({ ca, caFile, caPath, caStore }: Resolved['context']): Omit<Anchors, 'key'> {
  const certificates = [...(Array.isArray(ca) ? ca : ca === undefined ? [] : [ca]), ...(caStore?.certificates ?? [])]
  if (certificates.length === 0 && caFile === undefined && caPath === undefined)
    return { store: undefined, contextOptions: { ca: [] } }
  const store = loadCaStore({
    ...(certificates.length === 0 ? {} : { certificates }),
    ...(caFile === undefined ? {} : { file: caFile }),
    ...(caPath === undefined ? {} : { path: caPath }),
  })
  return { store, contextOptions: store.secureContextOptions() }
}
