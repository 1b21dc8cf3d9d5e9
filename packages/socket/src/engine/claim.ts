import type { X509Certificate } from 'node:crypto'
import type { PeerClaim } from './engine.ts'
import { knownCertificate } from './known-certificates.ts'

/** A claim whose chain is decoded only when a check or the program asks for it. */
export class HandshakeClaim implements PeerClaim {
  readonly leaf: X509Certificate | undefined
  readonly opensslError: string | undefined
  readonly opensslReason: string | undefined
  readonly staple: Uint8Array | undefined
  readonly pskIdentity: string | undefined
  readonly source: 'handshake' | 'session'
  #chain: readonly Uint8Array[] | undefined

  constructor(
    leaf: X509Certificate | undefined,
    openssl: { readonly code: string; readonly reason: string | undefined } | undefined,
    staple: Uint8Array | undefined,
    source: 'handshake' | 'session',
    pskIdentity?: string,
  ) {
    this.leaf = leaf
    this.opensslError = openssl?.code
    this.opensslReason = openssl?.reason
    this.staple = staple
    this.pskIdentity = pskIdentity
    this.source = source
  }

  get pskUsed(): boolean {
    return this.pskIdentity !== undefined
  }

  get chain(): readonly Uint8Array[] {
    return (this.#chain ??= chainOf(this.leaf))
  }
}

/** How many certificates of a chain are looked at; OpenSSL itself refuses more than 100. */
const MAX_CHAIN = 101

/** The certificates as the peer sent them, leaf first. */
function chainOf(leaf: X509Certificate | undefined): readonly Uint8Array[] {
  const chain: Uint8Array[] = []
  for (let at = leaf; at !== undefined && chain.length < MAX_CHAIN; at = at.issuerCertificate)
    chain.push(knownCertificate(at.raw))
  return chain
}
