// not run by itself: part of service.ts. Redis as the place where an EncryptedSessionStore keeps its sealed entries.
import type { ByteStore } from '@x/session-cache'
import type { createClient } from 'redis'

export type Redis = ReturnType<typeof createClient>

/** Lists of octets in Redis. LPOP makes taking atomic: no two processes get the same session. */
export function redisLists(redis: Redis): ByteStore {
  const decode = (text: string | null): Buffer | undefined => (text === null ? undefined : Buffer.from(text, 'base64'))
  return {
    async put(name, bytes, { expires, keep }) {
      const text = Buffer.from(bytes).toString('base64')
      await redis
        .multi()
        .lPush(name, text)
        .lTrim(name, 0, keep - 1)
        .pExpireAt(name, Math.floor(expires))
        .exec()
    },
    take: async (name) => decode(await redis.lPop(name)),
    peek: async (name) => decode(await redis.lIndex(name, 0)),
    delete: async (name) => void (await redis.del(name)),
  }
}
