import type { CaStore } from '@x/ca-store'
import type { NamePolicy, TrustPolicy } from '../verify/policy.ts'
import type { Resolved } from './resolve.ts'
import { revocationPolicy } from './revocation.ts'

/** The frozen policy that these options mean. `anchors` is undefined where the caller brought a secure context. */
export function policyFor(
  role: 'client' | 'server',
  resolved: Resolved,
  anchors: CaStore | undefined,
  anchorsKnown = true,
): TrustPolicy {
  const { verify = {}, rejectUnauthorized, now } = resolved.policy
  const { fingerprints = [] } = verify
  if (rejectUnauthorized === false) warnOnce()
  return Object.freeze({
    role,
    enabled: rejectUnauthorized !== false,
    certificate: role === 'client' ? 'required' : serverDemand(resolved),
    anchors,
    anchorsKnown,
    decidedBy: role === 'server' && resolved.context.clientCaNames !== undefined ? 'walk' : 'openssl',
    partialChain: resolved.context.allowPartialTrustChain ?? true,
    name: namePolicy(role, resolved),
    fingerprints: typeof fingerprints === 'string' ? [fingerprints] : fingerprints,
    forceFingerprints: verify.forceFingerprints ?? false,
    callback: verify.callback,
    callbackTimeout: verify.callbackTimeout ?? 10_000,
    revocation: revocationPolicy(role, resolved),
    now,
  })
}

/** A server with pre-shared keys that says nothing about certificates wants a key of every client (rule 4). */
function serverDemand({ handshake, context }: Resolved): TrustPolicy['certificate'] {
  if (handshake.requestCert === undefined && context.psk !== undefined) return 'required'
  return certificateDemand(handshake.requestCert)
}

const WARNED: unique symbol = Symbol.for('@x/socket:unverified')

/** Once for the process, however many copies of this package are loaded. */
function warnOnce(): void {
  const holder: typeof globalThis & { [WARNED]?: boolean } = globalThis
  if (holder[WARNED] === true) return
  holder[WARNED] = true
  process.emitWarning(
    "'rejectUnauthorized: false': peers are not verified, whoever is in between can read and change all",
    {
      type: 'SecurityWarning',
      code: 'X_SOCKET_UNVERIFIED',
    },
  )
}

/** What a server demands of its clients; `true` means that a certificate is required. */
export function certificateDemand(
  requestCert: boolean | 'required' | 'optional' | undefined,
): TrustPolicy['certificate'] {
  if (requestCert === true || requestCert === 'required') return 'required'
  return requestCert === 'optional' ? 'optional' : 'none'
}

function namePolicy(role: 'client' | 'server', resolved: Resolved): NamePolicy {
  const { verify = {}, checkServerIdentity } = resolved.policy
  const host = expectedName(resolved)
  if (checkServerIdentity !== undefined) return { by: 'function', host, check: checkServerIdentity }
  // a client of ours has a name to prove only where the program says which
  if (role === 'server' && verify.name === undefined) return { by: 'nothing', option: 'verify.name' }
  return { by: 'scheme', host, scheme: verify.scheme ?? 'default', publicSuffix: verify.publicSuffix ?? 'icann' }
}

/** `verify.name`, else a non-empty `servername`, else `host`; never "localhost" for want of one. */
export function expectedName({ policy, handshake, transport }: Resolved): string | undefined {
  const name = policy.verify?.name ?? (handshake.servername || undefined) ?? transport.host
  return name === undefined ? undefined : withoutBrackets(name)
}

/** `[::1]` as it stands in URLs, without its brackets. */
export function withoutBrackets(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host
}
