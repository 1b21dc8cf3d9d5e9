import { createHash, X509Certificate } from 'node:crypto'
import tls, {
  type ConnectionOptions,
  checkServerIdentity,
  type DetailedPeerCertificate,
  type PeerCertificate,
} from 'node:tls'
import { trustKey } from './trust-key.ts'
import type { SessionEntry } from './session-entry.ts'

/** What the helpers keep with a session. */
export interface PeerEvidence {
  /** Milliseconds since 1970 of the full handshake in which the chain was verified; resuming does not renew it. */
  readonly verifiedAt: number
}

/**
 * Options that decide how bytes travel and not whom to trust. Everything that is not listed here counts in the key, so that an
 * option this package has never heard of keeps sessions apart.
 */
const transportOptions = new Set(
  [
    'allowHalfOpen autoSelectFamily autoSelectFamilyAttemptTimeout enableTrace family fd hints highWaterMark keepAlive',
    'keepAliveInitialDelay localAddress localPort lookup noDelay onread pauseOnConnect readable signal socket timeout writable',
  ].flatMap((line) => line.split(' ')),
)

/** The name that Node verifies the certificate against, but for its last resort, "localhost". */
export function verifiedName(options: ConnectionOptions): string | undefined {
  return options.servername || options.host || undefined
}

/**
 * Whether sessions may be shared at all: not where nothing is verified, where sessions belong to a context of the caller's, or where a
 * check depends on what resumption does not repeat (a CRL's nextUpdate, a staple).
 */
export function isShareable(options: ConnectionOptions): boolean {
  const isVerified = options.rejectUnauthorized !== false && process.env['NODE_TLS_REJECT_UNAUTHORIZED'] !== '0'
  if (!isVerified || options.secureContext !== undefined || options.pskCallback !== undefined) return false
  return options.crl === undefined && (options as { requestOCSP?: boolean }).requestOCSP !== true
}

/**
 * The trust key of a connection.
 *
 * @throws SessionCacheError ERR_SESSION_PARAMETER for an option without canonical form
 */
export function policyKey(options: ConnectionOptions): string {
  const given = Object.entries(options).filter(([name, value]) => value !== undefined && !transportOptions.has(name))
  // Without a prototype: Node asks an agent for names in events, where nobody would catch that one is polluted.
  const own = { __proto__: null, ...Object.fromEntries(given) }
  return trustKey({ __proto__: null, options: own, defaults: { __proto__: null, ...defaults(options) } })
}

/**
 * Whether a full handshake now would still accept the peer that earned this session: the same name, a chain in date, the identity
 * check run again over the stored leaf, and no longer ago than `maxAge`. Anything but a clear yes is a no.
 */
export function stillHolds(
  entry: SessionEntry<PeerEvidence>,
  options: ConnectionOptions,
  now: number,
  maxAge: number,
): boolean {
  const name = verifiedName(options)
  if (name === undefined || entry.name !== name || entry.chain.length === 0) return false
  const age = now - entry.evidence.verifiedAt
  if (!(age >= 0 && age <= maxAge)) return false
  try {
    const chain = entry.chain.map((der) => new X509Certificate(der))
    if (
      !chain.every((certificate) => Date.parse(certificate.validFrom) <= now && now <= Date.parse(certificate.validTo))
    )
      return false
    const check = options.checkServerIdentity ?? checkServerIdentity
    return check(name, legacyChain(chain)) === undefined
  } catch {
    return false
  }
}

/** The form that `checkServerIdentity` gets: each certificate refers to its issuer, the last one to itself. */
function legacyChain(chain: readonly X509Certificate[]): PeerCertificate {
  const objects = chain.map((certificate) => certificate.toLegacyObject() as unknown as DetailedPeerCertificate)
  for (const [index, object] of objects.entries()) object.issuerCertificate = objects[index + 1] ?? object
  return objects[0] as PeerCertificate
}

/** What Node takes where an option is not given. All of it can be changed by the program at any time. */
function defaults(options: ConnectionOptions): Record<string, unknown> {
  return {
    minVersion: tls.DEFAULT_MIN_VERSION,
    maxVersion: tls.DEFAULT_MAX_VERSION,
    ciphers: tls.DEFAULT_CIPHERS,
    ecdhCurve: tls.DEFAULT_ECDH_CURVE,
    identity: tls.checkServerIdentity === checkServerIdentity ? 'node' : tls.checkServerIdentity,
    // As Node has it: '' and null stand for the default too.
    ca: options.ca ? 'given' : defaultAuthorities(),
  }
}

const digests = new WeakMap<readonly string[], string>()

/** Node 22.19, 24.5 and later let the program replace the default CAs; before, they are fixed when the process starts. */
function defaultAuthorities(): string {
  const { getCACertificates } = tls as unknown as { getCACertificates?: (type: 'default') => readonly string[] }
  if (getCACertificates === undefined) return 'fixed'
  const list = getCACertificates('default')
  let digest = digests.get(list)
  if (digest === undefined || !Object.isFrozen(list)) {
    digest = createHash('sha256').update(list.join('\n')).digest('hex')
    digests.set(list, digest)
  }
  return digest
}
