// not run by itself: part of main.ts. What a client says in clear before TLS starts.

/** Of a ClientHello: the name asked for and the protocols offered. */
export interface ClientHello {
  readonly servername: string | undefined
  readonly alpn: readonly string[]
}

/** `more`: not enough bytes yet. `undefined`: this is no TLS. */
export type HelloState = ClientHello | 'more' | undefined

const MAX_HELLO = 65_536

/** Reads the handshake message in the first TLS records (RFC 8446 sections 4.1.2 and 5.1). */
export function readClientHello(bytes: Buffer): HelloState {
  const message: Buffer[] = []
  let length = 0
  for (let at = 0; ; ) {
    if (bytes.length > at && bytes[at] !== 22) return undefined // a record of another kind
    if (bytes.length > at + 1 && bytes[at + 1] !== 3) return undefined
    if (bytes.length < at + 5) return bytes.length > MAX_HELLO ? undefined : 'more'
    const end = at + 5 + bytes.readUInt16BE(at + 3)
    const part = bytes.subarray(at + 5, end)
    message.push(part)
    length += part.length
    const joined = Buffer.concat(message)
    if (length >= 1 && joined[0] !== 1) return undefined
    if (length >= 4) {
      const wanted = 4 + joined.readUIntBE(1, 3)
      if (wanted > MAX_HELLO) return undefined
      if (length >= wanted) return parse(joined.subarray(4, wanted))
    }
    if (bytes.length < end) return 'more'
    at = end
  }
}

function parse(body: Buffer): ClientHello | undefined {
  try {
    let at = 34 // version and random
    at += 1 + body.readUInt8(at) // session id
    at += 2 + body.readUInt16BE(at) // cipher suites
    at += 1 + body.readUInt8(at) // compression methods
    return at === body.length ? { servername: undefined, alpn: [] } : readExtensions(body.subarray(at + 2))
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function readExtensions(bytes: Buffer): ClientHello {
  let servername: string | undefined
  const alpn: string[] = []
  for (let at = 0; at < bytes.length; ) {
    const type = bytes.readUInt16BE(at)
    const end = at + 4 + bytes.readUInt16BE(at + 2)
    const body = bytes.subarray(at + 4, end)
    // RFC 6066 section 3: a list of names, of which type 0 is the only one there is.
    if (type === 0 && body.readUInt8(2) === 0) servername = body.toString('latin1', 5, 5 + body.readUInt16BE(3))
    if (type === 16)
      for (let p = 2; p < body.length; p += 1 + body.readUInt8(p))
        alpn.push(body.toString('latin1', p + 1, p + 1 + body.readUInt8(p)))
    at = end
  }
  return { servername, alpn }
}
