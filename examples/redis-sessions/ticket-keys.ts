// not run by itself: part of service.ts. Keys of session tickets that all processes of a service have, each for a time.
import { createHmac, hkdfSync, randomBytes } from 'node:crypto'
import type { TicketKey } from '@x/socket'
import type { Redis } from './redis-lists.ts'

export interface SharedTicketKeysOptions {
  readonly redis: Pick<Redis, 'set' | 'get'>
  /** 32 octets that every process of the service is given, and Redis is not. */
  readonly secret: Uint8Array
  /** Milliseconds for which a key makes tickets; default 6 hours. For as long again it opens them. */
  readonly period?: number
  readonly now?: () => number
}

/**
 * What Redis holds is a random number for each period; the key is derived from it and from the service's secret. Who can read Redis learns no key,
 * who can write to it can end sessions and no more. When Redis has forgotten the number, nobody can derive the key again, so that a stolen
 * secret opens no recording of last week.
 */
export class SharedTicketKeys {
  readonly #options: Required<SharedTicketKeysOptions>
  #keys: ReadonlyMap<number, TicketKey> = new Map()
  #timer: NodeJS.Timeout | undefined

  constructor(options: SharedTicketKeysOptions) {
    this.#options = { period: 6 * 3_600_000, now: Date.now, ...options }
  }

  /** Fetches the keys, and from now on again in time. */
  async start(report: (error: unknown) => void): Promise<this> {
    await this.refresh()
    const again = (): void => void this.refresh().catch(report)
    this.#timer = setInterval(again, Math.min(this.#options.period / 4, 600_000)).unref()
    return this
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** The option `ticketKeys` of `listen`: it must answer at once, hence the keys at hand. */
  readonly find = (name?: Uint8Array): TicketKey | undefined => {
    const period = this.#current()
    const current = this.#keys.get(period)
    if (name === undefined || current === undefined) return current
    const known = [current, this.#keys.get(period - 1)].find((one) => one && Buffer.compare(one.name, name) === 0)
    return known && { name: current.name, key: known.key } // another name than the ticket's: the client gets a new one
  }

  /** The keys of the last period, of this one and of the next, so that a late refresh does not matter. */
  async refresh(): Promise<void> {
    const current = this.#current()
    const periods = [current - 1, current, current + 1]
    this.#keys = new Map(await Promise.all(periods.map(async (at) => [at, await this.#fetch(at)] as const)))
  }

  #current(): number {
    return Math.floor(this.#options.now() / this.#options.period)
  }

  async #fetch(at: number): Promise<TicketKey> {
    const { redis, secret, period } = this.#options
    const place = `ticket-key:${period}:${at}`
    // whoever is first decides
    await redis.set(place, randomBytes(32).toString('base64'), {
      condition: 'NX',
      expiration: { type: 'PX', value: 4 * period },
    })
    const salt = Buffer.from((await redis.get(place)) ?? '', 'base64')
    const key = Buffer.from(hkdfSync('sha256', secret, salt, `ticket key ${place}`, 32))
    return { name: createHmac('sha256', secret).update(place).update(salt).digest().subarray(0, 16), key }
  }
}
