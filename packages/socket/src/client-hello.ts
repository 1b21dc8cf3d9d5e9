import { Fields, malformed, number } from './hello-fields.ts'

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
  /** signature_algorithms_cert: what certificates may be signed by, where that is said apart; else empty. */
  readonly certificateSignatureAlgorithms: readonly number[]
  readonly random: Uint8Array
  readonly sessionId: Uint8Array
  /** The handshake message with its 4-byte header, without record headers. */
  readonly raw: Uint8Array
}

/** A hello that is checked to its last byte, as far as a server must know it at once; `parseClientHello(raw)` has the rest. */
export interface CheckedHello {
  /** As in {@link ClientHello}. */
  readonly servername: string | undefined
  /** Whether it asks to resume, by a ticket. */
  readonly offersTicket: boolean
  readonly raw: Uint8Array
}

/** What the first bytes of a connection are. */
export type FirstBytes =
  /** More is needed to tell: nothing changes before there are `need` bytes in all. */
  | { readonly kind: 'incomplete'; readonly need: number }
  | { readonly kind: 'hello'; readonly hello: CheckedHello }
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
  const whole = soleMessage(bytes)
  if (whole !== undefined) return { kind: 'hello', hello: checkClientHello(whole) }
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
      return { kind: 'hello', hello: checkClientHello(join(message, expected)) }
    if (end > bytes.length) return { kind: 'incomplete', need: Math.min(end, bytes.length + expected - length) }
    at = end
  }
}

/** The usual case: a ClientHello that has come whole, in one record. Whatever else it may be is for the long way to tell. */
function soleMessage(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length < RECORD_HEADER + 38 || bytes[0] !== HANDSHAKE || bytes[1] !== 3 || bytes[5] !== 1) return undefined
  const size = number(bytes, 3, 2)
  const length = MESSAGE_HEADER + number(bytes, 6, 3)
  const isWhole = length >= 38 && length <= size && size <= MAX_RECORD && RECORD_HEADER + length <= bytes.length
  return isWhole ? bytes.subarray(RECORD_HEADER, RECORD_HEADER + length) : undefined
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

/**
 * Checks one ClientHello message, header included, to its last byte, and reads the name. Each connection of a server goes through this, so it makes
 * nothing but the name.
 * @throws SecureSocketError ERR_SECURE_SOCKET_CLIENT_HELLO
 */
export function checkClientHello(raw: Uint8Array): CheckedHello {
  const body = new Fields(raw, 0, raw.length)
  if (body.number(1) !== 1) throw malformed('no ClientHello')
  body.enter(3)
  body.skip(2 + 32) // version, random
  body.skip(body.length(1)) // session id
  body.skip(listed(body, 2, 2)) // cipher suites
  body.skip(body.length(1)) // compression methods
  let servername: string | undefined
  let offersTicket = false
  if (body.left > 0) {
    body.enter(2)
    const seen = new Seen()
    while (body.left > 0) {
      const type = body.number(2)
      if (seen.before(type)) throw malformed(`extension ${type} twice`)
      const length = body.length(2)
      if (type === SERVER_NAME) servername = serverName(body.part(length))
      else if (type === ALPN) checkProtocolNames(body.part(length))
      else if (type === PRE_SHARED_KEY || type === SESSION_TICKET) offersTicket ||= length > 0
      else checkList(type, body, length)
      body.skip(length)
    }
  }
  return { servername, offersTicket, raw }
}

