import { readElement, startOfSession } from './element.ts'

/** What can be read of a session without using it. */
export interface TicketFacts {
  /** As `getProtocol()` writes it. */
  readonly protocol: 'TLSv1.2' | 'TLSv1.3'
  /** Milliseconds since 1970 at which server or client forget it, whichever is earlier; at most the 7 days of RFC 8446, 4.6.1. */
  readonly expires: number
  /** What the server knows it by: the ticket, in TLS 1.2 else the session id. Undefined for a TLS 1.3 session whose ticket has not come. */
  readonly id: Uint8Array | undefined
}

const weekMs = 7 * 86_400_000

/**
 * Reads the lifetime out of what Node's 'session' event gives: OpenSSL's SSL_SESSION (ASN.1, `ssl/ssl_asn1.c`), which Node 22 and later
 * put behind a header with the servername. Undefined where it has another form. The session is only read: taking it out of its
 * wrapper would lose the name that it is bound to.
 */
export function readTicket(session: Uint8Array): TicketFacts | undefined {
  try {
    return readSession(Buffer.from(session.buffer, session.byteOffset, session.length))
  } catch {
    return undefined // a length that lies: RangeError of Buffer
  }
}

function readSession(session: Buffer): TicketFacts | undefined {
  const whole = readElement(session, startOfSession(session))
  if (whole?.tag !== 0x30 || whole.end !== session.length) return undefined
  const fields = new Map<number, Buffer>()
  const plain: Buffer[] = []
  for (let at = whole.start; at < whole.end; ) {
    const field = readElement(session, at)
    if (field === undefined || field.end > whole.end) return undefined
    const content = session.subarray(field.start, field.end)
    if (field.tag >= 0xa0) fields.set(field.tag - 0xa0, content)
    else plain.push(content)
    at = field.end
  }
  const [, version, , id] = plain
  const protocol =
    version?.toString('hex') === '0304' ? 'TLSv1.3' : version?.toString('hex') === '0303' ? 'TLSv1.2' : undefined
  const time = readNumber(fields.get(1))
  const timeout = readNumber(fields.get(2))
  if (protocol === undefined || time === undefined || timeout === undefined) return undefined
  const hint = readNumber(fields.get(9)) ?? 0
  const seconds = hint > 0 ? Math.min(hint, timeout) : timeout
  const ticket = readOctets(fields.get(10))
  return {
    protocol,
    expires: time * 1000 + Math.min(seconds * 1000, weekMs),
    id: ticket ?? (protocol === 'TLSv1.2' && id !== undefined && id.length > 0 ? id : undefined),
  }
}

/** An explicitly tagged OCTET STRING. */
function readOctets(content: Buffer | undefined): Buffer | undefined {
  if (content === undefined) return undefined
  const field = readElement(content, 0)
  return field?.tag === 4 && field.end === content.length ? content.subarray(field.start, field.end) : undefined
}

/** An explicitly tagged INTEGER of at most 6 bytes. */
function readNumber(content: Buffer | undefined): number | undefined {
  if (content === undefined) return undefined
  const field = readElement(content, 0)
  if (field?.tag !== 2 || field.end !== content.length) return undefined
  const digits = content.subarray(field.start, field.end)
  return digits.length > 0 && digits.length <= 6 && (digits[0] as number) < 0x80
    ? digits.readUIntBE(0, digits.length)
    : undefined
}
