/** The header of a TLS record (RFC 8446 section 5.1): type, version, length. */
export const RECORD_HEADER = 5
/** RFC 5246 section 6.2.3: a protected record holds at most 2^14 + 2048 bytes. */
const MAX_PAYLOAD = 16_384 + 2_048
const NOTHING = new Uint8Array(0)

export interface FramerOptions {
  /** A record that came in several chunks is given out in a buffer that the following one fills again: for whoever is done with it by then. */
  readonly reuses?: boolean
}

/**
 * Cuts a stream of bytes into TLS records, without copying where a record lies in one chunk.
 * Bytes that cannot begin a record make it `broken`: they stay, and nothing after them is looked at.
 */
export class RecordFramer {
  readonly #reuses: boolean
  /** What came last; what is before `#at` has been given out. */
  #chunk: Uint8Array = NOTHING
  #at = 0
  #lent = false
  /** Begins with `#held` bytes of a record whose end has not come. They come before `#chunk`. */
  #begun: Uint8Array = NOTHING
  #held = 0
  #broken = false

  constructor({ reuses = false }: FramerOptions = {}) {
    this.#reuses = reuses
  }

  /** Bytes taken in that `next()` has not given out. */
  get length(): number {
    return this.#held + this.#chunk.length - this.#at
  }

  /** True where the bytes at hand are no TLS record: wrong type, version or length. */
  get broken(): boolean {
    return this.#broken
  }

  /** `lent`: the chunk is the caller's again once `next()` has given nothing more, or `rest()` or `keep()` has been called. */
  push(chunk: Uint8Array, lent = false): void {
    if (chunk.length === 0) return
    const before = this.#chunk.subarray(this.#at)
    this.#chunk = before.length === 0 ? chunk : Buffer.concat([before, chunk])
    this.#lent = lent && before.length === 0
    this.#at = 0
  }

  /** The next whole record with its header, or undefined. */
  next(): Uint8Array | undefined {
    if (this.#broken || this.length === 0) return undefined
    return this.#held === 0 ? this.#whole() : this.#completed()
  }

  /** All that is left, in one piece of its own; the framer is empty then. */
  rest(): Uint8Array | undefined {
    if (this.length === 0) return undefined
    const came = this.#chunk.subarray(this.#at)
    const begun = this.#begun.subarray(0, this.#held)
    this.#held = 0
    this.#forget()
    return begun.length === 0 && !this.#lent ? came : Buffer.concat([begun, came])
  }

  /** Copies what is left of a chunk that was lent. */
  keep(): void {
    if (!this.#lent) return
    this.#chunk = Uint8Array.prototype.slice.call(this.#chunk, this.#at)
    this.#at = 0
    this.#lent = false
  }

  #whole(): Uint8Array | undefined {
    const start = this.#at
    const length = recordLength(this.#chunk, start, this.#chunk.length)
    if (length === undefined) return this.#break()
    const end = start + length
    if (length === 0 || end > this.#chunk.length) {
      this.#room(Math.max(length, RECORD_HEADER))
      this.#take(this.#chunk.length - start)
      return undefined
    }
    const record = this.#chunk.subarray(start, end)
    this.#at = end
    if (end === this.#chunk.length) this.#forget()
    return record
  }

  #completed(): Uint8Array | undefined {
    this.#take(RECORD_HEADER - this.#held)
    const length = recordLength(this.#begun, 0, this.#held)
    if (length === undefined) return this.#break()
    if (length === 0) return undefined
    this.#room(length)
    this.#take(length - this.#held)
    if (this.#held < length) return undefined
    const record = this.#begun.subarray(0, length)
    this.#held = 0
    if (!this.#reuses) this.#begun = NOTHING
    return record
  }

  /** Moves so many bytes behind the record that has begun, or as many as there are. */
  #take(wanted: number): void {
    const end = Math.min(this.#chunk.length, this.#at + Math.max(wanted, 0))
    this.#begun.set(this.#chunk.subarray(this.#at, end), this.#held)
    this.#held += end - this.#at
    this.#at = end
    if (end === this.#chunk.length) this.#forget()
  }

  #room(length: number): void {
    if (this.#begun.length >= length) return
    const larger = Buffer.allocUnsafeSlow(length)
    larger.set(this.#begun.subarray(0, this.#held))
    this.#begun = larger
  }

  #forget(): void {
    this.#chunk = NOTHING
    this.#at = 0
  }

  #break(): undefined {
    this.#broken = true
    return undefined
  }
}

/** How long the record is that begins at `from`, as far as its header has come: 0 where it has not, undefined where it is none. */
function recordLength(bytes: Uint8Array, from: number, to: number): number | undefined {
  const type = bytes[from] as number
  // change_cipher_spec, alert, handshake, application_data; the major version of every TLS is 3
  if (type < 20 || type > 23 || (to - from > 1 && bytes[from + 1] !== 3)) return undefined
  if (to - from < RECORD_HEADER) return 0
  const payload = (bytes[from + 3] as number) * 256 + (bytes[from + 4] as number)
  return payload > MAX_PAYLOAD ? undefined : RECORD_HEADER + payload
}
