/** The header of a TLS record (RFC 8446 section 5.1): type, version, length. */
export const RECORD_HEADER = 5
/** RFC 5246 section 6.2.3: a protected record holds at most 2^14 + 2048 bytes. */
const MAX_PAYLOAD = 16_384 + 2_048

/**
 * Cuts a stream of bytes into TLS records, without copying where a record lies in one chunk.
 * Bytes that cannot begin a record make it `broken`: they stay, and nothing after them is looked at.
 */
export class RecordFramer {
  #parts: Uint8Array[] = []
  #length = 0
  #needed = RECORD_HEADER
  #broken = false

  /** Bytes taken in that `next()` has not given out. */
  get length(): number {
    return this.#length
  }

  /** True where the bytes at hand are no TLS record: wrong type, version or length. */
  get broken(): boolean {
    return this.#broken
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    this.#parts.push(chunk)
    this.#length += chunk.length
  }

  /** The next whole record with its header, or undefined. */
  next(): Uint8Array | undefined {
    if (this.#broken || this.#length === 0) return undefined
    if (this.#needed === RECORD_HEADER) {
      const type = this.#at(0)
      // change_cipher_spec, alert, handshake, application_data; the major version of every TLS is 3
      if (type < 20 || type > 23 || (this.#length > 1 && this.#at(1) !== 3)) return this.#break()
      if (this.#length < RECORD_HEADER) return undefined
      const payload = this.#at(3) * 256 + this.#at(4)
      if (payload > MAX_PAYLOAD) return this.#break()
      this.#needed = RECORD_HEADER + payload
    }
    if (this.#length < this.#needed) return undefined
    const record = this.#take(this.#needed)
    this.#needed = RECORD_HEADER
    return record
  }

  /** All that is left, in one piece; the framer is empty then. */
  rest(): Uint8Array | undefined {
    if (this.#length === 0) return undefined
    this.#needed = RECORD_HEADER
    return this.#take(this.#length)
  }

  #break(): undefined {
    this.#broken = true
    return undefined
  }

  #at(offset: number): number {
    let left = offset
    for (const part of this.#parts) {
      if (left < part.length) return part[left] as number
      left -= part.length
    }
    return -1
  }

  #take(length: number): Uint8Array {
    this.#length -= length
    const first = this.#parts[0] as Uint8Array
    if (first.length > length) {
      this.#parts[0] = first.subarray(length)
      return first.subarray(0, length)
    }
    if (first.length === length) {
      this.#parts.shift()
      return first
    }
    const taken = Buffer.allocUnsafe(length)
    let filled = 0
    let used = 0
    for (const part of this.#parts) {
      const fits = part.length <= length - filled ? part : part.subarray(0, length - filled)
      taken.set(fits, filled)
      filled += fits.length
      if (fits.length < part.length) {
        this.#parts[used] = part.subarray(fits.length)
        break
      }
      used++
      if (filled === length) break
    }
    this.#parts.splice(0, used)
    return taken
  }
}
