import { SecureSocketError } from './errors.ts'

/** What a client says of itself before TLS starts (RFC 8446 section 4.1.2). Nothing in it is authenticated. */
export interface ClientHello {
  /** The name asked for (RFC 6066 section 3), in lower case and without a trailing dot; undefined where the client sent none. */
  readonly servername: string | undefined
  /** ALPN protocols in the client's order, one character per byte; empty where it sent none (RFC 7301). */
  readonly alpnProtocols: readonly string[]
  /** TLS versions offered, 0x0304 for 1.3: of supported_versions where there is one, else `legacyVersion` alone. GREASE included. */
  readonly versions: readonly number[]
  readonly legacyVersion: number
  /** In the client's order, GREASE (RFC 8701) included, as all lists below. */
  readonly cipherSuites: readonly number[]
  /** Types of all extensions, in order of appearance. */
  readonly extensions: readonly number[]
  /** supported_groups (RFC 8446 section 4.2.7); empty where absent. */
  readonly groups: readonly number[]
  /** ec_point_formats (RFC 8422 section 5.1.2). */
  readonly pointFormats: readonly number[]
  /** signature_algorithms (RFC 8446 section 4.2.3). */
  readonly signatureAlgorithms: readonly number[]
  readonly random: Uint8Array
  readonly sessionId: Uint8Array
  /** The handshake message with its 4-byte header, without record headers. */
  readonly raw: Uint8Array
}

/** What the first bytes of a connection are. */
export type FirstBytes =
  /** More is needed to tell: nothing changes before there are `need` bytes in all. */
  | { readonly kind: 'incomplete'; readonly need: number }
  | { readonly kind: 'hello'; readonly hello: ClientHello }
  | { readonly kind: 'not-tls' }

const HANDSHAKE = 22
const MAX_RECORD = 16_384
const RECORD_HEADER = 5
const MESSAGE_HEADER = 4

/**
 * Reads the ClientHello at the start of a connection; it may span several records. What follows it is not looked at.
 * Strict where a lax reading could differ from OpenSSL's: duplicate extensions, more than one name and lengths that lie are refused.
 * The caller bounds the input.
 * @throws SecureSocketError ERR_SECURE_SOCKET_CLIENT_HELLO
 */
export function readFirstBytes(bytes: Uint8Array): FirstBytes {
  const message: Uint8Array[] = []
  let length = 0
  let expected = MESSAGE_HEADER
  for (let at = 0; ; ) {
    const kind = recordKind(bytes, at)
    if (kind === 'not-tls') {
      if (at === 0) return { kind }
      throw malformed('a record that is none of TLS')
    }
    if (kind === 'incomplete') return { kind, need: at + RECORD_HEADER }
    const size = ((bytes[at + 3] as number) << 8) | (bytes[at + 4] as number)
    const end = at + RECORD_HEADER + size
    if (bytes[at] !== HANDSHAKE || size === 0 || size > MAX_RECORD) throw malformed('no handshake record')
    message.push(bytes.subarray(at + RECORD_HEADER, end))
    length += Math.min(size, bytes.length - at - RECORD_HEADER)
    if (at === 0 && length > 0 && bytes[RECORD_HEADER] !== 1) throw malformed('the first message is no ClientHello')
    if (length >= MESSAGE_HEADER && expected === MESSAGE_HEADER) expected += messageLength(message)
    if (length >= expected && expected > MESSAGE_HEADER)
      return { kind: 'hello', hello: parseClientHello(join(message, expected)) }
    if (end > bytes.length) return { kind: 'incomplete', need: Math.min(end, bytes.length + expected - length) }
    at = end
  }
}

/** Whether a TLS record begins here. SSL 2 hellos count as "not TLS": nothing speaks it any more. */
function recordKind(bytes: Uint8Array, at: number): 'record' | 'incomplete' | 'not-tls' {
  const type = bytes[at]
  const major = bytes[at + 1]
  if (type !== undefined && (type < 20 || type > 23)) return 'not-tls'
  if (major !== undefined && major !== 3) return 'not-tls'
  return bytes.length < at + RECORD_HEADER ? 'incomplete' : 'record'
}

