import { createHash, randomBytes } from 'node:crypto'
import { canonicalBytes } from './canonical.ts'
import { invalidType } from './misuse.ts'

const portable = 'x1.'
const local = 'local1.'
const portableForm = /^x1\.[A-Za-z0-9_-]{43}$/

/**
 * A digest over everything that decides whether a peer is trusted: two connections may share a session only where their keys are
 * equal, since resuming repeats none of the checks.
 *
 * Put in all of it: address and name, CAs, CRLs, pins, scheme, callbacks, revocation policy, one's own certificate and key, protocol
 * and cipher limits, ALPN. What is left out does not keep sessions apart.
 *
 * Equal are: keys of a record in any order; PEM and DER, in a string or in bytes, and `X509Certificate`; a `Set` in any order; lists
 * under the names `ca`, `crl` and `fingerprints` in any order, one bundle or many parts, duplicates or none. All other lists count in
 * their order. Functions count by identity, and so a key that holds one means nothing in another process: `isProcessLocal` says so,
 * and no outside store gets its sessions. (A function whose decision depends on something that changes must be given a new identity
 * then, or that something must be a parameter too.)
 *
 * @throws SessionCacheError ERR_SESSION_PARAMETER for what has no canonical form: undefined, NaN, infinities, -0, symbols, instances
 * of other classes, inherited properties, cycles. Leave such a parameter out, or give what it stands for.
 */
export function trustKey(parameters: Readonly<Record<string, unknown>>): string {
  if (typeof parameters !== 'object' || parameters === null || Array.isArray(parameters))
    throw invalidType('parameters', 'a record')
  let isLocal = false
  const bytes = canonicalBytes(parameters, (value) => {
    isLocal = true
    return identityOf(value)
  })
  return (isLocal ? local : portable) + createHash('sha256').update(bytes).digest('base64url')
}

/** True unless this key was made by `trustKey` from parameters without a function: only such a key means the same elsewhere. */
export function isProcessLocal(key: string): boolean {
  return !portableForm.test(key)
}

/**
 * For a server's `sessionIdContext`: a ticket resumes only where it is equal, and Node's default is the same for every host of a
 * process. Give what decides about clients: the host, whether a certificate is required, the client CAs and CRLs. 32 characters of
 * the trust key's digest, which is as much as OpenSSL takes.
 */
export function sessionIdContext(parameters: Readonly<Record<string, unknown>>): string {
  return trustKey(parameters).split('.')[1]?.slice(0, 32) as string
}

const identities = new WeakMap<object, number>()
/** Random, so that the first function of this process (or of another copy of this module) is not taken for the first of ours. */
const here = randomBytes(16)
let last = 0

function identityOf(value: object): Uint8Array {
  let number = identities.get(value)
  if (number === undefined) {
    number = ++last
    identities.set(value, number)
  }
  return Buffer.concat([here, Buffer.from(String(number))])
}
