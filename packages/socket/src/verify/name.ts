import { X509Certificate } from 'node:crypto'
import type { PeerCertificate } from 'node:tls'
import { verifyHostname } from '@x/verify-hostname'
import type { PeerClaim } from '../engine/engine.ts'
import type { NamePolicy, TrustPolicy } from './policy.ts'
import { disown, failure, type Outcome, refused, waivedByOption } from './verification.ts'

/** Does the leaf belong to the name that was asked for? */
export function checkName(claim: PeerClaim, policy: TrustPolicy): Outcome<'name'> {
  const { name } = policy
  if (name.by === 'nothing') return waivedByOption(name.option)
  if (name.by === 'scheme' && name.scheme === 'none') return waivedByOption('verify.scheme')
  if (claim.pskUsed) return waivedByOption('psk')
  if (name.host === undefined)
    return refused(
      failure(
        'ERR_SECURE_SOCKET_NO_PEER_NAME',
        0,
        "no name to check the certificate against: give 'verify.name', 'servername' or 'host'",
      ),
    )
  const leaf = claim.chain[0]
  if (leaf === undefined)
    return refused(failure('ERR_SECURE_SOCKET_NO_PEER_CERTIFICATE', 0, 'the peer has shown no certificate'))
  return name.by === 'scheme' ? byScheme(leaf, name.host, name) : byFunction(leaf, name.host, name.check)
}

function byScheme(leaf: Uint8Array, host: string, policy: ByScheme): Outcome<'name'> {
  const { scheme, publicSuffix } = policy
  const before = found.get(policy)
  if (before?.leaf === leaf) return before.outcome
  try {
    const match = verifyHostname(leaf, host, { scheme, publicSuffix })
    const evidence = Object.freeze({ host, scheme: match.scheme, entry: match.entry ?? '' })
    const outcome: Outcome<'name'> = Object.freeze({ result: 'passed', evidence })
    // what the program has a say in is asked of it each time
    if (typeof scheme === 'string' && typeof publicSuffix === 'string') found.set(policy, { leaf, outcome })
    return outcome
  } catch (error) {
    return refused(failure(codeOf(error), 0, error as Error))
  }
}

type ByScheme = Extract<NamePolicy, { by: 'scheme' }>

/** What was found last under a policy: a server that is asked again mostly shows the same certificate (see `knownCertificate`). */
const found = new WeakMap<ByScheme, { readonly leaf: Uint8Array; readonly outcome: Outcome<'name'> }>()

/** A mismatch goes by Node's code; a certificate whose names cannot be read keeps its own. */
function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown }
  if (code === 'ERR_HOSTNAME_MISMATCH') return 'ERR_TLS_CERT_ALTNAME_INVALID'
  return typeof code === 'string' ? code : 'ERR_SECURE_SOCKET_CHECK_FAILED'
}

/** Whether a function of the program's decides about names: its refusal stands, whatever is pinned (rule 3). */
export function isDecidedByProgram({ name }: TrustPolicy): boolean {
  return name.by === 'function' || (name.by === 'scheme' && typeof name.scheme === 'function')
}

/** node:tls's contract: an Error refuses, undefined accepts. Anything else, a Promise above all, refuses too. */
function byFunction(
  leaf: Uint8Array,
  host: string,
  check: (hostname: string, certificate: PeerCertificate) => unknown,
): Outcome<'name'> {
  const answer = check(host, new X509Certificate(leaf).toLegacyObject())
  if (answer === undefined)
    return { result: 'passed', evidence: { host, scheme: "option 'checkServerIdentity'", entry: '' } }
  if (answer instanceof Error) return refused(failure(codeOf(answer), 0, answer))
  disown(answer)
  return refused(
    failure(
      'ERR_SECURE_SOCKET_CHECK_FAILED',
      0,
      "'checkServerIdentity' must return an Error or undefined, synchronously",
    ),
  )
}
