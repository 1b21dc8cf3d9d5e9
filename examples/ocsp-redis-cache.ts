// A cache that several processes share. What is in Redis is not trusted: responses are verified again when they are read,
// so that who can write there can make this process ask once more, or believe for a moment that a responder is down.
import {
  createOcspResponse,
  ocspCacheKey,
  type OcspCacheEntry,
  type OcspFetch,
  OcspResolver,
  type OcspStore,
  parseOcspRequest,
} from '@x/ocsp'
import { createAuthority } from '@x/utils'
import { createClient } from 'redis'

/** The two commands that are needed; a client of the package `redis` has them. */
interface Commands {
  get(key: string): Promise<string | null>
  set(key: string, value: string, options: { expiration: { type: 'PX'; value: number } }): Promise<unknown>
}

function redisStore(redis: Commands, prefix = 'ocsp:'): OcspStore {
  return {
    async get(key) {
      const text = await redis.get(prefix + key)
      if (text === null) return undefined
      const entry: unknown = JSON.parse(text, (name, value: unknown) =>
        name === 'response' && typeof value === 'string' ? Buffer.from(value, 'base64') : value,
      )
      return entry as OcspCacheEntry // whatever it is: nothing of it is believed
    },
    async put(key, entry) {
      const lifetime = Math.floor(entry.expires - Date.now())
      if (lifetime < 1) return
      const text = JSON.stringify(
        entry.kind === 'response' ? { ...entry, response: Buffer.from(entry.response).toString('base64') } : entry,
      )
      await redis.set(prefix + key, text, { expiration: { type: 'PX', value: lifetime } })
    },
  }
}

const ca = createAuthority('Example CA')
const leaf = ca.issue({ names: 'www.example.org', ocspUris: ['http://ocsp.example/'] })
let asked = 0
const fetch: OcspFetch = async (_url, init) => {
  asked++
  const { certIds, nonce } = parseOcspRequest(new Uint8Array(init.body as Uint8Array))
  const responses = certIds.map((certId) => ({ certId, status: 'good' as const }))
  return new Response(new Uint8Array(createOcspResponse({ signer: ca, responses, ...(nonce && { nonce }) })))
}

async function demonstrate(redis: Commands): Promise<void> {
  const cache = redisStore(redis)
  for (let i = 0; i < 2; i++) {
    const verdict = await new OcspResolver({ chain: [leaf, ca], cache }).resolve({ fetch })
    console.log(verdict.result, `after ${asked} question(s)`)
    // A verdict does not wait for the cache to be written; this demonstration does.
    while ((await cache.get(ocspCacheKey({ certificate: leaf, issuer: ca }))) === undefined)
      await new Promise(setImmediate)
  }
}

const url = process.env['REDIS_URL']
if (url === undefined) {
  console.log('REDIS_URL is not set: shown with a Map in its place')
  const map = new Map<string, string>()
  await demonstrate({ get: async (key) => map.get(key) ?? null, set: async (key, value) => map.set(key, value) })
} else {
  const redis = await createClient({ url }).connect()
  try {
    await demonstrate({ get: (key) => redis.get(key), set: (key, value, options) => redis.set(key, value, options) })
  } finally {
    await redis.close()
  }
}
