/** No slot; its record is the sentinel of the ring of all slots. */
const none = 0

/** A slot's record is 32 bytes, one half of a cache line: six words, and the expiry as a double. */
const words = 8
/** Ring of all slots through `none`: its `used` is the most recently used one, its `unused` the least. */
const used = 0
const unused = 1
/** Ring of the slots of one key. `older` of the oldest is the newest. */
const older = 2
const newer = 3
/** Slots of the key; valid at the oldest only, which is the one that the map points to. */
const count = 4
const reusable = 5
const expiry = 3

/**
 * Values in order of use, many under one key: doubly linked lists in one typed array, so that a million of them cost no objects of
 * ours and a look-up touches one record. A slot is the place of its record in `#links`, a multiple of 8, so that no look-up multiplies.
 */
export class Shelf<T> {
  readonly #maxSize: number
  readonly #oldest = new Map<string, number>()
  readonly #values: (T | undefined)[] = [undefined]
  readonly #keys: string[] = ['']
  #links: Int32Array<ArrayBuffer>
  #times: Float64Array<ArrayBuffer>
  /** Unused slots, linked through `used`. */
  #free = none
  #size = 0

  constructor(maxSize: number) {
    this.#maxSize = maxSize
    const buffer = new ArrayBuffer((Math.min(maxSize, 63) + 1) * words * 4)
    this.#links = new Int32Array(buffer)
    this.#times = new Float64Array(buffer)
  }

  get size(): number {
    return this.#size
  }

  /**
   * The newest value of a key that expires after `now()`: marked as the most recently used where it was added as reusable, else
   * taken out. What has expired is dropped on the way.
   */
  take(key: string, now: () => number): T | undefined {
    const oldest = this.#oldest.get(key)
    if (oldest === undefined) return undefined
    const time = now()
    let slot = this.#links[oldest + older] as number
    // Written so that a clock which answers NaN hands out nothing.
    while (!(time < (this.#times[(slot >> 1) + expiry] as number))) {
      slot = this.remove(slot)
      if (slot === none) return undefined
    }
    const value = this.#values[slot >> 3] as T
    if (this.#links[slot + reusable] === 1) this.#touch(slot)
    else this.remove(slot)
    return value
  }

  /** Puts a value in front; drops the key's oldest beyond `maxPerKey`, and the least recently used of all beyond the maximum. */
  add(key: string, value: T, expires: number, isReusable: boolean, maxPerKey: number): void {
    let oldest = this.#oldest.get(key)
    if (oldest !== undefined && (this.#links[oldest + count] as number) >= maxPerKey) {
      this.remove(oldest)
      oldest = this.#oldest.get(key)
    }
    if (this.#size >= this.#maxSize) {
      const victim = this.#links[unused] as number
      this.remove(victim)
      if (victim === oldest) oldest = this.#oldest.get(key)
    }
    const slot = this.#freeSlot()
    const links = this.#links
    if (oldest === undefined) {
      this.#oldest.set(key, slot)
      links[slot + older] = slot
      links[slot + newer] = slot
      links[slot + count] = 1
    } else {
      const newest = links[oldest + older] as number
      links[slot + older] = newest
      links[slot + newer] = oldest
      links[newest + newer] = slot
      links[oldest + older] = slot
      links[oldest + count] = (links[oldest + count] as number) + 1
    }
    const first = links[used] as number
    links[slot + used] = first
    links[slot + unused] = none
    links[first + unused] = slot
    links[used] = slot
    links[slot + reusable] = isReusable ? 1 : 0
    this.#times[(slot >> 1) + expiry] = expires
    this.#values[slot >> 3] = value
    this.#keys[slot >> 3] = key
    this.#size++
  }

  /** Removes the key's values for which `test` holds. */
  removeWhere(key: string, test: (value: T) => boolean): void {
    const oldest = this.#oldest.get(key)
    if (oldest === undefined) return
    for (let slot = this.#links[oldest + older] as number; slot !== none; ) {
      slot = test(this.#values[slot >> 3] as T) ? this.remove(slot) : this.#olderThan(slot)
    }
  }

  /** Empties a slot and returns the next older one of the same key, or 0. */
  remove(slot: number): number {
    const links = this.#links
    const before = links[slot + unused] as number
    const after = links[slot + used] as number
    links[before + used] = after
    links[after + unused] = before
    const olderSlot = links[slot + older] as number
    const key = this.#keys[slot >> 3] as string
    let next = none
    if (olderSlot === slot) {
      this.#oldest.delete(key)
    } else {
      const newerSlot = links[slot + newer] as number
      links[olderSlot + newer] = newerSlot
      links[newerSlot + older] = olderSlot
      const oldest = this.#oldest.get(key) as number
      const left = (links[oldest + count] as number) - 1
      if (slot === oldest) {
        this.#oldest.set(key, newerSlot)
        links[newerSlot + count] = left
      } else {
        links[oldest + count] = left
        next = olderSlot
      }
    }
    this.#values[slot >> 3] = undefined
    this.#keys[slot >> 3] = ''
    links[slot + used] = this.#free
    this.#free = slot
    this.#size--
    return next
  }

  /** Every key and value, least recently used first. */
  *entries(): Generator<readonly [key: string, value: T]> {
    for (let slot = this.#links[unused] as number; slot !== none; slot = this.#links[slot + unused] as number) {
      yield [this.#keys[slot >> 3] as string, this.#values[slot >> 3] as T]
    }
  }

  #touch(slot: number): void {
    const links = this.#links
    const first = links[used] as number
    if (first === slot) return
    const before = links[slot + unused] as number
    const after = links[slot + used] as number
    links[before + used] = after
    links[after + unused] = before
    links[slot + used] = first
    links[slot + unused] = none
    links[first + unused] = slot
    links[used] = slot
  }

  #olderThan(slot: number): number {
    return this.#oldest.get(this.#keys[slot >> 3] as string) === slot ? none : (this.#links[slot + older] as number)
  }

  #freeSlot(): number {
    const free = this.#free
    if (free !== none) {
      this.#free = this.#links[free + used] as number
      return free
    }
    const slot = (this.#values.push(undefined) - 1) * words
    this.#keys.push('')
    if (slot >= this.#links.length) this.#grow()
    return slot
  }

  #grow(): void {
    const buffer = new ArrayBuffer(Math.min((this.#maxSize + 1) * words * 4, this.#links.byteLength * 2))
    const links = new Int32Array(buffer)
    links.set(this.#links)
    this.#links = links
    this.#times = new Float64Array(buffer)
  }
}
