/** A tag, and where its content lies. */
export interface Element {
  readonly tag: number
  readonly start: number
  readonly end: number
}

/** The element of DER at an offset; undefined where its length is indefinite or leads outside. @throws RangeError at the end of the bytes */
export function readElement(bytes: Buffer, at: number): Element | undefined {
  const tag = bytes.readUInt8(at)
  const first = bytes.readUInt8(at + 1)
  const size = first < 0x80 ? 0 : first - 0x80
  if (first === 0x80 || size > 4) return undefined
  const length = size === 0 ? first : bytes.readUIntBE(at + 2, size)
  const start = at + 2 + size
  return start + length <= bytes.length ? { tag, start, end: start + length } : undefined
}

const wrapper = Buffer.from('\0nodejs:tls:session:1\0', 'latin1')

/** Where OpenSSL's SSL_SESSION begins in what Node gives: Node 22 and later put it behind a header with the servername. */
export function startOfSession(session: Buffer): number {
  if (!session.subarray(0, wrapper.length).equals(wrapper)) return 0
  return wrapper.length + 2 + session.readUInt16BE(wrapper.length)
}
