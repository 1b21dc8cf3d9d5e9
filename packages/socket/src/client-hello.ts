import { SecureSocketError } from './errors.ts'
import { RecordFramer } from './engine/record-framer.ts'

/** What a client says first (RFC 8446 section 4.1.2, RFC 5246 section 7.4.1.2). Numbers are those of the IANA registries, GREASE among them. */
export interface ClientHello {
  /** The version in the hello itself: 0x0303 for TLS 1.2 and 1.3. */
  readonly legacyVersion: number
  readonly random: Uint8Array
  readonly sessionId: Uint8Array
  readonly cipherSuites: readonly number[]
  /** In the order sent, each type once. */
  readonly extensions: readonly HelloExtension[]
  /** The name asked for (RFC 6066), as sent: compare without regard to case. */
  readonly serverName: string | undefined
  /** Protocols offered (RFC 7301), each byte a character. */
  readonly alpnProtocols: readonly string[]
  /** From the extension of that name; empty for a client that knows nothing above TLS 1.2. */
  readonly supportedVersions: readonly number[]
  readonly supportedGroups: readonly number[]
  readonly signatureAlgorithms: readonly number[]
  readonly pointFormats: readonly number[]
}

export interface HelloExtension {
  readonly type: number
  readonly data: Uint8Array
}

/** GREASE values (RFC 8701): 0x0a0a, 0x1a1a … 0xfafa. */
export function isGrease(value: number): boolean {
  return (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff)
}

export type HelloSearch =
  | { readonly kind: 'hello'; readonly message: Uint8Array }
  | { readonly kind: 'more' }
  | { readonly kind: 'not-tls' }

/** A hello with post-quantum key shares has about 1,800 bytes; nobody needs more than this. */
const MAX_HELLO = 65_536

/**
 * The ClientHello's handshake message at the start of what a client has sent, over as many records as it takes; `more` where bytes are
 * missing. Anything else than a hello of at most 65,536 bytes is `not-tls`.
 */
export function findClientHello(bytes: Uint8Array): HelloSearch {
  const framer = new RecordFramer()
  framer.push(bytes)
  const parts: Uint8Array[] = []
  let length = 0
  for (let record: Uint8Array | undefined; (record = framer.next()) !== undefined; ) {
    if (record[0] !== HANDSHAKE || record.length === RECORD_HEADER) return { kind: 'not-tls' }
    parts.push(record.subarray(RECORD_HEADER))
    length += record.length - RECORD_HEADER
    if (parts[0]?.[0] !== CLIENT_HELLO) return { kind: 'not-tls' }
    if (length < HANDSHAKE_HEADER) continue
    const message = Buffer.concat(parts)
    const needed = HANDSHAKE_HEADER + message.readUIntBE(1, 3)
    if (needed > MAX_HELLO) return { kind: 'not-tls' }
    if (length >= needed) return { kind: 'hello', message: message.subarray(0, needed) }
  }
  if (framer.broken || (bytes.length > 0 && bytes[0] !== HANDSHAKE)) return { kind: 'not-tls' }
  return { kind: 'more' }
}

/**
 * Reads a ClientHello: the handshake message with its four bytes of header.
 * @throws SecureSocketError ERR_SECURE_SOCKET_CLIENT_HELLO where it is malformed: lengths that do not add up, trailing bytes, an extension twice.
 */
