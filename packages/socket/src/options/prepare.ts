import type { SecureContext } from 'node:tls'
import type { SessionStore } from '@x/session-cache'
import { sessionIdContext, trustKey } from '@x/session-cache'
import type { TrustPolicy } from '../verify/policy.ts'
import type { TicketKeys } from '../ticket-keys.ts'
import { type Anchors, clientCaNames, loadAnchors } from './ca.ts'
import { BoundedMap, contentKey } from './content-key.ts'
import { type BuiltContext, buildContext } from './context.ts'
import { certificateDemand, policyFor } from './policy.ts'
import { madeContext } from './made-contexts.ts'
import { defined } from './records.ts'
import { mayComeAgain, type Resolved } from './resolve.ts'

/** Everything that a handshake of this role needs. */
export interface Prepared {
  readonly secureContext: SecureContext
  readonly policy: TrustPolicy
  /** Where sessions may be kept, and under which key; undefined where none may be. */
  readonly sessions: { readonly store: SessionStore; readonly key: string } | undefined
  /** A server's: the trust key that its sessions belong to; undefined where none may resume. */
  readonly scope?: string | undefined
}

/**
 * Anchors, policy and context, in this order, or what they came to before; a Promise only where the credentials make it one.
 * The caller's own secure context has anchors that only OpenSSL knows, and its sessions are never kept (rule 10).
 */
export function prepare(
  role: 'client' | 'server',
  resolved: Resolved,
  host?: HostContext,
): Prepared | Promise<Prepared> {
  const isKept = role === 'client' && !readsFiles(resolved) && mayComeAgain(resolved)
  const before = isKept ? kept.get(resolved) : undefined
  if (before !== undefined) return before
  const prepared = make(role, resolved, host)
  if (isKept && !(prepared instanceof Promise)) kept.set(resolved, prepared)
  return prepared
}

const kept = new WeakMap<Resolved, Prepared>()

/** Whether what these options mean may change: files, and the process's own store of CAs, may be replaced. */
function readsFiles({ context, policy }: Resolved): boolean {
  if (policy.crl !== undefined || policy.revocation !== undefined) return true
  const { ca, caFile, caPath, certFile, keyFile, secureContext } = context
  if (secureContext !== undefined) return false // made once, with its CAs
  return ca === undefined || (caFile ?? caPath ?? certFile ?? keyFile) !== undefined
}

function make(role: 'client' | 'server', resolved: Resolved, host?: HostContext): Prepared | Promise<Prepared> {
  const { context, policy: rules, handshake } = resolved
  const own = context.secureContext
  const made = madeContext(own)
  if (own !== undefined && made === undefined)
    return { secureContext: own, policy: policyFor(role, resolved, undefined, false), sessions: undefined }
  if (own !== undefined && made !== undefined && role === 'client') {
    const { anchors, identity } = made
    const policy = policyFor(role, resolved, anchors.store)
    return { secureContext: own, policy, sessions: sessionsFor(role, resolved, policy, anchors, identity) }
  }
  const needed =
    rules.rejectUnauthorized !== false && (role === 'client' || certificateDemand(handshake.requestCert) !== 'none')
  const anchors = loadAnchors(context, needed, role === 'server' ? 'clientAuth' : 'serverAuth')
  const policy = policyFor(role, resolved, anchors.store)
  const scope = role === 'client' ? undefined : scopeOf(resolved, policy, anchors, host)
  const server =
    scope === undefined
      ? undefined
      : {
          sessionIdContext: sessionIdContext(scope),
          more: host?.more ?? [],
          ticketKeys: host?.ticketKeys,
          resumable: mayResume(policy),
          names: clientCaNames(context),
        }
  const built = buildContext(context, anchors, server)
  const finish = ({ secureContext, identity }: BuiltContext): Prepared => ({
    secureContext,
    policy,
    sessions: sessionsFor(role, resolved, policy, anchors, identity),
    scope: scope !== undefined && server?.resumable === true ? trustKey(scope) : undefined,
  })
  return built instanceof Promise ? built.then(finish) : finish(built)
}

