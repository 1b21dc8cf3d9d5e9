import { type Clone, isClone } from './clone.ts'
import { InterceptError } from './errors.ts'
import type { CloneCacheFunction, CloneStore } from './options.ts'

/** Keeps clones by ident; the least recently used goes first. */
export class CloneCache implements CloneStore {
  readonly size: number
  readonly #clones = new Map<string, Clone>()

  constructor(size: number) {
    this.size = size
  }

  get(ident: string): Clone | undefined {
    const clone = this.#clones.get(ident)
    if (clone === undefined) return undefined
    this.#clones.delete(ident)
    this.#clones.set(ident, clone)
    return clone
  }

  set(ident: string, clone: Clone): void {
    this.#clones.delete(ident)
    this.#clones.set(ident, clone)
    if (this.#clones.size <= this.size) return
    const [oldest] = this.#clones.keys()
    if (oldest !== undefined) this.#clones.delete(oldest)
  }

  entries(): IterableIterator<[ident: string, clone: Clone]> {
    return this.#clones.entries()
  }
}

/**
 * The clone that the cache has for this ident, where it is still the right one: made from this origin by this interceptor, and
 * not due for renewal. Otherwise a new one, which replaces it. A stale answer of a cache function is replaced, but cannot be
 * removed from it.
 *
 * @throws InterceptError ERR_INTERCEPT_CACHE_INVALID where the cache gives back something else than it was given
 */
export function fromCache(
  cache: CloneStore | CloneCacheFunction,
  ident: string,
  isCurrent: (clone: Clone) => boolean,
  create: () => Clone,
): Clone {
  const found: unknown = typeof cache === 'function' ? cache(ident, create) : cache.get(ident)
  if (found !== undefined || typeof cache === 'function') {
    if (!isClone(found))
      throw new InterceptError('ERR_INTERCEPT_CACHE_INVALID', 'the cache returned something that is not a clone')
    if (isCurrent(found)) return found
  }
  const made = create()
  if (typeof cache !== 'function') cache.set(ident, made)
  return made
}