function messageLength(parts: readonly Uint8Array[]): number {
  const [, high = 0, middle = 0, low = 0] = join(parts, MESSAGE_HEADER)
  const length = (high << 16) | (middle << 8) | low
  if (length < 38) throw malformed('too short')
  return length
}

function join(parts: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = parts
  if (parts.length === 1 && only !== undefined) return only.subarray(0, length)
  return Uint8Array.from(Buffer.concat(parts, length))
}

/** Reads one ClientHello message, header included. @throws SecureSocketError ERR_SECURE_SOCKET_CLIENT_HELLO */
export function parseClientHello(raw: Uint8Array): ClientHello {
  const outer = new Fields(raw)
  if (outer.number(1) !== 1) throw malformed('no ClientHello')
  const body = new Fields(outer.vector(3))
  outer.end()
  const legacyVersion = body.number(2)
  const random = body.take(32)
  const sessionId = body.vector(1)
  const cipherSuites = numbers(body.vector(2), 2)
  body.vector(1) // compression methods
  const found = new Map<number, Uint8Array>()
  if (body.left > 0) {
    const list = new Fields(body.vector(2))
    while (list.left > 0) {
      const type = list.number(2)
      if (found.has(type)) throw malformed(`extension ${type} twice`)
      found.set(type, list.vector(2))
    }
  }
  body.end()
  return {
    servername: read(found, 0, serverName),
    alpnProtocols: read(found, 16, protocolNames) ?? [],
    versions: read(found, 43, (fields) => numbers(fields.vector(1), 2)) ?? [legacyVersion],
    legacyVersion,
    cipherSuites,
    extensions: [...found.keys()],
    groups: read(found, 10, (fields) => numbers(fields.vector(2), 2)) ?? [],
    pointFormats: read(found, 11, (fields) => numbers(fields.vector(1), 1)) ?? [],
    signatureAlgorithms: read(found, 13, (fields) => numbers(fields.vector(2), 2)) ?? [],
    random,
    sessionId,
    raw,
  }
}

function read<T>(found: ReadonlyMap<number, Uint8Array>, type: number, parse: (fields: Fields) => T): T | undefined {
  const bytes = found.get(type)
  if (bytes === undefined) return undefined
  const fields = new Fields(bytes)
  const value = parse(fields)
  fields.end()
  return value
}

/** Exactly one host_name, as OpenSSL has it; visible ASCII only, so that it can stand in a log line. */
function serverName(fields: Fields): string {
  const list = new Fields(fields.vector(2))
  if (list.number(1) !== 0) throw malformed('a name of another type than host_name')
  const name = latin1(list.vector(2))
  list.end()
  if (!/^[\x21-\x7e]{1,255}$/.test(name)) throw malformed('a name that is none')
  return normalName(name)
}

/** Names are compared without regard to case and to a trailing dot. */
export function normalName(name: string): string {
  const lower = name.toLowerCase()
  return lower.endsWith('.') ? lower.slice(0, -1) : lower
}

function protocolNames(fields: Fields): string[] {
  const list = new Fields(fields.vector(2))
  const names: string[] = []
  while (list.left > 0) {
    const name = list.vector(1)
    if (name.length === 0) throw malformed('an empty protocol name')
    names.push(latin1(name))
  }
  return names
}

function numbers(bytes: Uint8Array, size: 1 | 2): number[] {
  const fields = new Fields(bytes)
  const values: number[] = []
  while (fields.left > 0) values.push(fields.number(size))
  return values
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

/** The presentation language of RFC 8446 section 3: numbers and vectors, within bounds. */
class Fields {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  number(size: 1 | 2 | 3): number {
    const at = this.#at
    if (size > this.left) throw malformed('it ends too early')
    this.#at += size
    let value = 0
    for (let i = at; i < this.#at; i++) value = (value << 8) | (this.#bytes[i] as number)
    return value
  }

  take(length: number): Uint8Array {
    if (length > this.left) throw malformed('it ends too early')
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }

  vector(lengthSize: 1 | 2 | 3): Uint8Array {
    return this.take(this.number(lengthSize))
  }

  end(): void {
    if (this.left > 0) throw malformed('bytes left over')
  }
}

function malformed(what: string): SecureSocketError {
  return new SecureSocketError('ERR_SECURE_SOCKET_CLIENT_HELLO', `the client's first message is malformed: ${what}`, {
    phase: 'handshake',
  })
}
