import type { PeerCertificate } from 'node:tls'
import type { CaStore } from '@x/ca-store'
import type { CrlStore } from '@x/crl'
import type { OcspStore } from '@x/ocsp'
import { invalidValue } from '../errors.ts'
import type { VerifyCallback, VerifyOptions } from '../options/verify-types.ts'

/** How the peer's name is decided. `host` undefined refuses: a name must be known, and never "localhost". */
export type NamePolicy =
  | {
      readonly by: 'scheme'
      readonly host: string | undefined
      readonly scheme: NonNullable<VerifyOptions['scheme']>
      readonly publicSuffix: NonNullable<VerifyOptions['publicSuffix']>
    }
  | {
      readonly by: 'function'
      readonly host: string | undefined
      readonly check: (hostname: string, certificate: PeerCertificate) => unknown
    }
  /** We are a server: clients have no name to prove unless one is demanded. */
  | { readonly by: 'nothing'; readonly option: string }

/** What is asked about revocation, and what an answer, or none, means. */
export interface RevocationPolicy {
  readonly staple: 'off' | 'try' | 'must'
  /** Whether OCSP responders and distribution points may be asked over the network. */
  readonly online: boolean
  /** 'hard': every certificate within `depth` needs a verified good status. */
  readonly failure: 'soft' | 'hard'
  readonly depth: 'leaf' | 'chain'
  /** Certificates that need a good answer from a revocation list; undefined: lists are not demanded. */
  readonly crlDepth: 'leaf' | 'chain' | undefined
  /** Told what was stapled, in addition to the check; a throw refuses. */
  readonly onStaple: ((staple: Uint8Array | undefined) => void) | undefined
  /** Milliseconds for everything that goes over the network. */
  readonly timeout: number
  /** Stands for the lists in a trust key: they change with their files. */
  readonly listsKey: string
  /** Where answers come from and are kept; no part of trust, since everything in them is verified again. */
  readonly cache: OcspStore
  readonly cacheMayKnow: () => boolean
  readonly crls: CrlStore
  readonly fetch: typeof globalThis.fetch | undefined
}

/** Everything that decides whether a peer is trusted, frozen. Checks read nothing else. */
export interface TrustPolicy {
  readonly role: 'client' | 'server'
  /** False: `rejectUnauthorized: false`, the one off switch. */
  readonly enabled: boolean
  /** Whether the peer must show a certificate; 'none': it is not asked for one (a server's default). */
  readonly certificate: 'required' | 'optional' | 'none'
  /** Undefined: nobody is trusted, or nobody knows who (`anchorsKnown`). */
  readonly anchors: CaStore | undefined
  /** False: the caller's own secure context, whose CAs only OpenSSL knows. */
  readonly anchorsKnown: boolean
  /** 'walk': OpenSSL has been given other CAs than ours, to be named to clients (`clientCaNames`); its verdict is about those. */
  readonly decidedBy: 'openssl' | 'walk'
  /** An intermediate or leaf among the anchors ends the path. */
  readonly partialChain: boolean
  readonly name: NamePolicy
  readonly fingerprints: readonly string[]
  readonly forceFingerprints: boolean
  readonly callback: VerifyCallback | undefined
  /** Milliseconds. */
  readonly callbackTimeout: number
  readonly revocation: RevocationPolicy
  /** Undefined: the system's clock. */
  readonly now: (() => number) | undefined
}

/** The time to judge by. A clock that tells no time is an error, which refuses: every comparison with NaN is false (rule 5). */
export function currentTime({ now }: TrustPolicy): number {
  if (now === undefined) return Date.now()
  const time: unknown = now()
  if (typeof time !== 'number' || !Number.isFinite(time))
    throw invalidValue('now', 'must return milliseconds since 1970, synchronously')
  return time
}
