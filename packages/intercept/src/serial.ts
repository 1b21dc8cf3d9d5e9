import { X509Certificate } from 'node:crypto'
import { integer } from '@x/der'
import { describeCertificate } from '@x/utils'
import { wrongType, wrongValue } from './misuse.ts'
import type { SerialPolicy } from './options.ts'
import type { Validity } from './validity.ts'

/** What the number of one clone can depend on. */
export interface SerialInput {
  /** DER of the origin's certificate. */
  readonly origin: Uint8Array
  /** SHA-256 of it. */
  readonly digest: Uint8Array
  /** Identifiers of the clone's key and of who signs it. */
  readonly keyIdentifier: Uint8Array
  readonly signer: Uint8Array
  readonly validity: Validity
}

/** Gives out serial numbers, as INTEGER elements: positive, of at most 20 octets (RFC 5280 section 4.1.2.2). */
export class SerialNumbers {
  readonly policy: SerialPolicy
  #last: bigint

  constructor(policy: SerialPolicy = 'digest') {
    this.policy = policy
    this.#last = typeof policy === 'number' || typeof policy === 'bigint' ? BigInt(policy) : 0n
  }

  /** The number last given out by a counter; undefined under the other policies. */
  get last(): bigint | undefined {
    return typeof this.policy === 'number' || typeof this.policy === 'bigint' ? this.#last : undefined
  }

  next(input: SerialInput): Uint8Array {
    const { policy } = this
    if (policy === 'digest') return fromDigest(input)
    if (typeof policy !== 'function') return checked(++this.#last)
    return checked(policy(new X509Certificate(input.origin), describeCertificate(input.origin)))
  }
}

/**
 * 16 octets of the origin's digest, mixed with what else tells two clones apart. Clients refuse (Firefox does so for good) two
 * certificates of one issuer that share a number and differ, so the number follows the key and a cut validity as well.
 */
function fromDigest({ digest, keyIdentifier, signer, validity }: SerialInput): Uint8Array {
  const octets = new Uint8Array(16)
  for (let i = 0; i < 16; i++)
    octets[i] = (digest[i] as number) ^ (keyIdentifier[i] ?? 0) ^ (signer[signer.length - 1 - i] ?? 0)
  const from = Math.floor(validity.notBefore / 1000)
  const to = Math.floor(validity.notAfter / 1000)
  for (let i = 0; i < 4; i++) {
    octets[15 - i] = (octets[15 - i] as number) ^ (from >>> (8 * i))
    octets[11 - i] = (octets[11 - i] as number) ^ (to >>> (8 * i))
  }
  octets[0] = ((octets[0] as number) & 0x7f) | 0x40 // positive, and never shorter
  return integer(octets)
}

function checked(answer: bigint | number | Uint8Array): Uint8Array {
  const value = toBigInt(answer)
  if (value === undefined) throw wrongType('serial', 'a function that returns a whole number or a Uint8Array', answer)
  if (value <= 0n || value >= 2n ** 159n) throw wrongValue('serial', 'must be positive and of at most 20 octets')
  return integer(value)
}

function toBigInt(answer: unknown): bigint | undefined {
  if (typeof answer === 'bigint') return answer
  if (typeof answer === 'number') return Number.isSafeInteger(answer) ? BigInt(answer) : undefined
  if (!(answer instanceof Uint8Array) || answer.length === 0 || answer.length > 32) return undefined
  return BigInt(`0x${Buffer.from(answer).toString('hex')}`)
}
