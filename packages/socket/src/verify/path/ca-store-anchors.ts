import type { CaStore } from '@x/ca-store'
import { sameBytes } from '@x/der/x509'
import { byObject } from '../view.ts'
import type { AnchorSource } from './path-request.ts'

/** The certificates of a CA store as anchors; a hashed directory is read as far as names ask for it. */
export function caStoreAnchors(store: Pick<CaStore, 'origin' | 'findBySubject' | 'isDistrusted'>): AnchorSource {
  let anchors = known.get(store)
  if (anchors === undefined) {
    anchors = {
      isAnchor: (der) => unlessBroken(() => store.origin(der)) !== undefined,
      findIssuers: ({ issuer }) => unlessBroken(() => store.findBySubject(issuer)) ?? [],
      isDistrusted: byObject((der) => unlessBroken(() => store.isDistrusted(der)) ?? false),
    }
    known.set(store, anchors)
  }
  return anchors
}

/** A store does not change; a new one is made where its files have. */
const known = new WeakMap<object, AnchorSource>()

/** The store refuses malformed names; a peer may send them, and no anchor has them. */
function unlessBroken<T>(ask: () => T): T | undefined {
  try {
    return ask()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_CA_BROKEN_CERTIFICATE') return undefined
    throw error
  }
}

/** A plain list of certificates (DER) as anchors. */
export function listedAnchors(certificates: readonly Uint8Array[]): AnchorSource {
  return {
    isAnchor: (der) => certificates.some((anchor) => sameBytes(anchor, der)),
    findIssuers: () => certificates,
  }
}