export function parseClientHello(message: Uint8Array): ClientHello {
  const outer = new Reader(message)
  if (outer.number(1) !== CLIENT_HELLO) throw malformed('not a ClientHello')
  const hello = new Reader(outer.vector(3))
  outer.end()
  const legacyVersion = hello.number(2)
  const random = hello.take(32)
  const sessionId = hello.vector(1)
  if (sessionId.length > 32) throw malformed('session id')
  const cipherSuites = new Reader(hello.vector(2)).numbers(2)
  if (cipherSuites.length === 0) throw malformed('no cipher suites')
  if (hello.vector(1).length === 0) throw malformed('no compression methods')
  const extensions = hello.left === 0 ? [] : readExtensions(hello.vector(2))
  hello.end()
  const data = (type: number): Uint8Array | undefined => extensions.find((extension) => extension.type === type)?.data
  const list = (type: number, prefix: 1 | 2, size: 1 | 2): readonly number[] => {
    const bytes = data(type)
    if (bytes === undefined) return []
    const reader = new Reader(bytes)
    const numbers = new Reader(reader.vector(prefix)).numbers(size)
    reader.end()
    return numbers
  }
  return {
    legacyVersion,
    random,
    sessionId,
    cipherSuites,
    extensions,
    serverName: readServerName(data(SERVER_NAME)),
    alpnProtocols: readAlpn(data(ALPN)),
    supportedVersions: list(SUPPORTED_VERSIONS, 1, 2),
    supportedGroups: list(SUPPORTED_GROUPS, 2, 2),
    signatureAlgorithms: list(SIGNATURE_ALGORITHMS, 2, 2),
    pointFormats: list(POINT_FORMATS, 1, 1),
  }
}

const RECORD_HEADER = 5
const HANDSHAKE_HEADER = 4
const HANDSHAKE = 22
const CLIENT_HELLO = 1
/** Extension types, as JA4 needs two of them too. */
export const SERVER_NAME = 0
export const ALPN = 16
const SUPPORTED_GROUPS = 10
const POINT_FORMATS = 11
const SIGNATURE_ALGORITHMS = 13
const SUPPORTED_VERSIONS = 43

function readExtensions(bytes: Uint8Array): readonly HelloExtension[] {
  const reader = new Reader(bytes)
  const extensions: HelloExtension[] = []
  const seen = new Set<number>()
  while (reader.left > 0) {
    const type = reader.number(2)
    // RFC 8446 section 4.2: two readers might otherwise see two different names
    if (seen.has(type)) throw malformed(`extension ${type} twice`)
    seen.add(type)
    extensions.push({ type, data: reader.vector(2) })
  }
  return extensions
}

/** RFC 6066 section 3: a list of names of which only host_name is defined, at most one of a kind. */
function readServerName(data: Uint8Array | undefined): string | undefined {
  if (data === undefined) return undefined
  const outer = new Reader(data)
  const list = new Reader(outer.vector(2))
  outer.end()
  if (list.number(1) !== 0) throw malformed('server name of an unknown type')
  const name = Buffer.from(list.vector(2)).toString('latin1')
  list.end()
  // one that cannot be a DNS name must not reach a table of hosts or a log
  if (!/^[\x21-\x7e]{1,255}$/.test(name)) throw malformed('server name')
  return name
}

/** RFC 7301 section 3.1. */
function readAlpn(data: Uint8Array | undefined): readonly string[] {
  if (data === undefined) return []
  const outer = new Reader(data)
  const list = new Reader(outer.vector(2))
  outer.end()
  const protocols: string[] = []
  while (list.left > 0) {
    const name = list.vector(1)
    if (name.length === 0) throw malformed('an empty protocol name')
    protocols.push(Buffer.from(name).toString('latin1'))
  }
  return protocols
}

/** Reads forward, and refuses to read past the end. */
class Reader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  take(length: number): Uint8Array {
    if (length > this.left) throw malformed('a length beyond the end')
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }

  number(size: 1 | 2 | 3): number {
    let value = 0
    for (const byte of this.take(size)) value = value * 256 + byte
    return value
  }

  vector(prefix: 1 | 2 | 3): Uint8Array {
    return this.take(this.number(prefix))
  }

  numbers(size: 1 | 2): readonly number[] {
    const values: number[] = []
    while (this.left > 0) values.push(this.number(size))
    return values
  }

  end(): void {
    if (this.left > 0) throw malformed('bytes behind the end')
  }
}

function malformed(what: string): SecureSocketError {
  return new SecureSocketError('ERR_SECURE_SOCKET_CLIENT_HELLO', `malformed ClientHello: ${what}`, {
    phase: 'handshake',
  })
}
