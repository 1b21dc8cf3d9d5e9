/** No slot; its record is the sentinel of the ring of all slots. */
const none = 0

/** A slot's record is 32 bytes, one half of a cache line: six words, and the expiry as a double. */
const words = 8
const doubles = 4
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
 * ours and a look-up touches one record. Slots are numbered from 1.
 */
export class Shelf<T> {
  readonly #maxSize: number
  readonly #oldest = new Map<string, number>()
  readonly #values: (T | undefined)[] = [undefined]
  readonly #keys: string[] = ['']
  #links: Uint32Array<ArrayBuffer>
  #times: Float64Array<ArrayBuffer>
  /** Unused slots, linked through `used`. */
  #free = none
  #size = 0

  constructor(maxSize: number) {
    this.#maxSize = maxSize
    const buffer = new ArrayBuffer((Math.min(maxSize, 63) + 1) * words * 4)
    this.#links = new Uint32Array(buffer)
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
    let slot = this.#links[oldest * words + older] as number
    // Written so that a clock which answers NaN hands out nothing.
    while (!(time < (this.#times[slot * doubles + expiry] as number))) {
      slot = this.remove(slot)
      if (slot === none) return undefined
    }
    const value = this.#values[slot] as T
    if (this.#links[slot * words + reusable] === 1) this.#touch(slot)
    else this.remove(slot)
    return value
  }

  /** Puts a value in front; drops the key's oldest beyond `maxPerKey`, and the least recently used of all beyond the maximum. */
  add(key: string, value: T, expires: number, isReusable: boolean, maxPerKey: number): void {
    let oldest = this.#oldest.get(key)
    if (oldest !== undefined && (this.#links[oldest * words + count] as number) >= maxPerKey) {
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
    const record = slot * words
    if (oldest === undefined) {
      this.#oldest.set(key, slot)
      links[record + older] = slot
      links[record + newer] = slot
      links[record + count] = 1
    } else {
      const start = oldest * words
      const newest = links[start + older] as number
      links[record + older] = newest
      links[record + newer] = oldest
      links[newest * words + newer] = slot
      links[start + older] = slot
      links[start + count] = (links[start + count] as number) + 1
    }
    const first = links[used] as number
    links[record + used] = first
    links[record + unused] = none
    links[first * words + unused] = slot
    links[used] = slot
    links[record + reusable] = isReusable ? 1 : 0
    this.#times[slot * doubles + expiry] = expires
    this.#values[slot] = value
    this.#keys[slot] = key
    this.#size++
  }

  /** Removes the key's values for which `test` holds. */
  removeWhere(key: string, test: (value: T) => boolean): void {
    const oldest = this.#oldest.get(key)
    if (oldest === undefined) return
    for (let slot = this.#links[oldest * words + older] as number; slot !== none; ) {
      slot = test(this.#values[slot] as T) ? this.remove(slot) : this.#olderThan(slot)
    }
  }

  /** Empties a slot and returns the next older one of the same key, or 0. */
  remove(slot: number): number {
    const links = this.#links
    const record = slot * words
    const before = links[record + unused] as number
    const after = links[record + used] as number
    links[before * words + used] = after
    links[after * words + unused] = before
    const olderSlot = links[record + older] as number
    const key = this.#keys[slot] as string
    let next = none
    if (olderSlot === slot) {
      this.#oldest.delete(key)
    } else {
      const newerSlot = links[record + newer] as number
      links[olderSlot * words + newer] = newerSlot
      links[newerSlot * words + older] = olderSlot
      const oldest = this.#oldest.get(key) as number
      const left = (links[oldest * words + count] as number) - 1
      if (slot === oldest) {
        this.#oldest.set(key, newerSlot)
        links[newerSlot * words + count] = left
      } else {
        links[oldest * words + count] = left
        next = olderSlot
      }
    }
    this.#values[slot] = undefined
    this.#keys[slot] = ''
    links[record + used] = this.#free
    this.#free = slot
    this.#size--
    return next
  }

  /** Every key and value, least recently used first. */
  *entries(): Generator<readonly [key: string, value: T]> {
    for (let slot = this.#links[unused] as number; slot !== none; slot = this.#links[slot * words + unused] as number) {
      yield [this.#keys[slot] as string, this.#values[slot] as T]
    }
  }

  #touch(slot: number): void {
    const links = this.#links
    const first = links[used] as number
    if (first === slot) return
    const record = slot * words
    const before = links[record + unused] as number
    const after = links[record + used] as number
    links[before * words + used] = after
    links[after * words + unused] = before
    links[record + used] = first
    links[record + unused] = none
    links[first * words + unused] = slot
    links[used] = slot
  }

  #olderThan(slot: number): number {
    return this.#oldest.get(this.#keys[slot] as string) === slot ? none : (this.#links[slot * words + older] as number)
  }

  #freeSlot(): number {
    const free = this.#free
    if (free !== none) {
      this.#free = this.#links[free * words + used] as number
      return free
    }
    const slot = this.#values.push(undefined) - 1
    this.#keys.push('')
    if (slot * words >= this.#links.length) this.#grow()
    return slot
  }

  #grow(): void {
    const buffer = new ArrayBuffer(Math.min((this.#maxSize + 1) * words * 4, this.#links.byteLength * 2))
    const links = new Uint32Array(buffer)
    links.set(this.#links)
    this.#links = links
    this.#times = new Float64Array(buffer)
  }
}