/** What the sessions of a server's host belong to (rule 9). */
function scopeOf(
  resolved: Resolved,
  policy: TrustPolicy,
  anchors: Anchors,
  host: HostContext | undefined,
): Record<string, unknown> {
  return canonical({ ...trustParameters(resolved, policy, anchors, ''), host: host?.name ?? '' })
}

/** What a server adds for one host. */
export interface HostContext {
  readonly name: string
  readonly more: readonly Resolved['context'][]
  readonly ticketKeys: TicketKeys | undefined
}

/**
 * A resumed session brings the client's leaf and OpenSSL's verdict, both from the ticket, and none of the intermediates. Where a verdict needs
 * more than that, every handshake is a full one (rule 9).
 */
function mayResume({ certificate, anchors, callback, decidedBy, now, revocation }: TrustPolicy): boolean {
  if (certificate === 'none') return true
  if (callback !== undefined || decidedBy === 'walk' || now !== undefined) return false
  // whom a store distrusts is seen among the intermediates, and is no part of its digest
  if (anchors?.errors.some(({ code }) => code === 'ERR_CA_DISTRUSTED') === true) return false
  const { online, failure, crlDepth } = revocation
  return !online && failure === 'soft' && crlDepth === undefined
}

function sessionsFor(
  role: 'client' | 'server',
  resolved: Resolved,
  policy: TrustPolicy,
  anchors: Anchors,
  identity: string,
): Prepared['sessions'] {
  const { sessionCache: store, sessionKey } = resolved.handshake
  if (store === undefined || role === 'server' || !policy.enabled) return undefined
  // node:tls reports a pre-shared key in TLS 1.3 as a resumption: only where nothing else can be resumed is it certain
  if (resolved.context.psk !== undefined) return undefined
  const { host, port, path } = resolved.transport
  const peer =
    sessionKey === undefined
      ? defined({ host, port: port === undefined ? undefined : Number(port), path })
      : { sessionKey }
  const parameters = { peer, ...trustParameters(resolved, policy, anchors, identity) }
  const text = contentKey(parameters)
  let key = trustKeys.get(text)
  if (key === undefined) {
    key = trustKey(canonical(parameters))
    trustKeys.set(text, key)
  }
  return { store, key }
}

/** By the content key of what they are made of, which costs a tenth of making one. */
const trustKeys = new BoundedMap<string>(512)

/** All of the frozen policy, and what decides how the handshake goes: nothing that trust depends on is left out. */
function trustParameters(
  resolved: Resolved,
  policy: TrustPolicy,
  anchors: Anchors,
  identity: string,
): Record<string, unknown> {
  const { anchors: _store, revocation, ...others } = policy
  const { cache: _cache, cacheMayKnow: _may, crls: _crls, fetch: _fetch, timeout: _timeout, ...answers } = revocation
  const { ciphers, sigalgs, ecdhCurve, minVersion, maxVersion, secureOptions, dhparam, honorCipherOrder } =
    resolved.context
  const { onContext, secureContext } = resolved.context
  const { servername, ALPNProtocols, minDHSize } = resolved.handshake
  return {
    rules: { ...others, revocation: answers },
    ca: anchors.store?.digest ?? 'none',
    identity,
    limits: {
      ciphers,
      sigalgs,
      ecdhCurve,
      minVersion,
      maxVersion,
      secureOptions,
      dhparam,
      honorCipherOrder,
      onContext,
      // the program may have widened it since it was made
      secureContext,
      servername,
      minDHSize,
    },
    alpn: ALPNProtocols,
  }
}

/** What a trust key is made of: no undefined values, and functions in the place of what counts by identity. */
function canonical(parameters: Record<string, unknown>): Record<string, unknown> {
  return comparable(parameters) as Record<string, unknown>
}

/** Objects of other classes (a PublicSuffixList, a Scheme with methods) count by identity, as functions do. */
function comparable(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  if (Array.isArray(value)) return value.map(comparable)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return identityFunction(value)
  return defined(Object.fromEntries(Object.entries(value).map(([key, item]) => [key, comparable(item)])))
}

const identityFunctions = new WeakMap<object, () => void>()

/** A function that stands for an object, so that the trust key takes its identity. */
function identityFunction(value: object): () => void {
  let stand = identityFunctions.get(value)
  if (stand === undefined) {
    stand = () => undefined
    identityFunctions.set(value, stand)
  }
  return stand
}
