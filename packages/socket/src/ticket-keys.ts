import { randomBytes } from 'node:crypto'
import type { SecureContext } from 'node:tls'
import { onTicketKey, renewTickets, type TicketKeyAnswer } from './engine/node-internals.ts'
import { SecureSocketError } from './errors.ts'
import { BoundedMap, contentKey } from './options/content-key.ts'
import type { TicketKey, TicketKeyFunction } from './options/server-types.ts'

const known = new BoundedMap<TicketKeys>(64)

const NAME = 16
const KEY = 32

/**
 * The keys of one server's session tickets (RFC 5077). All of its contexts share them, so that a certificate that is replaced ends no
 * session; which host and policy a ticket belongs to is told by the session id context inside it.
 *
 * A client that resumes gets a new ticket, as servers on OpenSSL give it (node:tls does not): clients use each once (RFC 8446, C.4).
 */
export class TicketKeys {
  readonly #source: Uint8Array | TicketKeyFunction
  readonly #report: (error: Error) => void
  readonly #renews: boolean
  #unrenewed: TicketKeys | undefined

  /** `report` is told of each answer of the function that cannot be used. */
  constructor(
    source: Uint8Array | TicketKeyFunction = randomBytes(NAME + KEY),
    report: (error: Error) => void,
    renews = true,
  ) {
    this.#source = source
    this.#report = report
    this.#renews = renews
  }

  /** Whether the keys are known beforehand, so that Node's own answer does where no ticket is brought. */
  get isFixed(): boolean {
    return typeof this.#source !== 'function'
  }

  /**
   * The same keys for a host that asks clients for certificates: a ticket is never followed by another, since each of TLS 1.3 begins its lifetime anew, and
   * the client would be believed for ever what it has proven once (RFC 8446 section 4.6.1).
   */
  get unrenewed(): TicketKeys {
    return (this.#unrenewed ??= new TicketKeys(this.#source, this.#report, false))
  }

  /** The same object for the same keys, so that contexts are cached. */
  static of(source: Uint8Array | TicketKeyFunction): TicketKeys {
    const key = contentKey(source)
    let keys = known.get(key)
    if (keys === undefined) {
      keys = new TicketKeys(source, () => undefined)
      known.set(key, keys)
    }
    return keys
  }

  /** Fixed keys go the documented way, by which tickets are not renewed. */
  get contextOptions(): { readonly ticketKeys?: Buffer } {
    return typeof this.#source === 'function' ? {} : { ticketKeys: Buffer.from(this.#source) }
  }

  /**
   * @throws SecureSocketError ERR_SECURE_SOCKET_UNSUPPORTED where this Node cannot ask for keys
   */
  install(secureContext: SecureContext): void {
    const source = this.#source
    if (typeof source !== 'function') {
      if (this.#renews) renewTickets(secureContext, source)
      return
    }
    const done = onTicketKey(secureContext, (name) =>
      name === undefined ? this.#toEncrypt(source) : this.#toDecrypt(source, name),
    )
    if (!done)
      throw new SecureSocketError(
        'ERR_SECURE_SOCKET_UNSUPPORTED',
        'this Node.js cannot ask a function for ticket keys',
        { hint: "give 'ticketKeys' as 48 bytes" },
      )
  }

  /** Without a key the ticket goes out under a random one that nobody keeps: it will resume nowhere. */
  #toEncrypt(source: TicketKeyFunction): TicketKeyAnswer {
    const current = this.#ask(source)
    const { name, key } = current ?? { name: randomBytes(NAME), key: randomBytes(KEY) }
    return { verdict: 'accept', name, key }
  }

  #toDecrypt(source: TicketKeyFunction, name: Uint8Array): TicketKeyAnswer {
    const found = this.#ask(source, Uint8Array.from(name))
    if (found === undefined) return { verdict: 'reject' }
    return { verdict: this.#renews ? 'renew' : 'accept', name: found.name, key: found.key }
  }

  #ask(source: TicketKeyFunction, name?: Uint8Array): TicketKey | undefined {
    try {
      const answer: unknown = name === undefined ? source() : source(name)
      if (answer === undefined && name !== undefined) return undefined // a key of long ago, or of somebody else
      if (isTicketKey(answer)) return answer
      if (answer instanceof Promise) answer.catch(() => undefined)
      throw new SecureSocketError('ERR_SECURE_SOCKET_TICKET_KEY', describe(answer), {
        phase: 'handshake',
        hint: "return {name: 16 bytes, key: 32 bytes} from 'ticketKeys', synchronously",
      })
    } catch (error) {
      this.#report(error instanceof Error ? error : new TypeError("'ticketKeys' threw a value that is no Error"))
      return undefined
    }
  }
}

function isTicketKey(answer: unknown): answer is TicketKey {
  if (typeof answer !== 'object' || answer === null) return false
  const { name, key } = answer as Partial<TicketKey>
  return name instanceof Uint8Array && name.length === NAME && key instanceof Uint8Array && key.length === KEY
}

function describe(answer: unknown): string {
  return answer instanceof Promise ? "'ticketKeys' returned a Promise" : "'ticketKeys' returned no ticket key"
}
