import type { KeyObject } from 'node:crypto'
import { SessionCacheError } from './errors.ts'
import { invalidType, positiveInteger, refuseUnknownOptions } from './misuse.ts'
import { blindName, type SealingKey, seal, sealingKeys, unseal } from './sealing.ts'
import { SessionCache } from './session-cache.ts'
import { checkEntry, isReusable, type SessionEntry } from './session-entry.ts'
import type { SessionStore } from './session-store.ts'
import { readEntries, writeEntries } from './stored-entry.ts'
import { isProcessLocal } from './trust-key.ts'

type MaybePromise<T> = T | Promise<T>

/**
 * Lists of bytes outside the process, each under a short ASCII name. Redis: LPUSH with LTRIM and PEXPIREAT, LPOP, LINDEX 0, DEL.
 * What it holds needs no protection but against loss: it can be read and altered by others without harm.
 */
export interface ByteStore {
  /** Puts bytes in front of a list, cut to `keep` members; the list may be forgotten at `expires` (ms since 1970). */
  put(name: string, bytes: Uint8Array, limits: { readonly expires: number; readonly keep: number }): MaybePromise<void>
  /** Removes and returns the first member, atomically: no two callers, in whatever process, may get the same one. */
  take(name: string): MaybePromise<Uint8Array | null | undefined>
  /** The first member, left in place. */
  peek(name: string): MaybePromise<Uint8Array | null | undefined>
  /** Drops a list. */
  delete(name: string): MaybePromise<void>
}

/** What an `EncryptedSessionStore` is made with. */
export interface EncryptedSessionStoreOptions {
  readonly store: ByteStore
  /** 32 bytes, or several keys while they are rotated: the first one seals, all of them open. All processes that share need the same. */
  readonly key: SealingKey | readonly SealingKey[]
  /** In front of every name in the store. Default `'tls-session:'`. */
  readonly prefix?: string | undefined
  /** Milliseconds for one answer of the store. Default 1,000. */
  readonly timeout?: number | undefined
  /** Sessions of one key. Default 32. */
  readonly maxPerKey?: number | undefined
  /** The clock, in milliseconds since 1970. Default `Date.now`. */
  readonly now?: (() => number) | undefined
}

/**
 * Sessions in a store outside the process, encrypted and authenticated entry by entry. Names in the store are keyed digests, and an
 * entry opens only under the name it was stored at: whoever can write to the store can take sessions away or bring back old ones, but
 * can neither read one nor bring it under another trust key.
 *
 * Sessions under a key that holds a function, or that `trustKey` did not make, stay in this process: they are kept in `local`.
 *
 * @throws SessionCacheError (rejections) ERR_SESSION_STORE where the store fails or is too slow, ERR_SESSION_TAMPERED, ERR_SESSION_EVIDENCE.
 */
export class EncryptedSessionStore<E = unknown> implements SessionStore<E> {
  /** Where the sessions are that never leave this process. */
  readonly local: SessionCache<E>
  readonly #store: ByteStore
  readonly #keys: readonly KeyObject[]
  readonly #prefix: string
  readonly #timeout: number
  readonly #keep: number
  readonly #now: () => number

  constructor(options: EncryptedSessionStoreOptions) {
    refuseUnknownOptions(options, ['store', 'key', 'prefix', 'timeout', 'maxPerKey', 'now'])
    if (typeof options.store !== 'object' || options.store === null) throw invalidType('options.store', 'a ByteStore')
    if (options.prefix !== undefined && typeof options.prefix !== 'string')
      throw invalidType('options.prefix', 'a string')
    this.#store = options.store
    this.#keys = sealingKeys('options.key', options.key)
    this.#prefix = options.prefix ?? 'tls-session:'
    this.#timeout = positiveInteger('options.timeout', options.timeout, 1000)
    this.#keep = positiveInteger('options.maxPerKey', options.maxPerKey, 32)
    this.#now = options.now ?? Date.now
    this.local = new SessionCache({ maxPerKey: this.#keep, now: this.#now })
  }

  async add(key: string, session: SessionEntry<E>): Promise<void> {
    if (isProcessLocal(key)) {
      this.local.add(key, session)
      return
    }
    checkEntry(session)
    const sealer = this.#keys[0] as KeyObject
    const name = this.#name(sealer, key, isReusable(session))
    const bytes = seal(sealer, name, writeEntries([[key, session]]))
    await this.#ask(() => this.#store.put(name, bytes, { expires: session.expires, keep: this.#keep }))
  }

  async get(key: string): Promise<SessionEntry<E> | undefined> {
    if (isProcessLocal(key)) return this.local.get(key)
    for (const sealer of this.#keys) {
      const entry = (await this.#take(sealer, key)) ?? (await this.#peek(sealer, key))
      if (entry !== undefined) return entry
    }
    return undefined
  }

  /** Drops all sessions of a key, also where one is named: in the store they cannot be told apart. */
  async delete(key: string, session?: SessionEntry<E>): Promise<void> {
    if (isProcessLocal(key)) {
      this.local.delete(key, session)
      return
    }
    for (const sealer of this.#keys) {
      await this.#ask(() => this.#store.delete(this.#name(sealer, key, false)))
      await this.#ask(() => this.#store.delete(this.#name(sealer, key, true)))
    }
  }

  /** What is used once. Bounded by the length of a list, though others may add to it meanwhile. */
  async #take(sealer: KeyObject, key: string): Promise<SessionEntry<E> | undefined> {
    const name = this.#name(sealer, key, false)
    for (let i = 0; i < this.#keep; i++) {
      const bytes = await this.#ask(() => this.#store.take(name))
      if (bytes === undefined || bytes === null) return undefined
      const entry = this.#open(sealer, key, name, bytes)
      if (this.#now() < entry.expires) return entry
    }
    return undefined
  }

  async #peek(sealer: KeyObject, key: string): Promise<SessionEntry<E> | undefined> {
    const name = this.#name(sealer, key, true)
    const bytes = await this.#ask(() => this.#store.peek(name))
    if (bytes === undefined || bytes === null) return undefined
    try {
      const entry = this.#open(sealer, key, name, bytes)
      if (this.#now() < entry.expires) return entry
    } catch (error) {
      // Left in place it would stand before every later session of the key.
      await this.#ask(() => this.#store.delete(name))
      throw error
    }
    await this.#ask(() => this.#store.delete(name))
    return undefined
  }

  #open(sealer: KeyObject, key: string, name: string, bytes: Uint8Array): SessionEntry<E> {
    const [found] = readEntries<E>(unseal([sealer], name, bytes))
    if (found === undefined || found[0] !== key) {
      throw new SessionCacheError('ERR_SESSION_TAMPERED', 'the store holds the session of another key')
    }
    return found[1]
  }

  /** What is used once and what is not are apart, since one is taken and the other read. */
  #name(sealer: KeyObject, key: string, reusable: boolean): string {
    return this.#prefix + blindName(sealer, `${reusable ? 'many' : 'once'} ${key}`)
  }

  async #ask<T>(request: () => MaybePromise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(
          new SessionCacheError('ERR_SESSION_STORE', `the session store did not answer within ${this.#timeout} ms`),
        )
      }, this.#timeout)
    })
    try {
      return await Promise.race([Promise.resolve().then(request), late])
    } catch (cause) {
      if (cause instanceof SessionCacheError) throw cause
      throw new SessionCacheError('ERR_SESSION_STORE', 'the session store failed', { cause })
    } finally {
      clearTimeout(timer)
    }
  }
}
