import { DerError } from './errors.ts'

/** How deep `enter()` may nest unless told otherwise; certificates need about 12. */
export const MAX_DEPTH = 64

/**
 * Walks the elements of one level of DER without copying and without building a tree. The bytes must not change meanwhile.
 *
 * `next()` reads one header (X.690 sections 8.1.2 and 10.1); `tag`, `start`, `contentStart` and `contentEnd` then
 * describe that element as offsets into `bytes`. Refused with a {@link DerError}: indefinite and non-minimal lengths,
 * tags of more than one octet, lengths beyond the enclosing element, more than {@link MAX_DEPTH} levels.
 * Not checked: whether the content of a primitive element is valid; the `read…` functions do that.
 */
export class DerCursor {
  readonly bytes: Uint8Array
  readonly end: number
  /** Offset of the next element to read. */
  position: number
  /** The current element, after `next()`. */
  tag = 0
  start: number
  contentStart: number
  contentEnd: number
  readonly #levelsLeft: number

  /**
   * Over `bytes` from `start` to `end`; `levels` is how often `enter()` may go deeper.
   * @throws TypeError `ERR_INVALID_ARG_TYPE` where `bytes` are not octets, `ERR_INVALID_ARG_VALUE` where the range is not in them.
   */
  constructor(bytes: Uint8Array, start = 0, end?: number, levels: number = MAX_DEPTH) {
    if (!(bytes instanceof Uint8Array)) checkOctets(bytes)
    end ??= bytes.length
    if (!(start >= 0 && start <= end && end <= bytes.length))
      throw argumentError('ERR_INVALID_ARG_VALUE', `start and end must lie within the ${bytes.length} bytes, in order`)
    this.bytes = bytes
    this.end = end
    this.position = start
    this.start = start
    this.contentStart = start
    this.contentEnd = start
    this.#levelsLeft = levels
  }

  /** True when this level has no further element. */
  get done(): boolean {
    return this.position >= this.end
  }

  /** The next element's tag without reading it; -1 at the end. */
  peekTag(): number {
    return this.position < this.end ? (this.bytes[this.position] as number) : -1
  }

  /**
   * Reads one element's header and steps over its content. Returns its tag.
   * @throws DerError `ERR_DER_TRUNCATED`, `ERR_DER_LONG_TAG`, `ERR_DER_INDEFINITE_LENGTH`, `ERR_DER_LENGTH_TOO_LARGE`,
   *   `ERR_DER_NON_MINIMAL_LENGTH`.
   */
  next(): number {
    const { bytes, end } = this
    let p = this.position
    if (end - p < 2) throw new DerError('ERR_DER_TRUNCATED', 'expected an element', p)
    const tag = bytes[p] as number
    if ((tag & 0x1f) === 0x1f) throw new DerError('ERR_DER_LONG_TAG', 'tags of several octets are not supported', p)
    this.start = p
    let length = bytes[p + 1] as number
    p += 2
    if (length >= 0x80) {
      const octets = length & 0x7f
      if (octets === 0) throw new DerError('ERR_DER_INDEFINITE_LENGTH', 'indefinite length is not DER', p - 1)
      if (octets > 4) throw new DerError('ERR_DER_LENGTH_TOO_LARGE', 'length of more than 4 octets', p - 1)
      if (octets > end - p) throw new DerError('ERR_DER_TRUNCATED', 'length is cut off', p)
      length = 0
      for (const stop = p + octets; p < stop; p++) length = length * 256 + (bytes[p] as number)
      if (length < 0x80 || bytes[this.start + 2] === 0)
        throw new DerError('ERR_DER_NON_MINIMAL_LENGTH', 'length is not in its shortest form', this.start + 1)
    }
    if (length > end - p)
      throw new DerError('ERR_DER_TRUNCATED', `content of ${length} bytes, but only ${end - p} are left`, this.start)
    this.tag = tag
    this.contentStart = p
    this.contentEnd = p + length
    this.position = p + length
    return tag
  }

  /**
   * Reads one element, which must have this tag.
   * @throws DerError `ERR_DER_UNEXPECTED_TAG`, or what `next()` throws.
   */
  expect(tag: number): this {
    const found = this.next()
    if (found !== tag) throw unexpectedTag(tag, found, this.start)
    return this
  }

  /** Reads the next element if it has this tag; otherwise reads nothing and returns false. */
  optional(tag: number): boolean {
    if (this.peekTag() !== tag) return false
    this.next()
    return true
  }

  /**
   * A cursor over the content of the current element, one level deeper.
   * @throws DerError `ERR_DER_TOO_DEEP` when the levels are used up.
   */
  enter(): DerCursor {
    if (!(this.#levelsLeft > 0)) throw new DerError('ERR_DER_TOO_DEEP', 'nested too deeply', this.start)
    return new DerCursor(this.bytes, this.contentStart, this.contentEnd, this.#levelsLeft - 1)
  }

  /** `expect(tag)` then `enter()`. */
  enterExpected(tag: number): DerCursor {
    return this.expect(tag).enter()
  }

  /**
   * Refuses anything left on this level.
   * @throws DerError `ERR_DER_TRAILING_DATA` at the first byte too many.
   */
  finish(): void {
    if (this.position < this.end)
      throw new DerError('ERR_DER_TRAILING_DATA', `${this.end - this.position} bytes too many`, this.position)
  }

  /** The current element's content: a view, not a copy. */
  content(): Uint8Array {
    return this.bytes.subarray(this.contentStart, this.contentEnd)
  }

  /** The current element with its header: a view, not a copy. */
  element(): Uint8Array {
    return this.bytes.subarray(this.start, this.contentEnd)
  }
}

/** A cursor over the content of the one SEQUENCE (or other `tag`) that `bytes` must be, with nothing behind it. */
export function openDer(bytes: Uint8Array, tag = 0x30): DerCursor {
  const outer = new DerCursor(bytes)
  const inner = outer.enterExpected(tag)
  outer.finish()
  return inner
}

function unexpectedTag(expected: number, found: number, at: number): DerError {
  const message = `expected tag 0x${expected.toString(16)}, found 0x${found.toString(16)}`
  return new DerError('ERR_DER_UNEXPECTED_TAG', message, at)
}

/** Octets of another realm (a vm context, a test runner's sandbox) are octets too; text, numbers and wider elements are not. */
function checkOctets(bytes: unknown): void {
  if (ArrayBuffer.isView(bytes) && Object.prototype.toString.call(bytes) === '[object Uint8Array]') return
  throw argumentError('ERR_INVALID_ARG_TYPE', 'bytes must be a Uint8Array')
}

function argumentError(code: string, message: string): TypeError {
  return Object.assign(new TypeError(message), { code })
}
