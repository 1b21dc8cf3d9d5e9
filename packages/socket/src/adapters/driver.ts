import type { ConnectionOptions, PeerCertificate } from 'node:tls'
import { matchesFingerprint } from '@x/utils'
import { createCheckServerIdentity } from '@x/verify-hostname'
import { invalidValue } from '../errors.ts'
import { loadAnchors } from '../options/ca.ts'
import { loadCredentials } from '../options/credentials.ts'
import { effectiveOptions } from '../options/defaults.ts'
import { read, type Resolved } from '../options/resolve.ts'
import { disown } from '../verify/verification.ts'
import type { SharedOptions } from './pick.ts'

/**
 * Plain options for a database driver or mail library that hands them to tls.connect: `new pg.Client({ssl: tlsOptions({caFile, verify: {scheme: 'rfc9525'}})})`.
 *
 * Refused with a TypeError is every policy that node:tls cannot keep by itself: a verify callback, pins that accept an invalid chain, revocation other than
 * by default, sessions of our cache, passphrases that have to be waited for. `forceFingerprints` is kept more strictly: the chain must be valid too.
 * Not guarded against: a library that resumes sessions of its own, which node:tls does without asking any check.
 */
export function tlsOptions(given: SharedOptions = {}): ConnectionOptions {
  const options = effectiveFor(given)
  for (const [key, why] of Object.entries(unenforceable)) if (key in options) throw invalidValue(key, why)
  const { verify = {}, rejectUnauthorized } = options
  if (rejectUnauthorized === false) throw invalidValue('rejectUnauthorized', 'cannot be false here')
  if (verify.callback !== undefined) throw invalidValue('verify.callback', 'cannot be kept by plain options')
  if (verify.fingerprints !== undefined && verify.forceFingerprints !== true)
    throw invalidValue(
      'verify.fingerprints',
      "accept an otherwise invalid certificate, which plain options cannot; add 'forceFingerprints: true' to demand both",
    )
  if (typeof verify.scheme === 'function') throw invalidValue('verify.scheme', 'cannot be a function here')
  const { context, handshake, policy } = read('connect', { ...options, host: 'localhost', port: 0 })
  const credentials = loadCredentials(context)
  if (credentials instanceof Promise) throw invalidValue('passphrase', 'has to be known at once here')
  const {
    ca: _ca,
    caFile: _caFile,
    caPath: _caPath,
    caStore: _caStore,
    cert: _cert,
    certFile: _certFile,
    key: _key,
    keyFile: _keyFile,
    passphrase: _passphrase,
    dhparam: _dhparam,
    ...limits
  } = context
  return {
    ...(limits as ConnectionOptions),
    ...loadAnchors(context, true).contextOptions,
    ...credentials,
    ...(handshake.servername === undefined ? {} : { servername: handshake.servername }),
    ...(handshake.ALPNProtocols === undefined ? {} : { ALPNProtocols: [...handshake.ALPNProtocols] }),
    ...(handshake.minDHSize === undefined ? {} : { minDHSize: handshake.minDHSize }),
    rejectUnauthorized: true,
    checkServerIdentity: identityCheck(policy),
  }
}

/** A default policy must not get lost on the way: it counts here too. A default session cache is no policy. */
function effectiveFor(given: SharedOptions): SharedOptions {
  const { sessionCache: _default, ...options } = effectiveOptions('connect', given) as SharedOptions
  return given.sessionCache === undefined ? options : { ...options, sessionCache: given.sessionCache }
}

const unenforceable: Readonly<Record<string, string>> = {
  revocation: 'cannot be kept by plain options',
  crl: 'cannot be kept by plain options',
  now: 'cannot be kept by plain options',
  sessionCache: 'cannot be kept by plain options',
  psk: 'cannot be kept by plain options: node:tls does not say whether it was used',
  secureContext: 'would be ignored by some libraries, and its CAs with it',
  stoppable: 'is nothing that node:tls can do',
  onPeerShutdown: 'is nothing that node:tls can do',
  onHandshakeError: 'is nothing that node:tls can do',
  onMessage: 'is nothing that node:tls can do',
  truncation: 'is nothing that node:tls can tell apart',
  starttls: 'is for the library to speak',
  onContext: 'would not be called: the library makes the context',
  onread: 'would not be filled: the library reads',
  keylog: 'would not be heeded',
}

/** Pins first: a function of the program's replaces the name check and nothing else. */
function identityCheck({
  verify = {},
  checkServerIdentity,
}: Resolved['policy']): (hostname: string, certificate: PeerCertificate) => Error | undefined {
  const { name, scheme, publicSuffix, fingerprints = [], forceFingerprints } = verify
  const check =
    checkServerIdentity ??
    createCheckServerIdentity({
      ...(scheme === undefined ? {} : { scheme }),
      ...(publicSuffix === undefined ? {} : { publicSuffix }),
    })
  return (hostname, certificate) => {
    if (forceFingerprints === true && matchesFingerprint(certificate, fingerprints) === undefined)
      return Object.assign(new Error('the certificate matches none of the pinned fingerprints'), {
        code: 'ERR_SECURE_SOCKET_FINGERPRINT_MISMATCH',
      })
    const answer: unknown = check(name ?? hostname, certificate)
    if (answer === undefined || answer instanceof Error) return answer
    disown(answer)
    return Object.assign(new Error("'checkServerIdentity' must return an Error or undefined, synchronously"), {
      code: 'ERR_SECURE_SOCKET_CHECK_FAILED',
    })
  }
}