/** Reads one ClientHello message, header included. @throws SecureSocketError ERR_SECURE_SOCKET_CLIENT_HELLO */
export function parseClientHello(raw: Uint8Array): ClientHello {
  const { servername } = checkClientHello(raw)
  const body = new Fields(raw, MESSAGE_HEADER, raw.length)
  const legacyVersion = body.number(2)
  const random = body.take(32)
  const sessionId = body.take(body.length(1))
  const cipherSuites = body.numbers(2, 2)
  body.skip(body.length(1)) // compression methods
  const found = new Map<number, Fields>()
  if (body.left > 0) {
    body.enter(2)
    while (body.left > 0) {
      const type = body.number(2)
      const length = body.length(2)
      found.set(type, body.part(length))
      body.skip(length)
    }
  }
  return {
    servername,
    alpnProtocols: protocolNames(found.get(ALPN)),
    versions: found.get(VERSIONS)?.numbers(1, 2) ?? [legacyVersion],
    legacyVersion,
    cipherSuites,
    extensions: [...found.keys()],
    groups: found.get(GROUPS)?.numbers(2, 2) ?? [],
    pointFormats: found.get(POINT_FORMATS)?.numbers(1, 1) ?? [],
    signatureAlgorithms: found.get(SIGNATURE_ALGORITHMS)?.numbers(2, 2) ?? [],
    certificateSignatureAlgorithms: found.get(SIGNATURE_ALGORITHMS_CERT)?.numbers(2, 2) ?? [],
    random,
    sessionId,
    raw,
  }
}

const SERVER_NAME = 0
const GROUPS = 10
const POINT_FORMATS = 11
const SIGNATURE_ALGORITHMS = 13
const ALPN = 16
/** RFC 5077 section 3.2; empty where a ticket is only asked for. */
const SESSION_TICKET = 35
const PRE_SHARED_KEY = 41
const VERSIONS = 43
const SIGNATURE_ALGORITHMS_CERT = 50

/** Which extensions there were: a hello has none twice (RFC 8446 section 4.2). */
class Seen {
  #low = 0
  #high = 0
  #others: Set<number> | undefined

  /** Whether there was one of this type; there is from now on. */
  before(type: number): boolean {
    if (type >= 64) {
      this.#others ??= new Set()
      return this.#others.size === this.#others.add(type).size
    }
    const bit = 1 << (type & 31)
    const before = type < 32 ? this.#low : this.#high
    if (type < 32) this.#low |= bit
    else this.#high |= bit
    return (before & bit) !== 0
  }
}

/** The extensions that are lists of numbers: each fills its extension, and has a whole number of entries. */
function checkList(type: number, body: Fields, length: number): void {
  if (type === GROUPS || type === SIGNATURE_ALGORITHMS || type === SIGNATURE_ALGORITHMS_CERT)
    expectFilled(length, 2 + listed(body.part(length), 2, 2))
  else if (type === VERSIONS) expectFilled(length, 1 + listed(body.part(length), 1, 2))
  else if (type === POINT_FORMATS) expectFilled(length, 1 + listed(body.part(length), 1, 1))
}

/** The bytes of a list of numbers, behind its length. */
function listed(fields: Fields, lengthSize: 1 | 2, size: 1 | 2): number {
  const length = fields.length(lengthSize)
  if (length % size !== 0) throw malformed('it ends too early')
  return length
}

function expectFilled(length: number, used: number): void {
  if (used !== length) throw malformed('bytes left over')
}

/** Exactly one host_name, as OpenSSL has it; visible ASCII only, so that it can stand in a log line. */
function serverName(fields: Fields): string {
  fields.enter(2)
  if (fields.number(1) !== 0) throw malformed('a name of another type than host_name')
  fields.enter(2)
  const name = fields.rest()
  if (!/^[\x21-\x7e]{1,255}$/.test(name)) throw malformed('a name that is none')
  return normalName(name)
}

/** Names are compared without regard to case and to a trailing dot. */
export function normalName(name: string): string {
  const lower = name.toLowerCase()
  return lower.endsWith('.') ? lower.slice(0, -1) : lower
}

function checkProtocolNames(fields: Fields): void {
  fields.enter(2)
  while (fields.left > 0) {
    const length = fields.length(1)
    if (length === 0) throw malformed('an empty protocol name')
    fields.skip(length)
  }
}

function protocolNames(fields: Fields | undefined): string[] {
  const names: string[] = []
  if (fields === undefined) return names
  fields.enter(2)
  while (fields.left > 0) {
    const length = fields.length(1)
    names.push(fields.part(length).rest())
    fields.skip(length)
  }
  return names
}
