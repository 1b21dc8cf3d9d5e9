import type { PeerCertificate } from 'node:tls'
import type { CaStore } from '@x/ca-store'
import type { VerifyCallback, VerifyOptions } from '../options/types.ts'

/** How the peer's name is decided. `host` undefined refuses: a name must be known, and never "localhost". */
export type NamePolicy =
  | { readonly by: 'scheme'; readonly host: string | undefined; readonly scheme: NonNullable<VerifyOptions['scheme']>; readonly publicSuffix: NonNullable<VerifyOptions['publicSuffix']> }
  | { readonly by: 'function'; readonly host: string | undefined; readonly check: (hostname: string, certificate: PeerCertificate) => unknown }
  /** We are a server: clients have no name to prove unless one is demanded. */
  | { readonly by: 'nothing'; readonly option: string }

/** Everything that decides whether a peer is trusted, frozen. Checks read nothing else. */
export interface TrustPolicy {
  readonly role: 'client' | 'server'
  /** False: `rejectUnauthorized: false`, the one off switch. */
  readonly enabled: boolean
  /** Whether the peer must show a certificate; 'none': it is not asked for one (a server's default). */
  readonly certificate: 'required' | 'optional' | 'none'
  /** Undefined: the caller's own secure context, whose CAs only OpenSSL knows. */
  readonly anchors: CaStore | undefined
  /** An intermediate or leaf among the anchors ends the path. */
  readonly partialChain: boolean
  readonly name: NamePolicy
  readonly fingerprints: readonly string[]
  readonly forceFingerprints: boolean
  readonly callback: VerifyCallback | undefined
  /** Milliseconds. */
  readonly callbackTimeout: number
  /** Undefined: the system's clock. */
  readonly now: (() => number) | undefined
}
