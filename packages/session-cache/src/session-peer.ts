import { type Element, readElement, startOfSession } from './element.ts'

/*
 * OpenSSL keeps the peer's certificate in the session (`peer`, [3] of SSL_SESSION in `ssl/ssl_asn1.c`) and decodes it, with its public key, whenever a
 * session is set: a third of what a resumption costs. Whoever has the certificate in another place can leave it out there.
 */
const SEQUENCE = 0x30
const PEER = 0xa3
const TIME = 0xa1

/**
 * The session without the peer's certificate. After a resumption Node knows no certificate of the peer, so the one that was verified must have been kept
 * elsewhere. In TLS 1.2 Node then reports UNABLE_TO_GET_ISSUER_CERT, so that its own check (`rejectUnauthorized`) refuses the connection, and only who judges
 * the peer otherwise can resume. Undefined where there is none, or where it has another form.
 */
export function withoutPeer(session: Uint8Array): Buffer | undefined {
  const parts = split(session)
  return parts?.peer === undefined ? undefined : joined(parts, undefined)
}

/** The peer's certificate (DER) in the session; undefined where there is none, or where it has another form. */
export function peerIn(session: Uint8Array): Uint8Array | undefined {
  const peer = split(session)?.peer
  const field = peer === undefined ? undefined : readElement(peer, 0)
  return field === undefined ? undefined : peer?.subarray(field.start, field.end)
}

/** The session with this certificate (DER) as its peer; undefined where it has one, or another form. */
export function withPeer(session: Uint8Array, certificate: Uint8Array): Buffer | undefined {
  const parts = split(session)
  return parts === undefined || parts.peer !== undefined ? undefined : joined(parts, element(PEER, certificate))
}

interface Parts {
  /** What Node puts in front. */
  readonly wrapper: Buffer
  /** The fields before and behind the peer. */
  readonly before: Buffer
  readonly peer: Buffer | undefined
  readonly behind: Buffer
}

function split(given: Uint8Array): Parts | undefined {
  const session = Buffer.from(given.buffer, given.byteOffset, given.length)
  try {
    const start = startOfSession(session)
    const whole = readElement(session, start)
    if (whole?.tag !== SEQUENCE || whole.end !== session.length) return undefined
    let at = whole.start
    let isTimed = false
    let next: Element | undefined
    while (at < whole.end) {
      next = readElement(session, at)
      if (next === undefined || next.end > whole.end) return undefined
      if (next.tag >= PEER) break
      isTimed ||= next.tag === TIME
      at = next.end
    }
    if (!isTimed) return undefined // every session has a time, and before its peer
    const isPeer = at < whole.end && next?.tag === PEER
    const behind = isPeer ? (next?.end ?? at) : at
    return {
      wrapper: session.subarray(0, start),
      before: session.subarray(whole.start, at),
      peer: isPeer ? session.subarray(at, behind) : undefined,
      behind: session.subarray(behind),
    }
  } catch {
    return undefined // a length that lies: RangeError of Buffer
  }
}

function joined({ wrapper, before, behind }: Parts, peer: Buffer | undefined): Buffer {
  const content = peer === undefined ? Buffer.concat([before, behind]) : Buffer.concat([before, peer, behind])
  return Buffer.concat([wrapper, element(SEQUENCE, content)])
}

function element(tag: number, content: Uint8Array): Buffer {
  const { length } = content
  const octets = length < 0x80 ? 0 : length < 0x100 ? 1 : length < 0x1_0000 ? 2 : 3
  const head = Buffer.alloc(2 + octets)
  head[0] = tag
  if (octets === 0) head[1] = length
  else {
    head[1] = 0x80 + octets
    head.writeUIntBE(length, 2, octets)
  }
  return Buffer.concat([head, content])
}
