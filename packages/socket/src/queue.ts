/**
 * Items in the order of their arrival. Adding one, and removing any, takes the same time whatever there are, and leaves no garbage but the item's
 * place: a Set that is filled and emptied all the time is built anew each few items.
 */
export class Queue<T> {
  #first: Place<T> | undefined
  #last: Place<T> | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  get first(): T | undefined {
    return this.#first?.item
  }

  add(item: T): Place<T> {
    const place: Place<T> = { item, before: this.#last, after: undefined }
    if (this.#last === undefined) this.#first = place
    else this.#last.after = place
    this.#last = place
    this.#size++
    return place
  }

  /** Once for each place. */
  remove(place: Place<T>): void {
    const { before, after } = place
    if (before === undefined) this.#first = after
    else before.after = after
    if (after === undefined) this.#last = before
    else after.before = before
    this.#size--
  }

  /** All items as they are now. */
  list(): readonly T[] {
    const all: T[] = []
    for (let place = this.#first; place !== undefined; place = place.after) all.push(place.item)
    return all
  }
}

/** Where an item stands in a queue. */
export interface Place<T> {
  readonly item: T
  before: Place<T> | undefined
  after: Place<T> | undefined
}
