import { SecureSocketError } from './errors.ts'

/** The presentation language of RFC 8446 section 3: numbers and vectors, between two places of a message. */
export class Fields {
  readonly #bytes: Uint8Array
  #at: number
  readonly #end: number

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.#bytes = bytes
    this.#at = at
    this.#end = end
  }

  get left(): number {
    return this.#end - this.#at
  }

  number(size: 1 | 2 | 3): number {
    const at = this.#at
    this.skip(size)
    return number(this.#bytes, at, size)
  }

  /** The length of a vector that lies within. */
  length(size: 1 | 2): number {
    const length = this.number(size)
    if (length > this.left) throw malformed('it ends too early')
    return length
  }

  /** The length of a vector that takes all that is left. */
  enter(size: 2 | 3): void {
    const length = this.number(size)
    if (length > this.left) throw malformed('it ends too early')
    if (length < this.left) throw malformed('bytes left over')
  }

  skip(length: number): void {
    if (length > this.left) throw malformed('it ends too early')
    this.#at += length
  }

  /** The next bytes, to be read on their own. */
  part(length: number): Fields {
    return new Fields(this.#bytes, this.#at, this.#at + length)
  }

  take(length: number): Uint8Array {
    this.skip(length)
    return this.#bytes.subarray(this.#at - length, this.#at)
  }

  numbers(lengthSize: 1 | 2, size: 1 | 2): number[] {
    const end = this.#at + lengthSize + this.length(lengthSize)
    const values: number[] = []
    while (this.#at < end) values.push(this.number(size))
    return values
  }

  /** All that is left, one character per byte. */
  rest(): string {
    const { buffer, byteOffset } = this.#bytes
    return Buffer.from(buffer, byteOffset + this.#at, this.left).toString('latin1')
  }
}

/** A number in network order. */
export function number(bytes: Uint8Array, at: number, size: 1 | 2 | 3): number {
  let value = 0
  for (let i = at; i < at + size; i++) value = (value << 8) | (bytes[i] as number)
  return value
}

/** The one error of a hello that is none. */
export function malformed(what: string): SecureSocketError {
  return new SecureSocketError('ERR_SECURE_SOCKET_CLIENT_HELLO', `the client's first message is malformed: ${what}`, {
    phase: 'handshake',
  })
}
