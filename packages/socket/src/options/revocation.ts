import { CrlStore } from '@x/crl'
import { OcspCache, type OcspStore } from '@x/ocsp'
import type { RevocationPolicy } from '../verify/policy.ts'
import { directoriesOf } from './ca.ts'
import { BoundedMap, contentKey, fileKey } from './content-key.ts'
import type { Resolved } from './resolve.ts'

/** Staples and answers of the whole process, as the original has it by default for one context. */
const processCache = new OcspCache({ maxSize: 1000 })

const stores = new BoundedMap<CrlStore>(32)

/** The frozen revocation policy that these options mean. Servers are stapled nothing. */
export function revocationPolicy(role: 'client' | 'server', { policy, context }: Resolved): RevocationPolicy {
  const { revocation = {}, crl, now } = policy
  const {
    staple = role === 'client' ? 'try' : 'off',
    online = false,
    failure = 'soft',
    depth = 'leaf',
    onStaple,
    crlFile,
    fetch,
  } = revocation
  const cache: OcspStore = revocation.cache ?? processCache
  const crlDepth = revocation.crlDepth ?? (crl !== undefined ? 'chain' : crlFile !== undefined ? 'leaf' : undefined)
  const path = crlDepth === undefined || context.caPath === undefined ? undefined : directoriesOf(context.caPath)
  const sources = contentKey([crl, crlFile, path, fetch, now])
  let crls = stores.get(sources)
  if (crls === undefined) {
    crls = new CrlStore({
      ...(crl === undefined ? {} : { crls: crl as string }),
      ...(crlFile === undefined ? {} : { file: crlFile }),
      ...(path === undefined ? {} : { path }),
      ...(fetch === undefined ? {} : { fetch }),
      ...(now === undefined ? {} : { now }),
    })
    stores.set(sources, crls)
  }
  return Object.freeze({
    staple: role === 'client' ? staple : 'off',
    online,
    failure,
    depth,
    crlDepth,
    onStaple,
    timeout: revocation.timeout ?? 10_000,
    listsKey: contentKey([crl, crlFile === undefined ? undefined : fileKey(crlFile), path?.map(fileKey)]),
    cache,
    cacheMayKnow: () => !(cache instanceof OcspCache) || cache.size > 0,
    crls,
    fetch,
  })
}
