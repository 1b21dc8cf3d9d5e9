import { constants } from 'node:crypto'
import { isProcessLocal, type SessionEntry, type SessionStore, trustKey } from '@x/session-cache'
import { readTicket } from '@x/session-cache/tls'
import { type CheckedHello, parseClientHello } from './client-hello.ts'
import { SecureSocketError } from './errors.ts'
import type { Resolved } from './options/resolve.ts'

/** Milliseconds that a store may take, for one answer. */
const PATIENCE = 2_000

/** What an entry of ours says of itself, so that a store that mixes its entries up is noticed. */
interface Belongs {
  readonly scope: string
  readonly id: string
}

/**
 * The sessions of one host that clients know by a session id (TLS 1.2 without tickets), in a store that several processes may share. An entry belongs to
 * host, policy and id: the key says so, the entry says so, and OpenSSL compares the session id context inside. Whatever a store does wrong costs a full
 * handshake and no more.
 */
export class ServerSessions {
  readonly #store: SessionStore
  readonly #scope: string
  readonly #report: (error: Error) => void

  /** `scope` is the trust key of host and policy; `report` is told where the store fails. */
  constructor(store: SessionStore, scope: string, report: (error: Error) => void) {
    this.#store = store
    this.#scope = scope
    this.#report = report
  }

  /** As a listener for node:tls' 'resumeSession'. */
  readonly onResume = (id: Uint8Array, answer: (error: null, session: Buffer | null) => void): void => {
    const look = async (): Promise<void> => {
      // looked at within, since what a store hands out may throw
      const session = await this.#asked(async () => this.#usable(await this.#store.get(this.#key(id)), id))
      answer(null, session ?? null)
    }
    void look()
  }

  /** As a listener for node:tls' 'newSession'. The handshake goes on when the session is kept, since the client may be back before that. */
  readonly onNew = (id: Uint8Array, session: Uint8Array, done: () => void): void => {
    const facts = readTicket(session)
    if (facts?.protocol !== 'TLSv1.2') return done()
    const evidence: Belongs = { scope: this.#scope, id: hex(id) }
    const entry: SessionEntry<Belongs> = {
      session: Uint8Array.from(session),
      protocol: facts.protocol,
      expires: facts.expires,
      chain: [], // OpenSSL keeps the client's certificate in the session itself
      name: undefined,
      evidence,
    }
    const keep = async (): Promise<void> => {
      await this.#asked(() => this.#store.add(this.#key(id), entry))
      done()
    }
    void keep()
  }

  /** A key that means nothing elsewhere stays such a one. */
  #key(id: Uint8Array): string {
    const scope = this.#scope
    return isProcessLocal(scope) ? `${scope}:${hex(id)}` : trustKey({ server: scope, id: hex(id) })
  }

  #usable(entry: unknown, id: Uint8Array): Buffer | null {
    const { session, protocol, expires, evidence } = Object(entry) as Partial<SessionEntry>
    const { scope, id: own } = Object(evidence) as Partial<Belongs>
    const isOurs = scope === this.#scope && own === hex(id) && protocol === 'TLSv1.2'
    const isFresh = typeof expires === 'number' && Date.now() < expires
    return isOurs && isFresh && session instanceof Uint8Array ? Buffer.from(session) : null
  }

  /** Never rejects: undefined where the store fails or is too slow. */
  async #asked<T>(ask: () => T | Promise<T>): Promise<T | undefined> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(failed(`did not answer within ${PATIENCE} ms`)), PATIENCE).unref()
    })
    try {
      return await Promise.race([ask(), late])
    } catch (error) {
      this.#report(error instanceof SecureSocketError ? error : failed('failed', error))
      return undefined
    } finally {
      clearTimeout(timer)
    }
  }
}

/**
 * Whether this client could resume by a session id only: it does not take tickets, or gets none. In TLS 1.3 there are only tickets, and the id
 * that clients still send there is noise.
 */
export function resumesById({ raw }: CheckedHello, { secureOptions = 0, maxVersion }: Resolved['context']): boolean {
  const { versions, extensions } = parseClientHello(raw)
  if (versions.includes(TLS13) && (maxVersion === undefined || maxVersion === 'TLSv1.3')) return false
  return !extensions.includes(SESSION_TICKET) || (secureOptions & constants.SSL_OP_NO_TICKET) !== 0
}

const TLS13 = 0x0304
/** RFC 5077 section 3.2. */
const SESSION_TICKET = 35

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function failed(how: string, cause?: unknown): SecureSocketError {
  return new SecureSocketError('ERR_SECURE_SOCKET_SESSION_STORE', `the server's session cache ${how}`, {
    phase: 'handshake',
    ...(cause === undefined ? {} : { cause }),
  })
}
