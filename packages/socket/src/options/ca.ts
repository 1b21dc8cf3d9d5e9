import { delimiter } from 'node:path'
import { type CaStore, defaultCaStore, loadCaStore, type TrustPurpose } from '@x/ca-store'
import { invalidValue } from '../errors.ts'
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
 * A server that asks for no client certificates loads none (`needed` false). `purpose` is what the peers' certificates are for.
 */
export function loadAnchors(
  context: Resolved['context'],
  needed: boolean,
  purpose: TrustPurpose = 'serverAuth',
): Anchors {
  const { ca, caFile, caPath, caStore } = context
  if (!needed) return { store: undefined, key: 'none', contextOptions: { ca: [] } }
  if (ca === undefined && caFile === undefined && caPath === undefined) {
    const store = caStore ?? defaultCaStore()
    return { store, key: contentKey(store), contextOptions: store.secureContextOptions() }
  }
  const key = contentKey([
    purpose,
    ca,
    caFile === undefined ? undefined : fileKey(caFile),
    caPath === undefined ? undefined : directoriesOf(caPath).map(fileKey),
    caStore,
  ])
  let anchors = stores.get(key)
  if (anchors === undefined) {
    anchors = { ...combine(context, purpose), key }
    stores.set(key, anchors)
  }
  return anchors
}

/** The directories of `caPath`, which may be several, as OpenSSL reads it. */
export function directoriesOf(caPath: string): readonly string[] {
  return caPath.split(delimiter).filter((directory) => directory !== '')
}

function combine({ ca, caFile, caPath, caStore }: Resolved['context'], purpose: TrustPurpose): Omit<Anchors, 'key'> {
  const certificates = [...(Array.isArray(ca) ? ca : ca === undefined ? [] : [ca]), ...(caStore?.raw ?? [])]
  if (certificates.length === 0 && caFile === undefined && caPath === undefined)
    return { store: undefined, contextOptions: { ca: [] } }
  // the store's anchors are taken, and whom it distrusts would be forgotten
  if (caStore?.errors.some(({ code }) => code === 'ERR_CA_DISTRUSTED') === true)
    throw invalidValue('caStore', "distrusts certificates, so it cannot be combined with 'ca', 'caFile' and 'caPath'")
  const store = loadCaStore({
    ...(certificates.length === 0 ? {} : { certificates }),
    ...(caFile === undefined ? {} : { file: caFile }),
    ...(caPath === undefined ? {} : { path: caPath }),
    purpose,
  })
  return { store, contextOptions: store.secureContextOptions() }
}

/** The CAs to be named to clients, where they are not those that are trusted (rule 16). They are never anchors. */
export function clientCaNames({ clientCaNames: names }: Resolved['context']): Anchors | undefined {
  if (names === undefined) return undefined
  const list = Array.isArray(names) ? names : [names]
  if (list.length === 0) return { store: undefined, key: 'no names', contextOptions: { ca: [] } }
  const store = loadCaStore({ certificates: list })
  return { store, key: `names ${store.digest}`, contextOptions: store.secureContextOptions() }
}
