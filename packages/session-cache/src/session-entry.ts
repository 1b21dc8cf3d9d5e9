import { invalidType, invalidValue } from './misuse.ts'

/**
 * A session together with what was known of its peer when it was earned: a resumed connection shows no certificate, so whoever
 * resumes has nothing but this to judge by.
 */
export interface SessionEntry<E = unknown> {
  /** What Node's 'session' event or `getSession()` gave. Opaque: Node 22 and later bind it to a servername. Never altered. */
  readonly session: Uint8Array
  /** As `getProtocol()` says. Everything but `'TLSv1.2'` is handed out once. */
  readonly protocol: string
  /** Milliseconds since 1970 from which on the entry is not handed out. The end of the ticket's lifetime, or earlier. */
  readonly expires: number
  /** The peer's certificates (DER), leaf first, as they were verified. */
  readonly chain: readonly Uint8Array[]
  /** The name that was verified against the leaf; undefined where none was. */
  readonly name: string | undefined
  /** The verdict, in whatever form its owner keeps it. It is carried, not read. */
  readonly evidence: E
}

/**
 * True for what may be resumed any number of times: TLS 1.2. A TLS 1.3 ticket is to be used once (RFC 8446, C.4: else an observer
 * links the connections), and OpenSSL does not enforce it.
 */
export function isReusable(entry: SessionEntry): boolean {
  return entry.protocol === 'TLSv1.2'
}

/** Throws a TypeError unless this has the shape of an entry; the bytes themselves are not looked at. */
export function checkEntry(entry: SessionEntry): void {
  if (typeof entry !== 'object' || entry === null) throw invalidType('session', 'a SessionEntry')
  if (!(entry.session instanceof Uint8Array)) throw invalidType('session.session', 'a Uint8Array')
  if (typeof entry.protocol !== 'string') throw invalidType('session.protocol', 'a string')
  if (typeof entry.expires !== 'number') throw invalidType('session.expires', 'a number')
  if (Number.isNaN(entry.expires)) throw invalidValue('session.expires', 'must not be NaN')
  if (!Array.isArray(entry.chain)) throw invalidType('session.chain', 'an array of Uint8Array')
  if (entry.name !== undefined && typeof entry.name !== 'string')
    throw invalidType('session.name', 'a string or undefined')
}
